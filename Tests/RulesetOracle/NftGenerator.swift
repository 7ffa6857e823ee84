/// Writes random tables of nftables: families ip, inet and bridge, sets of every kind, maps, verdict maps, jumps.
struct NftGenerator {
    var random: SeededGenerator
    let spice: Spice
    var sets = 0

    init(random: SeededGenerator, spice: Spice) {
        self.random = random
        self.spice = spice
    }

    /// Every match and statement that it may draw.
    static let everything = Set(
        [
            "set", "interval set", "bridge ip", "bridge l4proto", "bridge iifname", "saddr", "daddr", "l4proto",
            "dport",
            "sport", "port set", "concatenation", "icmp", "tcp flags", "ct state", "ct status", "ct direction", "mark",
            "ct mark", "fib type", "fib saddr", "pkttype", "dscp", "ip protocol", "frag", "nfproto", "limit", "numgen",
            "quota", "dynamic set", "time", "ttl", "length", "iifname", "iif", "oifname", "oif", "skuid", "counter",
            "accept", "drop", "return", "log", "jump", "goto", "vmap", "verdict map", "mark map", "masquerade", "snat",
            "snat map", "dnat", "dnat map", "redirect", "reject", "notrack", "flow add", "ct tuple", "iifkind",
            "raw bytes",
            "masked address", "wildcard set", "catch-all", "mark set", "interface concatenation", "fib oif", "fib mark",
            "icmp code", "ip version", "protocol", "ipsec", "ttl set", "dscp set", "daddr set", "port set by rule",
            "zone", "snat range", "snat prefix", "dnat port", "dnat map port", "named counter", "ladder", "jhash",
            "numgen map", "snat port", "bridge ports", "bridge saddr", "ingress ip", "ingress iifname", "egress",
            "timeout set", "fib iif type", "socket", "tproxy",
        ].map { "nft " + $0 })

    struct Place {
        var type: String
        var hook: String
        var family: String
        var isEarly: Bool
    }

    /// Preambles of the table that is being written.
    var preamble: [String] = []

    /// A table; `number` keeps the priorities of several apart, for chains of equal priority run in no known order.
    mutating func table(_ number: Int) -> GeneratedTable {
        preamble = []
        sets = 0
        let family = random.weighted([(43, "ip"), (37, "inet"), (14, "bridge"), (6, "netdev")])
        var bases: [(Place, Int)] = []
        if family == "bridge" {
            let hook = random.weighted([
                (40, "forward"), (30, "prerouting"), (15, "input"), (8, "output"), (7, "postrouting"),
            ])
            bases = [(Place(type: "filter", hook: hook, family: family, isEarly: false), 5 + number)]
        } else if family == "netdev" {
            let hook = random.weighted([(70, "ingress"), (30, "egress")])
            bases = [(Place(type: "filter", hook: hook, family: family, isEarly: false), 5 + number)]
        } else {
            let offset = 1 + number
            // Wherever in a hook a chain stands, between those of iptables too.
            func near(_ priorities: [Int]) -> Int { random.pick(priorities) + offset }
            func add(_ percent: Int, _ type: String, _ hook: String, _ priorities: [Int], isEarly: Bool = false) {
                guard random.chance(percent), type != "nat" || spice.hasConntrack else { return }
                bases.append((Place(type: type, hook: hook, family: family, isEarly: isEarly), near(priorities)))
            }
            add(25, "filter", "prerouting", [-320, -298, -250], isEarly: true)
            add(30, "filter", "prerouting", [-190, -145, -95, 10])
            // All chains that translate stand at one place, in the order of their priorities.
            add(30, "nat", "prerouting", [-110, -95, -190, 20])
            add(20, "filter", "input", [-140, 3, 110])
            add(10, "nat", "input", [104])
            add(65, "filter", "forward", [-145, -5, 3, 60])
            add(20, "filter", "output", [-310, -140, 3])
            add(10, "route", "output", [-145, 5])
            add(12, "nat", "output", [-110])
            add(15, "filter", "postrouting", [-145, 60, 150, 300])
            add(bases.isEmpty ? 100 : 70, "nat", "postrouting", [103, 80, -20, 250])
            if bases.isEmpty { add(100, "filter", "forward", [3]) }
        }
        var chains: [GeneratedChain] = []
        var users: [GeneratedChain] = []
        for (index, (place, priority)) in bases.enumerated() {
            var names = (0..<random.below(3)).map { "u\(index)_\($0)" }
            if !["bridge", "netdev"].contains(family), random.chance(5) {
                names = []
                users += ladder(place, index)
            }
            for (position, name) in names.enumerated() {
                users.append(
                    GeneratedChain(
                        name: name, isNAT: place.type == "nat",
                        rules: (0..<1 + random.below(4)).map { _ in rule(place, Array(names[(position + 1)...])) }))
            }
            let drops = place.type == "filter" && place.hook != "output" && random.chance(6)
            let devices = family == "netdev" ? devices(place.hook) : ""
            var chain = GeneratedChain(
                name: "\(place.hook)_\(index)", hook: place.hook,
                declaration:
                    "type \(place.type) hook \(place.hook)\(devices) priority \(priority); policy \(drops ? "drop" : "accept");",
                policyDrops: drops, isNAT: place.type == "nat")
            chain.rules = (0..<1 + random.below(6)).map { _ in rule(place, names) }
            if users.contains(where: { $0.name == "l\(index)_0" }) {
                chain.rules.insert(
                    GeneratedRule(text: "jump l\(index)_0", features: ["nft jump", "nft ladder"], effect: .jump), at: 0)
            }
            if place.type == "nat", place.hook == "postrouting", random.chance(65) {
                chain.rules.append(masquerade(place))
            }
            if drops, place.hook == "forward", random.chance(60) {
                chain.rules.append(
                    GeneratedRule(text: "iifname \"lxcbr1\" counter accept", features: ["nft iifname"], effect: .accept)
                )
            }
            chains.append(chain)
        }
        return GeneratedTable(
            backend: .nft, family: family, name: "t\(number)", preamble: preamble, chains: chains + users)
    }

