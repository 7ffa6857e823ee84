import PacketFilter

/// A ruleset written by hand for a meaning that random ones seldom or never reach, with packets for it.
struct DirectedCase {
    var name: String
    /// Commands of sh(1) before the rules are loaded, and afterwards.
    var setup = ""
    var undo = ""
    var bridgeNetfilter = false
    var tables: [GeneratedTable]
    /// As `verify --packet` reads them.
    var packets: [String]
    /// Nothing that the kernel tells of itself decides it: the model must say so.
    var isOpen = false

    var ruleset: GeneratedRuleset {
        GeneratedRuleset(
            tables: tables,
            variant: HostVariant(bridgeNetfilter: bridgeNetfilter, policyRouting: false, reversePathFilter: 0))
    }

    func testPackets() throws(PacketSyntaxError) -> [TestPacket] {
        var result: [TestPacket] = []
        for text in packets {
            let sample = try SamplePacket(text: text)
            let sender: TestPacket.Sender
            if let container = Ground.containers.firstIndex(where: { $0.port == sample.inputPort }) {
                let other = Ground.containers.firstIndex { $0.address == sample.destination.description }
                sender = .container(container, to: other)
            } else {
                sender = sample.inputInterface.flatMap(Ground.uplinks.firstIndex).map { .outside($0) } ?? .host
            }
            result.append(TestPacket(sender: sender, sample: sample))
        }
        return result
    }

    private static func chain(_ name: String, _ declaration: String, _ rules: [String]) -> GeneratedChain {
        GeneratedChain(
            name: name, hook: declaration.isEmpty ? nil : "forward",
            declaration: declaration.isEmpty ? "" : "type \(declaration);", rules: rules.map(rule))
    }

    private static func rule(_ text: String) -> GeneratedRule {
        let effect: GeneratedRule.Effect =
            text.contains("snat") || text.contains("masquerade") || text.contains("SNAT")
            ? .sourceTranslation
            : text.contains("drop") || text.contains("DROP") || text.contains("--queue-num") ? .drop : .pass
        let features = [
            ("socket ", "nft socket"), ("tproxy ", "nft tproxy"), ("TPROXY ", "TPROXY"), ("NFQUEUE ", "NFQUEUE"),
        ].filter { text.contains($0.0) }.map(\.1)
        return GeneratedRule(text: text, features: features, effect: effect)
    }

    private static func table(
        _ name: String, family: String = "ip", _ preamble: [String] = [], _ chains: GeneratedChain...
    ) -> GeneratedTable {
        GeneratedTable(backend: .nft, family: family, name: name, preamble: preamble, chains: chains)
    }

    private static func legacyNat(_ rules: String...) -> GeneratedTable {
        var table = IptablesGenerator.emptyTable("nat")
        for index in table.chains.indices where table.chains[index].name == "POSTROUTING" {
            table.chains[index].rules = rules.map(rule)
        }
        return table
    }

    private static func compatMangle(_ rules: String...) -> GeneratedTable {
        GeneratedTable(
            backend: .iptablesNft, family: "ip", name: "mangle",
            chains: [GeneratedChain(name: "PREROUTING", hook: "prerouting", rules: rules.map(rule))])
    }

    private static let outward = "udp 10.5.0.9:40000 > 198.51.100.7:53 iif lxcbr1 port vc1"
    private static let inward = "udp 198.51.100.7:53 > 10.5.0.9:40000 iif up0"
    private static let byUp1 = "udp 10.5.0.9:40000 > 198.51.100.200:53 iif lxcbr1 port vc1"
    private static let nat = "nat hook postrouting priority 100"

