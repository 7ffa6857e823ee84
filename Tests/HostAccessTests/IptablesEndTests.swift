import HostModel
import Testing

@testable import HostAccess

/// Where a ruleset of iptables ends what nothing before it has decided.
@Suite struct IptablesEndTests {
    private let table = IptablesTable(.nft, "filter")
    private let incoming: [IptablesRule.Match] = [.input("br0")]

    private func end(
        _ lines: [String], _ matches: [IptablesRule.Match]? = nil, policy: String = "DROP"
    ) -> IptablesEnd? {
        IptablesListing(policies: ["FORWARD": policy, "a": "-", "b": "-"], lines: lines)
            .end(of: matches ?? incoming, in: "FORWARD")
    }

    @Test func thePolicyEndsWhatNoRuleDecides() {
        let policy = IptablesEnd(chain: "FORWARD", line: nil)
        #expect(end([]) == policy)
        #expect(policy.place == .last)
        #expect(end([], policy: "ACCEPT") == nil)
        #expect(end(["-A FORWARD -s 10.5.0.66/32 -j DROP", "-A FORWARD -i br1 -j DROP"]) == policy)
        #expect(end(["-A FORWARD -i br+ -j ACCEPT"]) == nil)
        #expect(end(["-A FORWARD ! -i eth0 -j ACCEPT"]) == nil)
        #expect(end(["-A FORWARD -j LOG", "-A FORWARD -m mark --mark 0x1 -j DROP", "-A FORWARD -i br0"]) == policy)
    }

    @Test(arguments: [
        "-A FORWARD -j DROP", "-A FORWARD -j REJECT --reject-with icmp-host-prohibited", "-A FORWARD -i br0 -j DROP",
        "-A FORWARD ! -i eth0 -j DROP", "-A FORWARD -m comment --comment \"the rest\" -j DROP",
        "-A FORWARD -m comment --comment rest -j DROP",
    ])
    func aRuleAgainstEverythingEndsIt(line: String) {
        let found = end(["-A FORWARD -d 10.0.0.0/8 -j REJECT", line, "-A FORWARD -j ACCEPT"], policy: "ACCEPT")
        #expect(found == IptablesEnd(chain: "FORWARD", line: line))
        #expect(found?.place == .before(line))
    }

    /// What stops only some of the packets is meant; it does not end the rest.
    @Test(arguments: [
        "-A FORWARD -i br0 -o eth0 -j DROP", "-A FORWARD -i br0 -p tcp -j DROP", "-A FORWARD ! -i br0 -j DROP",
        "-A FORWARD -m conntrack --ctstate NEW -j DROP", "-A FORWARD -m set --match-set x src -j DROP",
        "-A FORWARD -s 10.5.0.0/24 -j DROP", "-A FORWARD -d 0.0.0.0/1 -j DROP",
    ])
    func aRuleAgainstSomeDoesNot(line: String) {
        #expect(end([line], policy: "ACCEPT") == nil)
        #expect(end([line])?.line == nil)
    }

    @Test func narrowerPacketsMeetNarrowerRules() {
        let line = "-A FORWARD -i br0 -o eth0 -j DROP"
        #expect(end([line], [.input("br0"), .output("eth0")])?.line == line)
        let answers = "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j DROP"
        #expect(end([answers], [.output("br0"), .established])?.line == answers)
        let names = "-A FORWARD -i br0 -p udp -m udp --dport 53 -j DROP"
        #expect(end([names], [.input("br0"), .udpPort(53)])?.line == names)
        #expect(end([names], [.input("br0"), .udpPort(67)])?.line == nil)
        let inside = "-A FORWARD -s 10.0.0.0/8 -j DROP"
        let network = IPv4Prefix("10.5.0.0/16").unsafelyUnwrapped
        #expect(end([inside], [.source(network)])?.line == inside)
        #expect(end(["-A FORWARD ! -s 10.5.0.0/24 -j DROP"], [.source(network)])?.line == nil)
    }

    /// A chain that only logs and drops is used by deliberate drops, too: an accept in it would open all of them.
    @Test func aChainThatOnlyDropsIsEndedAtItsJump() {
        let drop = ["-A a -m limit --limit 3/min -j LOG", "-A a -j DROP"]
        let jump = "-A FORWARD -j a"
        #expect(
            end(["-A FORWARD -s 10.5.0.66/32 -j a", jump] + drop) == IptablesEnd(chain: "FORWARD", line: jump))
        #expect(end(["-A FORWARD -g a"] + drop) == IptablesEnd(chain: "FORWARD", line: "-A FORWARD -g a"))
    }

    @Test func aChainWithDecisionsOfItsOwnIsEndedInside() {
        let own = ["-A a -s 10.5.0.66/32 -j DROP", "-A a -j REJECT"]
        #expect(end(["-A FORWARD -j a"] + own) == IptablesEnd(chain: "a", line: "-A a -j REJECT"))
        // Of two users, one may rely on it.
        #expect(end(["-A FORWARD -j a", "-A INPUT -j a"] + own) == nil)
        #expect(end(["-A FORWARD -j a", "-A a -j RETURN", "-A a -j DROP"])?.line == nil)
        #expect(end(["-A FORWARD -g a", "-A a -j RETURN", "-A FORWARD -j ACCEPT"])?.chain == "FORWARD")
    }

    @Test func loopsAndNonsenseEnd() {
        #expect(end(["-A FORWARD -j a", "-A a -j b", "-A b -j a"]) == nil)
        #expect(end(["", "-A", "-A FORWARD", "-A FORWARD !", "-A FORWARD -j"])?.line == nil)
        let long = (0..<20_000).map { "-A FORWARD -s 10.5.\($0 / 256).\($0 % 256)/32 -j DROP" }
        #expect(end(long) == nil)
    }
}