    /// At ports, uplinks and the bridge; at egress not at ports, for by which of them a packet leaves is not known.
    private mutating func devices(_ hook: String) -> String {
        let names = hook == "egress" ? ["up0", "up1", "lxcbr1"] : ["vc1", "vc2", "vc3", "up0", "lxcbr1"]
        let first = random.pick(names)
        let second = random.pick(names)
        return " devices = { \(first == second ? first : "\(first), \(second)") }"
    }

    /// Chains that jump down as deep as the kernel lets them, and come back up.
    private mutating func ladder(_ place: Place, _ index: Int) -> [GeneratedChain] {
        let depth = 10 + random.below(5)
        return (0..<depth).map { step in
            var rules = [rule(place, [])]
            if step + 1 < depth {
                let verb = random.chance(85) ? "jump" : "goto"
                rules.append(
                    GeneratedRule(text: "\(verb) l\(index)_\(step + 1)", features: ["nft ladder"], effect: .jump))
            }
            return GeneratedChain(name: "l\(index)_\(step)", isNAT: place.type == "nat", rules: rules)
        }
    }

    private mutating func masquerade(_ place: Place) -> GeneratedRule {
        let text = random.pick([
            "ip saddr 10.5.0.0/16 ip daddr != 10.5.0.0/16 counter masquerade",
            "ip saddr 10.5.0.0/16 oifname \"up*\" masquerade",
            "oifname \"up0\" masquerade",
            "ip saddr 10.5.0.0/24 snat \(place.family == "inet" ? "ip " : "")to 203.0.113.77",
        ])
        return GeneratedRule(
            text: text, features: [text.contains("snat") ? "nft snat" : "nft masquerade"], effect: .sourceTranslation)
    }

    /// Matches that look at the transport header, or for its protocol: a rule has one of them, for nft refuses two
    /// that contradict each other.
    private static let transportMatches: Set<String> = [
        "nft l4proto", "nft dport", "nft sport", "nft port set", "nft concatenation", "nft icmp", "nft tcp flags",
        "nft ip protocol", "nft bridge l4proto", "nft icmp code", "nft raw bytes", "nft ct tuple",
        "nft bridge ports",
    ]

