import Foundation
import HostModel
import TestSupport
import Testing

/// What `verify` cannot decide: the condition by its name, and the rule that has it, on the page and in JSON.
@Suite(.serialized) struct VerifyUnknownTests {
    struct Kind: Sendable, CustomTestStringConvertible {
        var condition: String
        var what: [String]
        var testDescription: String { condition }

        init(_ condition: String, _ what: String...) {
            self.condition = condition
            self.what = what
        }
    }

    /// Each rule alone at the head of forward. What verify says of every packet, and of one of TCP.
    private func reports(_ backend: String, _ kinds: [Kind]) throws -> [(
        every: VerifyReport, one: PacketReport, page: String
    )] {
        let isNft = backend == "nft"
        let packet = "tcp 10.5.0.9:40000 > 198.51.100.7:443 iif lxcbr1"
        let rules = kinds.map { kind in
            isNft ? "nft 'add rule inet k f \(kind.condition) drop'" : "\(backend) -I FORWARD \(kind.condition) -j DROP"
        }
        let ended = try Program.lab(
            ["--backend", backend, "--containers", "0"],
            (isNft
                ? "nft 'add table inet k; add chain inet k f { type filter hook forward priority 0; };"
                    + " add set inet k dyn { type ipv4_addr; flags dynamic; timeout 1m; };"
                    + " add quota inet k quo { 1000 bytes; }'; " : "")
                + rules.map { rule in
                    """
                    \(rule) || exit 9
                    lxc-doctor verify --format json --format terminal=/tmp/p; echo SPLIT
                    lxc-doctor verify --packet '\(packet)' --format json; echo SPLIT; cat /tmp/p; echo SPLIT
                    \(isNft ? "nft flush chain inet k f" : "\(backend) -D FORWARD 1")

                    """
                }.joined())
        let parts = ended.output.components(separatedBy: "SPLIT\n")
        try #require(parts.count == 3 * kinds.count + 1, "\(ended.output)\(ended.messages)")
        let decoder = JSONDecoder()
        return try kinds.indices.map { index in
            (
                try decoder.decode(VerifyReport.self, from: Data(parts[3 * index].utf8)),
                try decoder.decode(PacketReport.self, from: Data(parts[3 * index + 1].utf8)), parts[3 * index + 2]
            )
        }
    }

    private func check(_ backend: String, _ kinds: [Kind], chain: String) throws {
        for (kind, found) in zip(kinds, try reports(backend, kinds)) {
            let answer = try #require(found.every.networks.first?.answers.first { $0.question == "forwarded" })
            #expect(answer.verdict == .undecided, "\(kind.condition)")
            #expect(answer.dependsOn?.map(\.what) == kind.what, "\(kind.condition)")
            #expect(answer.dependsOn?.allSatisfy { $0.rule?.chain == chain && $0.rule?.rule == "1" } == true)
            #expect(answer.reason == "depends on what is not known: \(kind.what.joined(separator: ", "))")
            let words = found.page.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            let text = try #require(answer.dependsOn?.first?.rule?.text)
            #expect(words.contains("not known, \(kind.what[0]): table "), "\(found.page)")
            #expect(words.contains(text.split(separator: " ").joined(separator: " ")), "\(found.page)")
            // One packet alone may be clear.
            guard found.one.verdict == .undecided else { continue }
            #expect(found.one.dependsOn?.first?.rule?.text == text, "\(kind.condition)")
        }
    }

    static let matches = [
        Kind("-m time --timestart 10:00 --timestop 11:00", "match time"),
        Kind("-m string --algo bm --string x", "match string"),
        Kind("-m hashlimit --hashlimit-above 5/s --hashlimit-name h", "match hashlimit"),
        Kind("-m quota --quota 1000", "match quota"), Kind("-m recent --name r --rcheck", "match recent"),
        Kind("-m statistic --mode random --probability 0.5", "match statistic"),
        Kind("-p tcp -m connlimit --connlimit-above 5", "match connlimit"),
        Kind("-m connbytes --connbytes 1000: --connbytes-dir both --connbytes-mode bytes", "match connbytes"),
        Kind("-m helper --helper ftp", "match helper"), Kind("-m mac --mac-source 00:11:22:33:44:55", "match mac"),
        Kind("-m u32 --u32 0=5", "match u32"), Kind("-m ttl --ttl-lt 5", "match ttl"),
        Kind("-m length --length 1000:1500", "match length"), Kind("-m dscp --dscp 8", "match dscp"),
        Kind("-p tcp --tcp-option 8", "match tcp --tcp-option"), Kind("-m physdev --physdev-in v", "match physdev"),
        Kind("-p udp -m multiport --ports 5,6", "match multiport --ports"),
        Kind("-m conntrack --ctexpire 5", "match conntrack"), Kind("-m cpu --cpu 1", "match cpu"),
        Kind("-p tcp --dport 443 -m time --weekdays Mo -m string --algo bm --string x", "match time", "match string"),
    ]

    @Test(arguments: ["iptables-nft", "iptables-legacy"]) func matchesAreNamed(backend: String) throws {
        try check(backend, Self.matches, chain: "FORWARD")
    }

    @Test func expressionsAreNamed() throws {
        try check(
            "nft",
            [
                Kind("fib saddr oif eq 0", "fib"), Kind("meta hour \"10:00\"-\"11:00\"", "meta hour"),
                Kind("meta time > \"2020-01-01 00:00\"", "meta time"), Kind("limit rate 5/second", "limit"),
                Kind("quota name quo", "quota object"), Kind("numgen random mod 2 0", "numgen"),
                Kind("jhash ip saddr mod 2 0", "jhash or symhash"), Kind("osf name Linux", "osf"),
                Kind("rt classid 5", "rt"), Kind("tcp option maxseg size 500", "an option or extension header"),
                Kind("ct bytes > 1000", "ct bytes"), Kind("ct count over 5", "ct count (connlimit)"),
                Kind("meta random < 100", "meta random"), Kind("ip ttl 5", "ip ttl"), Kind("ip dscp 8", "ip dscp"),
                Kind("tcp window 50", "tcp window"), Kind("icmp id 50", "icmp type", "icmp id"),
                Kind("ether saddr 00:11:22:33:44:55", "meta iiftype", "ether saddr"),
                Kind("@th,160,32 5", "@th,160,32"), Kind("ip saddr @dyn", "set dyn"),
                Kind("add @dyn { ip saddr }", "a set that the rule changes (dynset)"),
            ], chain: "f")
    }
}
