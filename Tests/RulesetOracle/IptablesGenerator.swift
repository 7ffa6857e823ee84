/// Writes random tables of iptables, for either backend.
struct IptablesGenerator {
    var random: SeededGenerator
    let backend: GeneratedTable.Backend
    let spice: Spice

    private struct Place {
        var table: String
        var chain: String
        var sees: (input: Bool, output: Bool) {
            switch chain {
            case "PREROUTING", "INPUT": (true, false)
            case "FORWARD": (true, true)
            default: (false, true)
            }
        }
    }

    private static let hooks = [
        "raw": ["PREROUTING", "OUTPUT"],
        "mangle": ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"],
        "nat": ["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"],
        "filter": ["INPUT", "FORWARD", "OUTPUT"],
        "security": ["INPUT", "FORWARD", "OUTPUT"],
    ]

    /// Every match and target that it may draw.
    static let everything: Set<String> = [
        "address", "interface", "tcp", "udp", "icmp", "multiport", "conntrack", "state", "addrtype", "mark", "connmark",
        "comment", "iprange", "set", "physdev", "policy", "rpfilter", "limit", "statistic", "quota", "time", "owner",
        "u32", "jump", "goto", "ACCEPT", "DROP", "RETURN", "TCPMSS", "CHECKSUM", "CT", "NOTRACK", "MARK", "CONNMARK",
        "SET", "MASQUERADE", "SNAT", "DNAT", "NETMAP", "REDIRECT", "REJECT", "LOG", "TRACE", "pkttype", "ctfields",
        "fragment",
        "sparse mask", "TTL", "DSCP", "CLASSIFY", "TOS", "NFLOG", "length", "ttl", "tos", "dscp", "hashlimit",
        "NFQUEUE", "TPROXY",
    ]

    /// A table without rules, of iptables-legacy.
    static func emptyTable(_ name: String) -> GeneratedTable {
        GeneratedTable(
            backend: .iptablesLegacy, family: "ip", name: name,
            chains: (hooks[name] ?? []).map { GeneratedChain(name: $0, hook: $0.lowercased()) })
    }

    mutating func table(_ name: String) -> GeneratedTable {
        var chains: [GeneratedChain] = []
        var users: [GeneratedChain] = []
        for hook in Self.hooks[name] ?? [] {
            var chain = GeneratedChain(
                name: hook, hook: hook.lowercased(), policyDrops: name == "filter" && random.chance(6),
                isNAT: name == "nat")
            let place = Place(table: name, chain: hook)
            // Chains that this one jumps to; each may jump to those behind it, so there is no loop.
            let count = ["FORWARD", "POSTROUTING", "PREROUTING"].contains(hook) ? random.below(3) : 0
            let names = (0..<count).map { "\(hook.prefix(4))-\(name)-\($0)" }
            for (index, userName) in names.enumerated() {
                users.append(
                    GeneratedChain(
                        name: userName, isNAT: name == "nat",
                        rules: (0..<1 + random.below(4)).map { _ in rule(place, Array(names[(index + 1)...])) }))
            }
            let busy = ["FORWARD", "POSTROUTING", "PREROUTING"].contains(hook)
            let length = busy ? 1 + random.below(6) : random.below(3)
            chain.rules = (0..<length).map { _ in rule(place, names) }
            if name == "nat", hook == "POSTROUTING", random.chance(70) { chain.rules.append(masquerade()) }
            chains.append(chain)
        }
        return GeneratedTable(backend: backend, family: "ip", name: name, chains: chains + users)
    }

    /// What a container host has.
    private mutating func masquerade() -> GeneratedRule {
        let text = random.pick([
            "-s 10.5.0.0/16 ! -d 10.5.0.0/16 -j MASQUERADE", "-s 10.5.0.0/16 -o up+ -j MASQUERADE",
            "-o up0 -j MASQUERADE", "-s 10.5.0.0/24 -j SNAT --to-source 203.0.113.2",
        ])
        return GeneratedRule(
            text: text, features: ["address", text.contains("SNAT") ? "SNAT" : "MASQUERADE"],
            effect: .sourceTranslation)
    }