    static let all: [DirectedCase] = [
        DirectedCase(
            name: "of one table the later chain of a priority runs first",
            tables: [
                table("t0", [], chain("a", nat, ["snat to 203.0.113.77"]), chain("b", nat, ["snat to 203.0.113.7"]))
            ], packets: [outward]),
        DirectedCase(
            name: "and so it is with chains that filter",
            tables: [
                table(
                    "t0", [],
                    chain("a", "filter hook forward priority 7", ["meta mark set 0x1", "meta mark 0x2 drop"]),
                    chain("b", "filter hook forward priority 7", ["meta mark 0x1 drop", "meta mark set 0x2"]))
            ], packets: [outward]),
        DirectedCase(
            name: "of two tables no dump shows which runs first",
            tables: [
                table("t0", [], chain("a", nat, ["snat to 203.0.113.77"])),
                table("t1", [], chain("b", nat, ["snat to 203.0.113.7"])),
            ], packets: [outward], isOpen: true),
        DirectedCase(
            name: "nor of iptables-legacy and nftables",
            tables: [
                table("t0", [], chain("a", nat, ["snat to 203.0.113.77"])),
                legacyNat("-s 10.5.0.0/16 -j SNAT --to-source 203.0.113.7"),
            ], packets: [outward], isOpen: true),
        DirectedCase(
            name: "which does not matter where both say the same",
            tables: [
                table("t0", [], chain("a", nat, ["ip saddr 10.5.0.0/16 masquerade"])),
                table("t1", [], chain("b", nat, ["ip daddr 192.0.2.0/24 drop", "masquerade"])),
            ], packets: [outward]),
        DirectedCase(
            name: "a filter chain where nat stands",
            tables: [
                table(
                    "t0", [], chain("a", "filter hook prerouting priority -100", ["ip daddr 198.51.100.99 drop"]),
                    chain("b", "nat hook prerouting priority -100", ["ip daddr 198.51.100.7 dnat to 198.51.100.99"]))
            ], packets: [outward], isOpen: true),
        DirectedCase(
            name: "a dormant table does nothing",
            tables: [
                table("t0", ["flags dormant;"], chain("a", "filter hook forward priority 7", ["drop"])),
                table("t1", [], chain("b", nat, ["masquerade"])),
            ], packets: [outward]),
        DirectedCase(
            name: "a nat chain sees nothing where nothing is tracked",
            tables: [table("t0", [], chain("a", "nat hook postrouting priority 100; policy drop", ["drop"]))],
            packets: [outward]),
        DirectedCase(
            name: "and drops by its policy where anything is",
            tables: [
                table(
                    "t0", [],
                    chain(
                        "a", "nat hook postrouting priority 100; policy drop",
                        ["ip daddr 192.0.2.0/24 ct state new accept"])
                )
            ], packets: [outward, "udp 10.5.0.9:40000 > 192.0.2.50:53 iif lxcbr1 port vc1"]),
        DirectedCase(
            name: "ingress of the family inet",
            tables: [
                table(
                    "t0", family: "inet", [],
                    chain(
                        "a", "filter hook ingress device \"vc1\" priority 0",
                        ["ip daddr 198.51.100.7 drop", "iifname != \"vc1\" drop"]))
            ],
            packets: [outward, byUp1, "udp 10.5.0.10:40000 > 198.51.100.7:53 iif lxcbr1 port vc2"]),
        DirectedCase(
            name: "masquerading takes the address beside the gateway, of several",
            setup: "ip addr add 198.51.100.250/32 dev up1; ip addr add 192.0.2.20/24 dev up1",
            undo: "ip addr del 198.51.100.250/32 dev up1; ip addr del 192.0.2.20/24 dev up1; "
                + "ip neigh replace 192.0.2.20 lladdr \(Ground.mac("far1")) dev up1 nud permanent",
            tables: [table("t0", [], chain("a", nat, ["masquerade"]))], packets: [outward, byUp1]),
        DirectedCase(
            name: "and that of another link where its own has none",
            setup: "ip addr del 192.0.2.2/24 dev up1; ip route add 198.51.100.128/25 via 192.0.2.1 dev up1 onlink; "
                + "ip neigh replace 192.0.2.1 lladdr \(Ground.mac("far1")) dev up1 nud permanent",
            undo: "ip route del 198.51.100.128/25; ip addr add 192.0.2.2/24 dev up1; "
                + "ip route add 198.51.100.128/25 via 192.0.2.1; ip route replace default via 192.0.2.1 table 100; "
                + "for a in 1 20 50; do "
                + "ip neigh replace 192.0.2.$a lladdr \(Ground.mac("far1")) dev up1 nud permanent; done",
            tables: [table("t0", [], chain("a", nat, ["masquerade"]))], packets: [byUp1]),
        DirectedCase(
            name: "a packet that is sent to the host by a rule meets input",
            tables: [
                table(
                    "t0", [], chain("a", "nat hook prerouting priority -101", ["udp dport 53 dnat to 10.5.0.1"]),
                    chain("b", "filter hook input priority 5", ["ip daddr 10.5.0.1 udp dport 53 drop"]))
            ], packets: [outward, byUp1]),
        DirectedCase(
            name: "an accept ends its base chain, a later one still drops",
            tables: [
                table("t0", [], chain("a", "filter hook forward priority 1", ["accept"])),
                table(
                    "t1", family: "inet", [],
                    chain("b", "filter hook forward priority 2; policy drop", ["ct state established accept"])),
            ], packets: [outward, inward]),
        DirectedCase(
            name: "reject before routing",
            tables: [
                table(
                    "t0", family: "inet", [],
                    chain("a", "filter hook prerouting priority -150", ["ip daddr 198.51.100.7 reject"]))
            ], packets: [outward, byUp1]),
        DirectedCase(
            name: "what is not tracked is not translated",
            tables: [
                table(
                    "t0", [], chain("a", "filter hook prerouting priority -301", ["ip daddr 198.51.100.7 notrack"]),
                    chain("b", nat, ["masquerade"]))
            ], packets: [outward, byUp1]),
        DirectedCase(
            name: "what is given to a socket is not forwarded, and whether there is one is not known",
            tables: [
                table(
                    "t0", [],
                    chain("a", "filter hook prerouting priority -150", ["meta l4proto udp tproxy to :9999 accept"]))
            ], packets: [outward], isOpen: true),
        DirectedCase(
            name: "by iptables it is dropped where there is none",
            tables: [compatMangle("-p udp -j TPROXY --on-port 9999 --tproxy-mark 0x7/0x7")], packets: [outward]),
        DirectedCase(
            name: "what is queued for nobody is dropped", tables: [compatMangle("-p udp -j NFQUEUE --queue-num 3")],
            packets: [outward]),
        DirectedCase(
            name: "unless the rule says to go on then",
            tables: [compatMangle("-p udp -j NFQUEUE --queue-balance 3:5 --queue-bypass", "-p udp -j DROP")],
            packets: [outward]),
        DirectedCase(
            name: "a match for sockets",
            tables: [
                table("t0", [], chain("a", "filter hook prerouting priority -150", ["socket wildcard 1 counter drop"]))
            ], packets: ["udp 10.5.0.9:40000 > 10.5.0.1:53 iif lxcbr1 port vc1"], isOpen: true),
        DirectedCase(
            name: "elements with a time, of intervals and of several fields",
            tables: [
                table(
                    "t0",
                    [
                        "set s { type ipv4_addr . inet_service; flags interval, timeout; elements = { 10.5.0.0/24 . 50-60 timeout 1h }; }",
                        "map m { type ipv4_addr : verdict; flags interval; elements = { 198.51.100.0/25 : drop, 198.51.100.128-198.51.100.255 : accept }; }",
                    ],
                    chain("a", "filter hook forward priority 1", ["ip saddr . udp dport @s ip daddr vmap @m", "drop"]))
            ], packets: [outward, byUp1, "udp 10.5.0.9:40000 > 198.51.100.7:61 iif lxcbr1 port vc1"]),
    ]
}