    private mutating func rule(_ place: Place, _ users: [String]) -> GeneratedRule {
        var looksAtTransport = false
        var words: [String] = []
        var features: [String] = []
        var isRandom = false
        for _ in 0..<random.weighted([(15, 0), (45, 1), (30, 2), (10, 3)]) {
            let (text, feature) = match(place)
            guard !features.contains(feature) else { continue }
            if Self.transportMatches.contains(feature) {
                if looksAtTransport { continue }
                looksAtTransport = true
            }
            words.append(text)
            features.append(feature)
            if ["nft limit", "nft numgen", "nft quota", "nft dynamic set", "nft time"].contains(feature) {
                isRandom = true
            }
        }
        if random.chance(25) {
            words.append("counter")
            features.append("nft counter")
        }
        let (text, feature, effect) = action(place, users, looksAtTransport)
        words.append(text)
        features.append(feature)
        if ["nft jhash", "nft numgen map"].contains(feature) { isRandom = true }
        return GeneratedRule(
            text: words.joined(separator: " "), features: features, effect: effect, isRandom: isRandom)
    }

    mutating func declare(_ body: String) -> String {
        let name = "s\(sets)"
        sets += 1
        preamble.append(body.replacing("NAME", with: name))
        return name
    }

    private mutating func addressSet() -> (String, String) {
        switch random.below(4) {
        case 0: ("{ \(random.pick(Ground.containers).address), 198.51.100.7, 192.0.2.50 }", "nft set")
        case 1: ("{ 10.5.0.0/24, 198.51.100.0-198.51.100.150, 203.0.113.50 }", "nft interval set")
        case 2:
            (
                "@"
                    + declare(
                        "set NAME { type ipv4_addr; elements = { 10.5.0.9, 10.5.1.20, 198.51.100.7, 203.0.113.50 }; }"),
                "nft set"
            )
        default:
            (
                "@"
                    + declare(
                        "set NAME { type ipv4_addr; flags interval; elements = { 10.5.0.0/28, 10.5.1.0-10.5.1.30, 198.51.100.128/25, 192.0.2.0/24 }; }"
                    ),
                "nft interval set"
            )
        }
    }