    private mutating func rule(_ place: Place, _ users: [String]) -> GeneratedRule {
        var words: [String] = []
        var features: [String] = []
        var isRandom = false
        var transport: String?
        if random.chance(45) {
            transport = random.weighted([(35, "udp"), (35, "tcp"), (25, "icmp"), (5, "47")])
            words.append("-p \(transport ?? "")")
        }
        if random.chance(30) {
            words.append(address("-s", Ground.containers.map(\.address) + Ground.prefixes))
            features.append("address")
        } else if random.chance(4) {
            words.append("\(random.chance(30) ? "! " : "")-s 10.5.0.9/255.255.0.255")
            features.append("sparse mask")
        }
        if random.chance(25) {
            words.append(address("-d", Ground.outside + Ground.prefixes))
            features.append("address")
        }
        if random.chance(spice.hasConntrack ? 3 : 25) {
            words.append(random.pick(["-f", "! -f"]))
            features.append("fragment")
        }
        if random.chance(20) {
            let option = place.sees.input && (!place.sees.output || random.chance(50)) ? "-i" : "-o"
            let name = random.pick(["lxcbr1", "up0", "up1", "up+", "lxcbr+", "vc1"])
            words.append("\(random.chance(15) ? "! " : "")\(option) \(name)")
            features.append("interface")
        }
        let (text, feature, effect, needed) = target(place, users, transport)
        for _ in 0..<random.weighted([(35, 0), (50, 1), (15, 2)]) {
            guard let (text, name) = match(place, transport), needed.isEmpty || name != "tcp", !features.contains(name)
            else { continue }
            words.append(text)
            features.append(name)
            if ["limit", "statistic", "quota", "time", "hashlimit"].contains(name) { isRandom = true }
        }
        words += needed + [text]
        features.append(feature)
        return GeneratedRule(
            text: words.joined(separator: " "), features: features, effect: effect, isRandom: isRandom)
    }

    private mutating func address(_ option: String, _ pool: [String]) -> String {
        "\(random.chance(12) ? "! " : "")\(option) \(random.pick(pool))"
    }

    private mutating func ports() -> String {
        random.chance(70) ? "\(random.pick(Ground.ports))" : random.pick(["1:100", "50:500", "1024:65535", ":443"])
    }

