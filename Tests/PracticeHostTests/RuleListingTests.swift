import Foundation
import Testing

/// Rules of every backend as the product lists them, held against what `nft list` and `iptables -S` say of the same rules.
@Suite(.serialized, .enabled(if: BuiltProgram.isRoot)) struct RuleListingTests {
    /// What is written in another way, by how the tool lists it, with the reason.
    static let exceptions: [String: String] = [
        "counter name ip saddr map { 10.5.0.1 : \"c1\" }": "the elements of a map of objects are not read",
        "-j HMARK --hmark-src-prefix 32 --hmark-dst-prefix 32 --hmark-rnd 0x00000005 --hmark-mod 10":
            "the options of HMARK are not decoded",
    ]

    private struct Listing {
        var chains: [String: [String]] = [:]

        init(_ lines: [Substring]) {
            var chain = ""
            for line in lines {
                if line.hasPrefix("== ") {
                    chain = String(line.dropFirst(3))
                    chains[chain] = []
                } else {
                    chains[chain, default: []].append(String(line))
                }
            }
        }
    }

    private static let ofEveryKind = listings(
        "list-rules",
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("RulesetOracle/Listings").path)

    /// Both listings that a script on a practice host makes, and what a tool refused.
    private static func listings(
        _ script: String, _ arguments: String...
    ) -> (tool: Listing, ours: Listing, messages: String) {
        _ = BuiltProgram.layers
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("RulesetOracle")
        let oracle = URL(fileURLWithPath: BuiltProgram.path).deletingLastPathComponent()
            .appendingPathComponent("ruleset-oracle").path
        let result = BuiltProgram.lab(
            ["--containers", "0"],
            [
                "unshare", "-n", "-m", "--propagation", "private", "--", "sh", "-c",
                "mount -t sysfs sysfs /sys && mount -t tmpfs none /run && mkdir -p /run/lock && exec \"$@\"", "sh",
                folder.appendingPathComponent(script).path, oracle,
            ] + arguments)
        var (tool, ours, isOurs): ([Substring], [Substring], Bool) = ([], [], false)
        for line in result.output.split(separator: "\n") {
            switch line {
            case "TOOL": isOurs = false
            case "OURS": isOurs = true
            default: if isOurs { ours.append(line) } else { tool.append(line) }
            }
        }
        return (Listing(tool), Listing(ours), result.errors)
    }

    /// A rule without its chain, as the exceptions name it.
    private static func isException(_ line: String) -> Bool {
        let words = line.hasPrefix("-A ") ? line.split(separator: " ").dropFirst(2).joined(separator: " ") : line
        return exceptions[words] != nil
    }

    @Test(.timeLimit(.minutes(5)), arguments: [("nft", 330), ("iptables-nft", 210), ("iptables-legacy", 210)])
    func everyRuleIsWrittenAsItsToolListsIt(backend: String, least: Int) throws {
        let (tool, ours, messages) = Self.ofEveryKind
        var compared = 0
        for (chain, wanted) in tool.chains where chain.hasPrefix(backend + " ") {
            let written = ours.chains[chain] ?? []
            #expect(written.count == wanted.count, "\(chain): \(messages)")
            // The place in the listing is the position: `iptables -D CHAIN N`.
            for (position, (line, own)) in zip(wanted, written).enumerated() where !Self.isException(line) {
                #expect(own == line, "\(chain), rule \(position + 1)")
                compared += 1
            }
        }
        #expect(compared >= least, "\(messages)")
    }

    /// The rules that the ruleset model is tried with, too.
    @Test(.timeLimit(.minutes(5))) func randomRulesAreWrittenAsTheirToolsListThem() {
        let (tool, ours, messages) = Self.listings("list-random", "1", "60")
        var compared = 0
        for (chain, wanted) in tool.chains {
            let written = ours.chains[chain] ?? []
            #expect(written.count == wanted.count, "\(chain): \(messages)")
            for (line, own) in zip(wanted, written) { #expect(own == line, "\(chain)") }
            compared += wanted.count
        }
        #expect(compared >= 3000, "\(messages)")
    }

    @Test func noExceptionIsLeftOver() throws {
        let lines = Self.ofEveryKind.tool.chains.values.joined()
        for line in Self.exceptions.keys {
            #expect(lines.contains { Self.isException($0) && $0.hasSuffix(line) }, "\(line)")
        }
    }

    /// The number of a rule is the one that `iptables -D` takes; a handle is called one.
    @Test(arguments: ["nft", "iptables-nft", "iptables-legacy"]) func theSecondRuleIsNumberTwo(backend: String) throws {
        let rules =
            backend == "nft"
            ? """
            nft add table inet q; nft 'add chain inet q f { type filter hook forward priority 5; }'
            for n in 1 2 3; do nft add rule inet q f ip saddr 192.0.2.$n accept; done
            nft delete rule inet q f handle 2; nft delete rule inet q f handle 3
            nft add rule inet q f udp dport 33434 drop
            """
            : "\(backend) -I FORWARD -p udp --dport 33434 -j DROP; \(backend) -I FORWARD -s 192.0.2.1 -j ACCEPT"
        let result = BuiltProgram.lab(
            backend == "nft" ? [] : ["--backend", backend],
            [
                "sh", "-c",
                """
                \(rules)
                lxc-doctor prove --protocol udp --format json | jq -c '[.probes[].killer] | unique | .[]'
                lxc-doctor verify --packet 'udp 10.5.0.2:40000 > 198.51.100.7:33434 iif lxcbr1' --format json \
                    | jq -c .killer
                lxc-doctor prove --protocol udp | grep -m 1 'table '
                lxc-doctor verify --packet 'udp 10.5.0.2:40000 > 198.51.100.7:33434 iif lxcbr1' | grep -m 1 'at table'
                """,
            ])
        let lines = result.output.split(separator: "\n").map(String.init)
        try #require(lines.count == 4, "\(result.output)\n\(result.errors)")
        for line in lines.prefix(2) {
            #expect(line.contains("\"rule\":\"2\""), "\(line)")
            #expect(line.contains("\"handle\":") == (backend != "iptables-legacy"), "\(line)")
        }
        for line in lines.suffix(2) {
            #expect(line.contains(", rule 2"), "\(line)")
            #expect(line.contains("rule 2 (handle 5)") == (backend == "nft"), "\(line)")
        }
    }
}
