import HostModel
import Testing
import WireFormats

@testable import HostAccess

/// What becomes of a packet in a ruleset of text.
@Suite struct IptablesWalkTests {
    private let packet = NewPacket(
        input: "br0", output: "eth0", source: IPv4Address(value: 0x0a05_0002),
        destination: IPv4Address(value: 0xc633_6407), transport: .tcp, port: 443)

    private func fate(_ lines: [String], policy: String = "DROP") -> IptablesListing.Fate {
        IptablesListing(policies: ["FORWARD": policy, "a": "-", "b": "-"], lines: lines).fate(of: packet, in: "FORWARD")
    }

    @Test(arguments: [
        "-A FORWARD -i br0 -o eth0 -j ACCEPT", "-A FORWARD -i br+ -s 10.5.0.0/16 -p tcp -m tcp --dport 443 -j ACCEPT",
        "-A FORWARD -p 6 --syn -j ACCEPT -m comment --comment \"a b\"",
        "-A FORWARD -m comment --comment \"a b c\" -m multiport --dports 80,440:450 -j ACCEPT",
        "-A FORWARD ! -d 10.0.0.0/8 -m conntrack --ctstate NEW,INVALID -j ACCEPT",
        "-A FORWARD -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT",
    ])
    func aRuleThatMatchesAccepts(line: String) {
        #expect(fate([line]) == .accepted)
        #expect(fate([line.replacing("-j ACCEPT", with: "-j DROP")], policy: "ACCEPT") != .accepted)
    }

    @Test(arguments: [
        "-A FORWARD -i br1 -j ACCEPT", "-A FORWARD ! -i br0 -j ACCEPT", "-A FORWARD -p udp -j ACCEPT",
        "-A FORWARD -p tcp --dport 80 -j ACCEPT", "-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT",
        "-A FORWARD -d 10.0.0.0/8 -j ACCEPT", "-A FORWARD -p tcp --tcp-flags ALL NONE -j ACCEPT",
        "-A FORWARD -m addrtype --dst-type BROADCAST -j ACCEPT", "-A FORWARD -m set --match-set x src -j ACCEPT",
    ])
    func aRuleThatMatchesNotDoesNothing(line: String) {
        #expect(fate([line]) == .dropped("policy of FORWARD"))
    }

    @Test func chainsAreFollowed() {
        let accept = "-A FORWARD -j ACCEPT"
        #expect(fate(["-A FORWARD -j a", accept, "-A a -p tcp -j b", "-A b -j RETURN", "-A b -j DROP"]) == .accepted)
        // Who goes to a chain comes back behind the jump before.
        #expect(fate(["-A FORWARD -j a", accept, "-A a -g b", "-A a -j DROP", "-A b -p udp -j DROP"]) == .accepted)
        #expect(fate(["-A FORWARD -j a", accept, "-A a -j DROP"]) == .dropped("-A a -j DROP"))
        #expect(fate(["-A FORWARD -j a", "-A a -j b", "-A b -j a", accept]) != .accepted)
    }

    @Test func whatIsNotKnownIsSaid() {
        let doubt = "-A FORWARD -m set --match-set x src -j DROP"
        #expect(fate([doubt, "-A FORWARD -j ACCEPT"]) == .undecided(doubt))
        #expect(fate(["-A FORWARD -m hashlimit --hashlimit-upto 1/sec -j LOG", "-A FORWARD -j ACCEPT"]) == .accepted)
    }

    /// As `shorewall check -r` prints it, among other things.
    @Test func theReachOfANetworkIsJudged() throws {
        let reach = ShorewallReach(
            bridge: "br0", address: IPv4Prefix("10.5.0.1/16").unsafelyUnwrapped, uplink: "eth0",
            target: IPv4Address(value: 0xc633_6407))
        let rules = [
            "-A FORWARD -i br0 -j br0_fwd", "-A br0_fwd -o eth0 -j ACCEPT", "-A INPUT -i br0 -j br0_in",
            "-A br0_in -p udp --dport 67:68 -j ACCEPT", "-A br0_in -p 17 --dport 53 -j ACCEPT",
            "-A br0_in -p 6 --dport 53 -j ACCEPT",
        ]
        func output(_ rules: [String]) -> String {
            ([
                "Compiling...", "*nat", ":POSTROUTING ACCEPT [0:0]", "COMMIT", "*filter", ":INPUT DROP [0:0]",
                ":FORWARD DROP [0:0]", "__EOF__",
            ] + rules + ["COMMIT", "-A FORWARD -j DROP"]).joined(separator: "\n")
        }
        #expect(reach.complaint(aboutOutput: output(rules)) == nil)
        for index in rules.indices {
            var less = rules
            less.remove(at: index)
            #expect(reach.complaint(aboutOutput: output(less)) != nil, "without \(rules[index])")
        }
        #expect(reach.complaint(aboutOutput: "Compiling...") != nil)
    }

    /// The text and the expressions of a rule say the same; `nft` is asked in the tests on practice hosts.
    @Test func anAcceptStandsWhereItIsReached() {
        let place = NftChainPlace(.inet, "filter", "forward")
        let rule = NftChainRule(place, [.output("br0"), .established])
        #expect(rule.text == "oifname \"br0\" ct state established,related accept")
        #expect(NftChainRule(place, [.input("a-name-that-is-too-long")]).expressions == nil)
        var listing = NftChainListing([.rule(ByteString([1])), .end, .rule(ByteString([2]))])
        #expect(listing.index(of: rule) == nil)
        listing.insert(rule)
        #expect(listing.index(of: rule) == 1)
        listing.remove(rule)
        #expect(listing.entries == [.rule(ByteString([1])), .end, .rule(ByteString([2]))])
        // Behind what ends every packet it is as if it were not there.
        let expressions = NftExpression.encoded(rule.expressions ?? [])
        #expect(NftChainListing([.end, .rule(ByteString(expressions))]).index(of: rule) == nil)
    }
}