    private mutating func match(_ place: Place, _ transport: String?) -> (String, String)? {
        let not = random.chance(15) ? "! " : ""
        var choices: [(Int, String)] = [
            (10, "conntrack"), (6, "state"), (7, "addrtype"), (7, "mark"), (5, "connmark"), (4, "comment"),
            (6, "iprange"), (5, "policy"), (5, "u32"), (6, "physdev"), (9, "set"), (4, "pkttype"), (8, "ctfields"),
            (3, "length"),
            (3, "ttl"), (2, "tos"), (2, "dscp"),
        ]
        if spice.hasChance {
            choices += [(7, "limit"), (7, "statistic"), (7, "quota"), (7, "time"), (5, "hashlimit")]
        }
        if ["tcp", "udp"].contains(transport) { choices += [(40, transport ?? ""), (25, "multiport")] }
        if transport == "icmp" { choices.append((60, "icmp")) }
        if ["raw", "mangle"].contains(place.table), place.chain == "PREROUTING" { choices.append((14, "rpfilter")) }
        if ["OUTPUT", "POSTROUTING"].contains(place.chain) { choices.append((5, "owner")) }
        if !spice.hasConntrack {
            choices.removeAll { ["conntrack", "state", "connmark", "ctfields"].contains($0.1) }
        }
        let kind = random.weighted(choices)
        let text: String
        switch kind {
        case "tcp":
            text = random.weighted([
                (60, "-m tcp \(not)--dport \(ports())"),
                (20, "-m tcp \(not)--sport \(random.pick(Ground.sourcePorts))"),
                (
                    20,
                    "-m tcp \(not)--tcp-flags \(random.pick(["SYN,RST SYN", "FIN,SYN,RST,ACK SYN", "SYN,FIN SYN,FIN"]))"
                ),
            ])
        case "udp":
            text = random.weighted([
                (70, "-m udp \(not)--dport \(ports())"),
                (30, "-m udp \(not)--sport \(random.pick(Ground.sourcePorts))"),
            ])
        case "icmp": text = "-m icmp \(not)--icmp-type \(random.pick(["8", "8/0", "any", "0", "3/1"]))"
        case "multiport":
            text =
                "-m multiport \(not)\(random.pick(["--dports", "--ports", "--sports"])) "
                + random.pick(["53,80,443", "1:100,7777", "30000:40000,5353", "67"])
        case "conntrack":
            text = random.weighted([
                (
                    80,
                    "-m conntrack \(not)--ctstate \(random.pick(["NEW", "RELATED,ESTABLISHED", "INVALID", "NEW,UNTRACKED", "ESTABLISHED", "DNAT", "SNAT"]))"
                ),
                (10, "-m conntrack --ctdir \(random.pick(["ORIGINAL", "REPLY"]))"),
                (10, "-m conntrack --ctproto \(random.pick(["udp", "tcp"]))"),
            ])
        case "state":
            text = "-m state \(not)--state \(random.pick(["NEW", "RELATED,ESTABLISHED", "INVALID", "UNTRACKED"]))"
        case "addrtype":
            // Only where the hook has that link.
            let limits =
                random.chance(80)
                ? "" : place.sees.input ? " --limit-iface-in" : place.sees.output ? " --limit-iface-out" : ""
            text =
                "-m addrtype \(not)\(random.pick(["--dst-type", "--src-type"])) "
                + random.pick(["LOCAL", "UNICAST", "LOCAL,BROADCAST", "MULTICAST", "BLACKHOLE"])
                + limits
        case "mark": text = "-m mark \(not)--mark \(random.pick(["0x7", "0x0", "0x1/0x1", "0x10/0xff"]))"
        case "connmark": text = "-m connmark \(not)--mark \(random.pick(["0x7", "0x0", "0x2/0x3"]))"
        case "pkttype": text = "-m pkttype \(not)--pkt-type \(random.pick(["unicast", "broadcast"]))"
        case "ctfields":
            text =
                "-m conntrack \(not)"
                + random.pick(
                    [
                        "--ctorigsrc 10.5.0.0/24", "--ctorigdst 198.51.100.0/24", "--ctreplsrc 198.51.100.7",
                        "--ctrepldst 10.5.0.0/16", "--ctstatus CONFIRMED", "--ctstatus SEEN_REPLY", "--ctstatus NONE",
                        "--ctstatus EXPECTED",
                    ]
                        // Of ICMP these compare an identifier, which no packet's notation tells.
                        + (["tcp", "udp"].contains(transport)
                            ? ["--ctorigdstport 53", "--ctorigsrcport 40000", "--ctreplsrcport 80"] : []))
        case "comment": text = "-m comment --comment \"\(random.pick(["a rule", "kube", "generated by ufw"]))\""
        case "iprange":
            text =
                "-m iprange \(not)"
                + random.pick([
                    "--src-range 10.5.0.5-10.5.0.9", "--dst-range 198.51.100.1-198.51.100.100",
                    "--src-range 10.5.0.10-10.5.1.255", "--dst-range 192.0.2.1-203.0.113.60",
                ])
        case "set":
            text =
                "-m set \(not)"
                + random.pick(
                    [
                        "--match-set hosts src", "--match-set hosts dst", "--match-set nets src",
                        "--match-set nets dst",
                        "--match-set services dst,dst", "--match-set holes dst", "--match-set wide src",
                        "--match-set flows src,dst,dst", "--match-set range dst", "--match-set ports dst",
                        "--match-set ports src", "--match-set both src",
                    ] + (place.sees.input ? ["--match-set links src,src"] : ["--match-set links dst,dst"]))
        case "policy":
            text = "-m policy --dir \(place.sees.input ? "in" : "out") --pol \(random.pick(["none", "none", "ipsec"]))"
        case "length": text = "-m length \(not)--length \(random.pick(["0:40", "34", "35:1500"]))"
        case "ttl":
            text =
                "-m ttl "
                + (random.chance(50)
                    ? "\(not)--ttl-eq \(random.pick([63, 64]))" : random.pick(["--ttl-lt 64", "--ttl-gt 60"]))
        case "tos": text = "-m tos \(not)--tos \(random.pick(["0x00/0xff", "0x10/0x3f", "0x20/0xe0"]))"
        case "dscp": text = "-m dscp \(not)--dscp \(random.pick(["0x00", "0x08"]))"
        case "hashlimit":
            text =
                "-m hashlimit --hashlimit-upto 2/sec --hashlimit-burst 1 --hashlimit-mode srcip --hashlimit-name h"
        case "limit": text = "-m limit --limit 2/second --limit-burst 1"
        case "quota": text = "-m quota \(not)--quota 60"
        case "time":
            let hours = "--timestart \(TimeOfDay.hours.from) --timestop \(TimeOfDay.hours.to)"
            text = "-m time \(random.pick([hours, "--weekdays Sa,Su"]))"
        case "statistic":
            text = random.pick([
                "-m statistic --mode random --probability 0.5", "-m statistic --mode nth --every 2 --packet 0",
            ])
        case "u32":
            text =
                "-m u32 --u32 \""
                + random.pick([
                    "6&0xFF=17", "6&0xFF=6:17", "12&0xFFFFFF00=0x0A050000", "0>>22&0x3C@0&0xFFFF=53",
                    "16=0xC6336407",
                ]) + "\""
        case "physdev":
            let options =
                place.sees.output && place.chain != "OUTPUT"
                ? ["--physdev-is-bridged", "--physdev-in vc1", "--physdev-is-in"]
                : place.chain == "OUTPUT"
                    ? ["--physdev-is-in"] : ["--physdev-in vc1", "--physdev-is-in", "--physdev-in vc+"]
            text = "-m physdev \(not)\(random.pick(options))"
        case "rpfilter":
            text = "-m rpfilter \(random.pick(["", "--loose", "--validmark"])) \(random.chance(50) ? "--invert" : "")"
        case "owner":
            text =
                "-m owner \(not)\(random.pick(["--uid-owner 0", "--uid-owner 1000", "--gid-owner 0", "--socket-exists"]))"
        default: return nil
        }
        return (text, kind)
    }

