import HostAccess
import HostModel
import Probes
import Testing

@testable import Remedies

/// An accept among the rules of an operator lets through what the end of the chain stopped, and nothing that a rule
/// stops on purpose.
@Suite("An accept among rules of iptables") struct PlacementTests {
    private static let table = IptablesTable(.nft, "filter")

    private func plan(
        _ listing: IptablesListing, _ cause: String = "forward-policy-drop", allowed rule: String? = nil
    ) throws -> Plan {
        let host = OverlayHost(Fixture.healthy)
        host.state.rules[Self.table] = listing
        var facts = try Fixture.facts(host)
        for network in Fixture.chosen.profile.networks {
            facts.allowances[network.name] = Allowances(
                forwarding: rule.map {
                    Allowance(place: "ip filter FORWARD, rule 1", text: $0, listing: "iptables -S FORWARD")
                })
        }
        return Remedies.plan(
            for: [Fixture.cause(cause, remedy: "firewall-accept")], profile: Fixture.chosen, facts: facts)
    }

    private func after(
        _ listing: IptablesListing, _ cause: String = "forward-policy-drop", allowed rule: String? = nil
    ) throws -> IptablesListing {
        let made = try plan(listing, cause, allowed: rule)
        #expect(made.byHand.isEmpty, "\(made.byHand)")
        var now = listing
        for change in made.changes {
            guard case .addRule(let rule) = change.change else { continue }
            now.insert(rule)
        }
        return now
    }

    private func forward(_ lines: [String], policy: String = "DROP") -> IptablesListing {
        let own = ["OUT", "ADMIN", "LOGDROP"].filter { name in lines.contains { $0.hasPrefix("-A \(name) ") } }
        return IptablesListing(
            policies: ["INPUT": "ACCEPT", "FORWARD": policy].merging(own.map { ($0, "-") }) { $1 }, lines: lines)
    }

    private static let out = "-A FORWARD -i lxcbr1 -j ACCEPT"
    private static let back = "-A FORWARD -o lxcbr1 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"

    @Test("stands behind deliberate drops and right ahead of the end")
    func place() throws {
        let drops = ["-A FORWARD -s 10.5.0.66/32 -j DROP", "-A FORWARD -d 10.0.0.0/8 -j REJECT --reject-with x"]
        #expect(try after(forward(drops)).lines == drops + [Self.back, Self.out])
        let end = "-A FORWARD -j REJECT --reject-with icmp-host-prohibited"
        #expect(try after(forward(drops + [end], policy: "ACCEPT")).lines == drops + [Self.back, Self.out, end])
        // Only the answers are dropped.
        #expect(try after(forward(drops + [Self.out])).lines == drops + [Self.out, Self.back])
    }

    @Test("is as narrow as the rule that drops")
    func narrow() throws {
        let jump = "-A FORWARD -i lxcbr1 -o eth0 -j OUT"
        let chain = ["-A OUT -s 10.5.0.66/32 -j DROP", "-A OUT -p tcp -m tcp --dport 25 -j DROP", "-A OUT -j DROP"]
        let now = try after(forward([jump] + chain))
        let own = "-A OUT -i lxcbr1 -o eth0 -j ACCEPT"
        #expect(now.rules(of: "OUT") == chain.dropLast() + [own, "-A OUT -j DROP"])
    }

    @Test("is left to a person where what drops is not against everything")
    func meant() throws {
        let made = try plan(forward(["-A FORWARD -s 10.5.0.0/16 -p udp -j DROP"], policy: "ACCEPT"))
        #expect(made.changes.isEmpty)
        #expect(made.byHand.first?.why.contains("-A FORWARD -s 10.5.0.0/16 -p udp -j DROP") == true)
    }

    @Test("is left to a person where the rules let some out already, but for answers")
    func allowed() throws {
        let rule = "-A FORWARD -i lxcbr1 -p tcp -m tcp --dport 22 -j ACCEPT"
        for cause in ["forward-policy-drop", "ufw-forward-drop", "docker-forward-drop", "nft-other-table-drop"] {
            let made = try plan(forward([rule]), cause, allowed: rule)
            #expect(made.changes.isEmpty, "\(made.changes)")
            let left = try #require(made.byHand.first)
            #expect(left.why.contains("so that the rest may be dropped on purpose: ") && left.why.contains(rule))
            // The cause's own commands open everything.
            #expect(!left.what.contains { $0.hasPrefix("by-hand ") }, "\(left.what)")
        }
        #expect(try after(forward([rule]), "forward-return-missing", allowed: rule).lines == [rule, Self.back])
    }