    private mutating func match(_ place: Place) -> (String, String) {
        let not = random.chance(15) ? "!= " : ""
        if place.family == "bridge" {
            if place.hook != "forward", place.hook != "prerouting" {
                return random.weighted([
                    (
                        40,
                        (
                            "ether type ip ip daddr \(not)\(random.pick(Ground.outside + Ground.prefixes))",
                            "nft bridge ip"
                        )
                    ),
                    (30, ("ether type ip ip saddr \(not)\(random.pick(Ground.prefixes))", "nft bridge saddr")),
                    (
                        30,
                        ("\(random.pick(["udp", "tcp"])) dport \(not)\(random.pick(Ground.ports))", "nft bridge ports")
                    ),
                ])
            }
            return random.weighted([
                (15, ("ether type ip ip saddr \(not)\(random.pick(Ground.prefixes))", "nft bridge saddr")),
                (
                    15,
                    (
                        "ether type ip \(random.pick(["udp", "tcp"])) dport \(not)\(random.pick(Ground.ports))",
                        "nft bridge ports"
                    )
                ),
                (
                    40,
                    (
                        "ether type ip ip daddr \(not)\(random.pick(Ground.outside + Ground.prefixes + ["10.5.0.10"]))",
                        "nft bridge ip"
                    )
                ),
                (30, ("ether type ip meta l4proto \(not)\(random.pick(["udp", "tcp", "icmp"]))", "nft bridge l4proto")),
                (30, ("iifname \(not)\"\(random.pick(["vc1", "vc2", "vc*"]))\"", "nft bridge iifname")),
            ])
        }
        if place.family == "netdev" {
            let address = "ip \(random.pick(["saddr", "daddr"])) \(not)\(random.pick(Ground.outside + Ground.prefixes))"
            let transport = "meta l4proto \(not)\(random.pick(["udp", "tcp", "icmp"]))"
            if place.hook == "egress" {
                return (random.pick([address, transport, "oifname \(not)\"up0\""]), "nft egress")
            }
            return random.weighted([
                (60, (random.pick([address, transport]), "nft ingress ip")),
                (40, ("iifname \(not)\(random.pick(["\"vc1\"", "\"lxcbr1\"", "\"up*\""]))", "nft ingress iifname")),
            ])
        }
        let input = place.hook != "output" && place.hook != "postrouting"
        let output = ["forward", "output", "postrouting"].contains(place.hook)
        var choices: [(Int, String)] = [
            (10, "saddr"), (8, "daddr"), (8, "address set"), (6, "l4proto"), (10, "dport"), (4, "sport"),
            (5, "port set"),
            (6, "concatenation"), (5, "icmp"), (3, "tcp flags"), (7, "ct state"), (5, "ct status"), (3, "ct direction"),
            (5, "mark"), (4, "ct mark"), (5, "fib type"), (3, "pkttype"), (2, "dscp"),
            (2, "ip protocol"), (6, "frag"), (6, "ct tuple"), (3, "raw bytes"), (3, "masked address"), (3, "catch-all"),
            (3, "mark set"), (5, "icmp code"), (2, "ip version"), (2, "protocol"), (3, "ttl"), (3, "length"),
            (3, "timeout set"),
        ]
        if place.family == "inet" { choices.append((4, "nfproto")) }
        if spice.hasChance {
            choices += [(8, "limit"), (7, "numgen"), (7, "quota"), (4, "dynamic set"), (7, "time")]
        }
        if spice.hasUnsaid, place.hook == "prerouting" { choices.append((30, "socket")) }
        if input {
            choices += [
                (8, "iifname"), (3, "iif"), (3, "wildcard set"), (3, "interface concatenation"), (5, "iifkind"),
            ]
        }
        if place.hook != "output" && place.hook != "postrouting" {
            choices += [(4, "fib oif"), (7, "fib mark"), (2, "ipsec"), (3, "fib iif type")]
        }
        if output { choices += [(8, "oifname"), (5, "oif")] }
        if place.hook == "prerouting" || place.hook == "input" { choices.append((4, "fib saddr")) }
        if place.hook == "output" { choices.append((45, "skuid")) }
        if !spice.hasConntrack {
            choices.removeAll { $0.1.hasPrefix("ct ") || $0.1 == "interface concatenation" }
            // Of a fragment these compare what no packet's notation tells: whatever stands where ports would.
            choices.removeAll { ["dport", "port set", "tcp flags"].contains($0.1) }
            choices.append((40, "frag"))
        }
        let kind = random.weighted(choices)
        let name = "nft " + kind
        switch kind {
        case "saddr":
            return (
                "ip saddr \(not)\(random.pick(Ground.containers.map(\.address) + Ground.prefixes + ["10.5.0.5-10.5.0.9"]))",
                name
            )
        case "daddr":
            return (
                "ip daddr \(not)\(random.pick(Ground.outside + Ground.prefixes + ["198.51.100.1-198.51.100.100"]))",
                name
            )
        case "address set":
            let (set, feature) = addressSet()
            return ("ip \(random.pick(["saddr", "daddr"])) \(not)\(set)", feature)
        case "l4proto": return ("meta l4proto \(not)\(random.pick(["udp", "tcp", "icmp", "{ tcp, udp }", "47"]))", name)
        case "dport":
            return (
                "\(random.pick(["tcp", "udp", "tcp", "udp", "meta l4proto { tcp, udp } th"])) dport \(not)\(random.pick(["53", "80", "443", "1-100", "7777", "1024-65535"]))",
                name
            )
        case "sport":
            return ("\(random.pick(["tcp", "udp"])) sport \(not)\(random.pick(["1024", "30000-40000", "5353"]))", name)
        case "port set":
            let set =
                random.chance(50)
                ? "{ 53, 80, 443 }"
                : "@" + declare("set NAME { type inet_service; flags interval; elements = { 1-100, 7777 }; }")
            return ("\(random.pick(["tcp", "udp"])) dport \(not)\(set)", name)
        case "concatenation":
            let text: String
            switch random.below(4) {
            case 0: text = "ip saddr . ip daddr \(not){ 10.5.0.9 . 198.51.100.7, 10.5.1.20 . 198.51.100.200 }"
            case 1:
                text =
                    "ip saddr . udp dport @"
                    + declare(
                        "set NAME { type ipv4_addr . inet_service; flags interval; elements = { 10.5.0.0/24 . 1-100, 10.5.1.20 . 7777 }; }"
                    )
            case 2: text = "ip daddr . meta l4proto \(not){ 198.51.100.7 . udp, 203.0.113.50 . tcp, 192.0.2.50 . icmp }"
            default:
                text =
                    "ip saddr . ip daddr . tcp dport @"
                    + declare(
                        "set NAME { type ipv4_addr . ipv4_addr . inet_service; flags interval; elements = { 10.5.0.0/16 . 198.51.100.0/24 . 80-443 }; }"
                    )
            }
            return (text, name)
        case "icmp":
            return (
                "icmp type \(not)\(random.pick(["echo-request", "{ echo-request, echo-reply }", "destination-unreachable"]))",
                name
            )
        case "tcp flags":
            return (
                "tcp flags \(random.pick(["& (fin|syn|rst|ack) == syn", "syn", "& (syn|fin) == (syn|fin)", "! ack", "syn / syn,ack"]))",
                name
            )
        case "ct state":
            return (
                "ct state \(random.pick(["new", "established,related", "invalid", "new,untracked", "{ new, established }", "!= new"]))",
                name
            )
        case "ct status": return ("ct status \(random.pick(["dnat", "snat", "& dnat == 0"]))", name)
        case "ct direction": return ("ct direction \(random.pick(["original", "reply"]))", name)
        case "mark": return ("meta mark \(random.pick(["0", "7", "!= 0", "& 0x1 == 1", "& 0xff == 0x10"]))", name)
        case "ct mark": return ("ct mark \(random.pick(["0", "7", "!= 0", "& 0x2 == 2"]))", name)
        case "fib type":
            return (
                "fib \(random.pick(["daddr", "saddr"])) type \(not)\(random.pick(["local", "unicast", "{ local, broadcast }"]))",
                name
            )
        case "pkttype": return ("meta pkttype \(not)\(random.pick(["host", "other"]))", name)
        case "ttl": return ("ip ttl \(random.pick(["64", "63", "< 64", ">= 60"]))", name)
        case "length": return ("\(random.pick(["ip", "meta"])) length \(random.pick(["< 100", "> 30", "20-40"]))", name)
        case "dscp": return ("ip dscp \(not)\(random.pick(["cs0", "cs1"]))", name)
        case "limit": return ("limit rate 2/second burst 1 packets", name)
        case "numgen": return ("numgen \(random.pick(["random", "inc"])) mod 2 0", name)
        case "quota": return ("quota over 60 bytes", name)
        case "time": return ("meta hour \(not)\"\(TimeOfDay.hours.from)\"-\"\(TimeOfDay.hours.to)\"", name)
        case "dynamic set":
            return (
                "add @" + declare("set NAME { type ipv4_addr; size 64; flags dynamic,timeout; timeout 1m; }")
                    + " { ip saddr }", name
            )
        case "nfproto": return ("meta nfproto ipv4", name)
        case "ip protocol": return ("ip protocol \(random.pick(["udp", "tcp", "icmp"]))", name)
        case "frag": return ("ip frag-off & 0x1fff \(random.pick(["0", "!= 0"]))", name)
        case "iifname":
            return (
                "iifname \(not)\(random.pick(["\"lxcbr1\"", "\"up0\"", "\"up*\"", "{ \"lxcbr1\", \"up1\" }", "\"lxc*\""]))",
                name
            )
        case "oifname":
            return (
                "oifname \(not)\(random.pick(["\"lxcbr1\"", "\"up0\"", "\"up1\"", "\"up*\"", "{ \"up0\", \"up1\" }"]))",
                name
            )
        case "iif": return ("iif \(not)\(random.pick(["\"lxcbr1\"", "\"up0\"", "\"lo\""]))", name)
        case "oif": return ("oif \(not)\(random.pick(["\"lxcbr1\"", "\"up0\"", "\"up1\""]))", name)
        case "fib saddr": return ("fib saddr . iif oif \(random.pick(["missing", "exists"]))", name)
        case "skuid": return ("meta skuid \(not)0", name)
        case "ct tuple":
            return (
                random.pick([
                    "ct original ip saddr \(not)10.5.0.0/16", "ct original ip daddr \(not)198.51.100.0/24",
                    "ct reply ip saddr \(not)198.51.100.7", "ct reply ip daddr \(not)10.5.0.0/16",
                    "ct reply ip daddr \(not)203.0.113.2", "meta l4proto udp ct original proto-dst \(not)53",
                    "meta l4proto tcp ct reply proto-src \(not)80",
                    "ct original protocol \(not)17", "ct l3proto ipv4",
                    "ct status \(random.pick(["confirmed", "seen-reply"]))",
                ]), name
            )
        case "iifkind":
            return (
                "meta \(output && random.chance(40) ? "oifkind" : "iifkind") \(not)\(random.pick(["\"bridge\"", "\"veth\""]))",
                name
            )
        case "raw bytes":
            return (
                random.pick([
                    "@nh,96,32 0x0a050009", "@nh,128,24 0xc63364", "meta l4proto udp @th,16,16 \(not)53",
                    "@nh,128,16 0xc633",
                ]), name
            )
        case "masked address":
            return (
                random.pick([
                    "ip saddr & 255.255.255.0 == 10.5.0.0", "ip saddr & 0.0.0.255 == 0.0.0.9",
                    "ip daddr & 255.255.0.255 != 198.51.0.7",
                ]), name
            )
        case "catch-all":
            return (
                "ip \(random.pick(["saddr", "daddr"])) \(not)@"
                    + declare(
                        "set NAME { type ipv4_addr; flags interval; elements = { 10.5.0.9, * }; }"), name
            )
        case "mark set": return ("meta mark \(not)\(random.pick(["{ 0, 7 }", "{ 1-6, 16-32 }", "1-0x20"]))", name)
        case "wildcard set": return ("iifname \(not){ \"up*\", \"vc1\" }", name)
        case "interface concatenation":
            return (
                random.pick([
                    "iifname . ip saddr \(not){ \"lxcbr1\" . 10.5.0.9, \"up0\" . 198.51.100.7 }",
                    "iifname . ip daddr { \"lxcbr1\" . 198.51.100.0/24, \"lxcbr1\" . 192.0.2.50 }",
                    "iifname . ct state { \"lxcbr1\" . new, \"up0\" . established }",
                ]), name
            )
        case "fib oif":
            return (
                random.pick([
                    "fib daddr oifname \(not)\"up0\"", "fib daddr oif \(not)\"up1\"",
                    "fib saddr oifname \(not)\"lxcbr1\"",
                    "fib daddr oif exists", "fib daddr oif missing",
                ]), name
            )
        case "fib iif type":
            return (
                "fib \(random.pick(["daddr", "saddr"])) . iif type \(not)\(random.pick(["local", "unicast"]))", name
            )
        case "timeout set":
            return (
                "ip \(random.pick(["saddr", "daddr"])) \(not)@"
                    + declare(
                        "set NAME { type ipv4_addr; flags timeout; elements = { 10.5.0.9 timeout 1h, 198.51.100.7, 203.0.113.50 timeout 2h }; }"
                    ), name
            )
        case "socket": return (random.pick(["socket wildcard 1", "socket transparent 1"]), name)
        case "fib mark": return ("fib daddr . mark oifname \(not)\(random.pick(["\"up0\"", "\"up1\""]))", name)
        case "icmp code": return ("icmp code \(not)0", name)
        case "ip version": return (random.pick(["ip version 4", "ip hdrlength \(not)5"]), name)
        case "protocol": return ("meta protocol \(not)ip", name)
        case "ipsec": return ("meta ipsec \(random.pick(["missing", "exists"]))", name)
        default: return ("meta l4proto udp", "nft l4proto")
        }
    }
}