    /// The words, the name, what it does, and matches that it needs.
    private mutating func target(
        _ place: Place, _ users: [String], _ transport: String?
    ) -> (String, String, GeneratedRule.Effect, [String]) {
        let hasPorts = ["tcp", "udp"].contains(transport)
        var choices: [(Int, String)] = [(12, "ACCEPT"), (4, "RETURN"), (4, "LOG"), (1, "NFLOG")]
        if place.table != "nat" { choices.append((1, "NFQUEUE")) }
        if spice.hasUnsaid, place.table == "mangle", place.chain == "PREROUTING", hasPorts {
            choices.append((50, "TPROXY"))
        }
        if !users.isEmpty { choices += [(25, "jump"), (8, "goto")] }
        switch place.table {
        case "filter":
            choices += [(7, "DROP"), (6, "REJECT")]
        case "security": choices += [(10, "DROP")]
        case "raw":
            choices += [(8, "CT"), (6, "TRACE"), (3, "DROP"), (3, "NOTRACK")]
        case "mangle":
            choices += [
                (14, "MARK"), (10, "CONNMARK"), (3, "DROP"), (6, "SET"), (3, "TTL"), (3, "DSCP"), (3, "CLASSIFY"),
                (2, "TOS"),
            ]
            if place.chain == "PREROUTING" || place.chain == "INPUT" { choices.removeAll { $0.1 == "CLASSIFY" } }
            if transport == "udp" { choices.append((16, "CHECKSUM")) }
            if transport == "tcp", ["FORWARD", "OUTPUT", "POSTROUTING"].contains(place.chain) {
                choices.append((16, "TCPMSS"))
            }
        default:
            switch place.chain {
            case "POSTROUTING": choices += [(18, "MASQUERADE"), (12, "SNAT"), (7, "NETMAP")]
            case "PREROUTING", "OUTPUT": choices += [(7, "DNAT"), (4, "REDIRECT"), (3, "NETMAP")]
            default: break
            }
        }
        if !spice.hasConntrack { choices.removeAll { ["CT", "CONNMARK", "NOTRACK"].contains($0.1) } }
        let kind = random.weighted(choices)
        switch kind {
        case "ACCEPT": return ("-j ACCEPT", kind, .accept, [])
        case "DROP": return ("-j DROP", kind, .drop, [])
        case "RETURN": return ("-j RETURN", kind, .leave, [])
        case "jump": return ("-j \(random.pick(users))", kind, .jump, [])
        case "goto": return ("-g \(random.pick(users))", kind, .jump, [])
        case "LOG": return ("-j LOG --log-prefix \"x \"", kind, .pass, [])
        case "TRACE": return ("-j TRACE", kind, .pass, [])
        case "REJECT":
            var ways = ["icmp-port-unreachable", "icmp-admin-prohibited"]
            if transport == "tcp" { ways.append("tcp-reset") }
            return ("-j REJECT --reject-with \(random.pick(ways))", kind, .drop, [])
        case "TTL":
            return (
                "-j TTL \(random.pick(["--ttl-set 33", "--ttl-set 1", "--ttl-inc 1", "--ttl-dec 2"]))", kind, .pass, []
            )
        case "TOS": return ("-j TOS --set-tos \(random.pick(["0x10", "0x20/0xe0"]))", kind, .pass, [])
        case "NFLOG": return ("-j NFLOG --nflog-group 7", kind, .pass, [])
        case "TPROXY": return ("-j TPROXY --on-port 9999 --tproxy-mark 0x7/0x7", kind, .pass, [])
        case "NFQUEUE":
            // Nobody reads the queues of the oracle.
            return random.chance(50)
                ? ("-j NFQUEUE --queue-num 3", kind, .drop, [])
                : ("-j NFQUEUE --queue-balance 3:5 --queue-bypass", kind, .accept, [])
        case "DSCP": return ("-j DSCP --set-dscp 0x08", kind, .pass, [])
        case "CLASSIFY": return ("-j CLASSIFY --set-class 1:2", kind, .pass, [])
        case "CT":
            return ("-j CT \(random.pick(["--notrack", "--notrack", "--ctevents new", " --zone 5"]))", kind, .pass, [])
        case "NOTRACK": return ("-j NOTRACK", kind, .pass, [])
        case "MARK":
            return (
                "-j MARK \(random.pick(["--set-mark 0x7", "--set-xmark 0x1/0x1", "--or-mark 0x10", "--and-mark 0x6", "--xor-mark 0x7"]))",
                kind, .pass, []
            )
        case "CONNMARK":
            return (
                "-j CONNMARK \(random.pick(["--set-mark 0x7", "--save-mark", "--restore-mark", "--set-xmark 0x2/0x3", "--save-mark --nfmask 0x3 --ctmask 0xff", "--restore-mark --nfmask 0xff --ctmask 0x5"]))",
                kind, .pass, []
            )
        // No rule looks into this set: what it holds is nobody's question.
        case "SET": return ("-j SET --add-set seen src", kind, .pass, [])
        case "CHECKSUM": return ("-j CHECKSUM --checksum-fill", kind, .pass, [])
        case "TCPMSS": return ("-j TCPMSS --set-mss 1200", kind, .pass, ["-m tcp --tcp-flags SYN,RST SYN"])
        case "MASQUERADE":
            return (
                "-j MASQUERADE\(hasPorts && random.chance(20) ? " --to-ports 1024-60000" : "")", kind,
                .sourceTranslation, []
            )
        case "SNAT":
            return (
                "-j SNAT --to-source \(random.pick(["203.0.113.2", "203.0.113.77", "192.0.2.2", "100.64.9.9", "203.0.113.2-203.0.113.7"]))",
                kind, .sourceTranslation, []
            )
        case "NETMAP":
            return place.chain == "POSTROUTING"
                ? ("-j NETMAP --to 203.0.113.0/24", kind, .sourceTranslation, [])
                : ("-j NETMAP --to 198.51.100.0/24", kind, .destinationTranslation, [])
        case "DNAT":
            let port = hasPorts && random.chance(40) ? ":80" : ""
            return (
                "-j DNAT --to-destination \(random.pick(["198.51.100.99", "198.51.100.200", "10.5.0.10", "203.0.113.50"]))\(port)",
                kind, .destinationTranslation, []
            )
        case "REDIRECT":
            return ("-j REDIRECT\(hasPorts ? " --to-ports 80" : "")", kind, .destinationTranslation, [])
        default: return ("-j ACCEPT", "ACCEPT", .accept, [])
        }
    }
}