    private func docker(_ own: [String]) throws -> (after: [String], byHand: [ByHand], unit: String) {
        let listing = IptablesListing(
            policies: ["FORWARD": "DROP", "DOCKER-USER": "-", "ADMIN": "-"],
            lines: ["-A FORWARD -j DOCKER-USER", "-A ADMIN -s 10.5.9.0/24 -j DROP"] + own)
        let made = try plan(listing, "docker-forward-drop")
        var now = listing
        var unit = ""
        for change in made.changes {
            if case .addRule(let rule) = change.change { now.insert(rule) }
            if case .file(_, nil, let content?) = change.change { unit = content.bytes.text }
        }
        return (now.rules(of: "DOCKER-USER"), made.byHand, unit)
    }

    @Test("stands in DOCKER-USER behind what the operator drops there")
    func operatorsChain() throws {
        let drops = [
            "-A DOCKER-USER -s 10.5.0.66/32 -j DROP", "-A DOCKER-USER -i lxcbr1 -p tcp -m tcp --dport 25 -j REJECT",
            "-A DOCKER-USER -j ADMIN", "-A DOCKER-USER -s 10.5.3.0/24 -j RETURN",
        ]
        let own = ["-o lxcbr1 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "-i lxcbr1 -j ACCEPT"].map {
            "-A DOCKER-USER " + $0
        }
        let back = "-A DOCKER-USER -j RETURN"
        let ended = try docker(drops + [back])
        #expect(ended.after == drops + own + [back])
        #expect(ended.unit.contains("grep -nxF -m 1 -e \"-A DOCKER-USER -j RETURN\""), "\(ended.unit)")
        // Docker 28 ends it with nothing.
        #expect(try docker(drops).after == drops + own)
        // What shuts the network off altogether is what the repair is about.
        let shut = "-A DOCKER-USER -i lxcbr1 -j DROP"
        let opened = try docker(drops + [shut, back])
        #expect(opened.after == drops + [own[1], shut, own[0], back])
        #expect(opened.unit.contains("-e \"\(shut)\" -e \"\(back)\""), "\(opened.unit)")
        // What drops all UDP may be meant.
        let meant = try docker(["-A DOCKER-USER -i lxcbr1 -p udp -j DROP", back])
        #expect(meant.after.count == 2 && meant.byHand.first?.why.contains("-p udp -j DROP") == true)
    }

    @Test("opens DHCP and DNS right ahead of what drops each of them")
    func requests() throws {
        let udp = "-A INPUT -i lxcbr1 -p udp -j DROP"
        let host = "-A INPUT -s 10.5.0.66/32 -j DROP"
        let listing = IptablesListing(policies: ["INPUT": "DROP", "FORWARD": "ACCEPT"], lines: [host, udp])
        #expect(
            try after(listing, "input-drops-dhcp-dns").lines == [
                host, "-A INPUT -i lxcbr1 -p udp -m udp --dport 67 -j ACCEPT",
                "-A INPUT -i lxcbr1 -p udp -m udp --dport 53 -j ACCEPT", udp,
                "-A INPUT -i lxcbr1 -p tcp -m tcp --dport 53 -j ACCEPT",
            ])
    }

    /// Rules that people write, in any order.
    private static let pieces = [
        "-s 10.5.0.66/32 -j DROP", "-d 10.0.0.0/8 -j REJECT --reject-with icmp-port-unreachable",
        "-p tcp -m tcp --dport 25 -j DROP", "-i docker0 -j ACCEPT", "-s 10.5.1.0/24 -o wg0 -j ACCEPT", "-j LOG",
        "-i lxcbr1 -p udp -m udp --dport 53 -j ACCEPT", "-i eth0 -j LOGDROP", "-s 10.5.2.0/24 -j LOGDROP",
        "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "-m conntrack --ctstate INVALID -j DROP", "-j ADMIN",
        "-i lxcbr1 -d 192.0.2.0/24 -j DROP", "-j LOGDROP", "-j DROP", "-j REJECT", "-i lxcbr1 -o eth0 -j OUT",
    ]
    private static let chains = [
        "-A LOGDROP -m limit --limit 3/min -j LOG", "-A LOGDROP -j DROP", "-A ADMIN -s 10.5.3.0/24 -j DROP",
        "-A ADMIN -d 198.51.100.9/32 -j LOGDROP", "-A OUT -p udp -m udp --dport 123 -j DROP", "-A OUT -j REJECT",
    ]

    /// Every packet that the plan lets through, of those that were dropped: what dropped it must be the policy, or a rule
    /// that looks at nothing but where packets of the bridge go.
    @Test("lets nothing through that a rule drops on purpose, whatever the rules")
    func nothingElse() throws {
        let opened = try (0..<400).count { try opens(seed: $0) }
        #expect(opened > 100, "\(opened)")
    }

    /// Whether the plan for some random rules lets anything through.
    private func opens(seed: Int) throws -> Bool {
        var random = Seeded(state: UInt64(seed) &* 2_654_435_761 &+ 1)
        var opens = false
        let own = (0..<Int.random(in: 0...7, using: &random)).map { _ in
            "-A FORWARD " + (Self.pieces.randomElement(using: &random) ?? "")
        }
        let listing = forward(own + Self.chains, policy: Bool.random(using: &random) ? "DROP" : "ACCEPT")
        let made = try plan(listing)
        var now = listing
        for change in made.changes {
            if case .addRule(let rule) = change.change { now.insert(rule) }
        }
        let general: Set<String> = [
            "policy of FORWARD", "-A LOGDROP -j DROP", "-A FORWARD -j DROP", "-A FORWARD -j REJECT", "-A OUT -j REJECT",
        ]
        for packet in Self.packets {
            let (before, then) = (listing.fate(of: packet, in: "FORWARD"), now.fate(of: packet, in: "FORWARD"))
            guard then != before else { continue }
            guard case .dropped(let rule) = before, then == .accepted else {
                Issue.record("\(packet): \(before) became \(then) in \(own)")
                continue
            }
            opens = true
            #expect(general.contains(rule) && packet.input == "lxcbr1", "\(packet): \(rule) in \(own)")
            // A chain that logs and drops is an end only where everything goes to it.
            if rule == "-A LOGDROP -j DROP" { #expect(!Self.isMeant(packet, own), "\(packet) in \(own)") }
        }
        return opens
    }

    /// Whether one of the rules that send only some packets to the dropping chain is about this one.
    private static func isMeant(_ packet: NewPacket, _ own: [String]) -> Bool {
        let source = packet.source.description
        return own.contains("-A FORWARD -s 10.5.2.0/24 -j LOGDROP") && source.hasPrefix("10.5.2.")
            && own.firstIndex(of: "-A FORWARD -s 10.5.2.0/24 -j LOGDROP") ?? 0
                < own.firstIndex(of: "-A FORWARD -j LOGDROP") ?? .max
            || own.contains("-A FORWARD -j ADMIN") && packet.destination.description == "198.51.100.9"
                && own.firstIndex(of: "-A FORWARD -j ADMIN") ?? 0 < own.firstIndex(of: "-A FORWARD -j LOGDROP") ?? .max
    }

    private static let packets: [NewPacket] = ["10.5.0.2", "10.5.0.66", "10.5.1.9", "10.5.2.9", "10.5.3.9"].flatMap {
        source in
        ["198.51.100.7", "198.51.100.9", "10.9.9.9", "192.0.2.4"].flatMap { destination in
            [("lxcbr1", "eth0"), ("lxcbr1", "wg0"), ("docker0", "eth0"), ("eth0", "lxcbr1"), ("eth1", "eth0")].flatMap {
                ways in
                [(NewPacket.Transport.udp, 53), (.udp, 123), (.tcp, 25), (.tcp, 443), (.icmp, 0)].map {
                    NewPacket(
                        input: ways.0, output: ways.1,
                        source: IPv4Address(source) ?? IPv4Address(value: 0),
                        destination: IPv4Address(destination) ?? IPv4Address(value: 0), transport: $0, port: $1)
                }
            }
        }
    }
}

/// The same numbers in every run (SplitMix64).
private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
