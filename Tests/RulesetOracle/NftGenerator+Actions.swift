/// What a rule does with the packets that it matches.
extension NftGenerator {
    mutating func action(
        _ place: Place, _ users: [String], _ looksAtTransport: Bool
    ) -> (String, String, GeneratedRule.Effect) {
        var choices: [(Int, String)] = [(12, "accept"), (4, "return"), (3, "log"), (2, "nothing")]
        if !users.isEmpty { choices += [(16, "jump"), (6, "goto"), (8, "vmap")] }
        let ip = place.family == "inet" ? "ip " : ""
        if ["bridge", "netdev"].contains(place.family) {
            choices.append((6, "drop"))
        } else if place.type == "nat" {
            choices.append((4, "drop"))
            switch place.hook {
            case "postrouting":
                choices += [(18, "masquerade"), (12, "snat"), (8, "snat map"), (8, "snat range"), (4, "snat prefix")]
                if !looksAtTransport { choices.append((4, "snat port")) }
            case "input": choices += [(12, "snat")]
            default:
                choices += [(8, "dnat"), (4, "redirect"), (6, "dnat map"), (9, "dnat map port")]
                if !looksAtTransport { choices.append((9, "dnat port")) }
                if spice.hasChance { choices += [(16, "jhash"), (16, "numgen map")] }
            }
        } else {
            choices += [(7, "drop"), (5, "mark"), (4, "ct mark"), (3, "mark map")]
            if users.isEmpty { choices.append((9, "verdict map")) }
            if ["prerouting", "input", "forward", "output"].contains(place.hook) { choices.append((6, "reject")) }
            if spice.hasUnsaid, place.hook == "prerouting", !looksAtTransport { choices.append((40, "tproxy")) }
            if place.hook == "forward", spice.hasFlowtables { choices.append((7, "flow add")) }
            if place.isEarly { choices += [(14, "notrack"), (8, "zone")] }
            choices += [(2, "ttl set"), (2, "dscp set"), (2, "named counter")]
            if place.isEarly { choices += [(5, "daddr set"), (10, "port set by rule")] }
        }
        if !spice.hasConntrack { choices.removeAll { ["ct mark", "zone", "verdict map", "mark"].contains($0.1) } }
        let kind = random.weighted(choices)
        let name = "nft " + kind
        switch kind {
        case "accept": return ("accept", name, .accept)
        case "return": return ("return", name, .leave)
        case "log": return ("log prefix \"o \"", name, .pass)
        case "nothing": return ("counter", "nft counter", .pass)
        case "jump": return ("jump \(random.pick(users))", name, .jump)
        case "goto": return ("goto \(random.pick(users))", name, .jump)
        case "vmap":
            let user = random.pick(users)
            return (
                random.pick([
                    "ip daddr vmap { 198.51.100.7 : accept, 203.0.113.50 : jump \(user), * : continue }",
                    "meta mark vmap { 0-6 : jump \(user), * : continue }",
                    "ip saddr vmap { 10.5.0.9 : jump \(user), 10.5.0.10 : accept, 10.5.1.20 : continue }",
                    looksAtTransport
                        ? "meta mark vmap { 0 : jump \(user), 7 : goto \(user) }"
                        : "meta l4proto vmap { udp : jump \(user), tcp : return }",
                    "ip daddr vmap { 198.51.100.0/25 : goto \(user), 192.0.2.0/24 : accept }",
                ]), name, .jump
            )
        case "verdict map":
            let map = declare(
                "map NAME { type ipv4_addr . inet_service : verdict; flags interval; elements = { 10.5.0.0/24 . 53 : drop, 10.5.0.0/16 . 80-100 : accept }; }"
            )
            return (
                random.pick([
                    looksAtTransport
                        ? "meta mark vmap { 1-10 : drop, 16 : accept }"
                        : "udp dport vmap { 53 : accept, 67 : drop, 7777 : continue }",
                    looksAtTransport
                        ? "ip daddr . meta mark vmap { 198.51.100.7 . 0 : accept }"
                        : "ip saddr . tcp dport vmap @\(map)",
                    "ct state vmap { established : accept, related : accept, invalid : drop }",
                ]), name, .jump
            )
        case "drop": return ("drop", name, .drop)
        case "reject":
            var ways = ["reject", "reject with icmp type admin-prohibited"]
            if place.family == "inet" { ways.append("reject with icmpx type port-unreachable") }
            if !looksAtTransport { ways.append("meta l4proto tcp reject with tcp reset") }
            return (random.pick(ways), name, .drop)
        case "mark":
            return ("meta mark set \(random.pick(["0x7", "0x1", "meta mark or 0x10", "ct mark"]))", name, .pass)
        case "ct mark": return ("ct mark set \(random.pick(["0x7", "0x2", "meta mark"]))", name, .pass)
        case "mark map": return ("meta mark set ip saddr map { 10.5.0.9 : 0x7, 10.5.1.0/24 : 0x10 }", name, .pass)
        case "notrack": return ("notrack", name, .pass)
        case "flow add":
            if !preamble.contains(where: { $0.hasPrefix("flowtable") }) {
                preamble.append("flowtable fast { hook ingress priority 0; devices = { up0, up1 }; }")
            }
            return ("flow add @fast", name, .pass)
        case "zone": return ("ct zone set 5", name, .pass)
        case "ttl set": return ("ip ttl set 33", name, .pass)
        case "dscp set": return ("ip dscp set cs1", name, .pass)
        // What a rule writes, conntrack takes for what came.
        case "daddr set": return ("ip daddr set \(random.pick(["198.51.100.99", "203.0.113.50"]))", name, .pass)
        case "port set by rule":
            return (
                looksAtTransport ? "ip dscp set cs1" : "udp dport set 53", looksAtTransport ? "nft dscp set" : name,
                .pass
            )
        case "named counter":
            preamble.append("counter n\(sets) { }")
            sets += 1
            return ("counter name \"n\(sets - 1)\"", name, .pass)
        case "masquerade":
            let how = random.weighted([(80, ""), (10, " random"), (10, " fully-random")])
            return ("masquerade\(how)", name, .sourceTranslation)
        case "snat port":
            return (
                "meta l4proto { tcp, udp } snat \(ip)to 203.0.113.77:\(random.pick(["2000-3000", "1024-65535"]))\(random.pick(["", " random", " persistent"]))",
                name, .sourceTranslation
            )
        case "tproxy": return ("meta l4proto { tcp, udp } tproxy \(ip)to :9999", name, .pass)
        case "snat range": return ("snat \(ip)to 203.0.113.2-203.0.113.7", name, .sourceTranslation)
        case "snat prefix":
            return (
                "snat \(ip)prefix to ip saddr map { 10.5.0.0/24 : 203.0.113.0/24, 10.5.1.0/24 : 192.0.2.0/24 }", name,
                .sourceTranslation
            )
        case "dnat port":
            return (
                "meta l4proto { tcp, udp } dnat \(ip)to \(random.pick(["198.51.100.99", "10.5.0.10"])):80", name,
                .destinationTranslation
            )
        case "dnat map port":
            return (
                looksAtTransport
                    ? "dnat \(ip)to ip saddr map { 10.5.0.9 : 198.51.100.99 }"
                    : "dnat \(ip)to ip daddr . \(random.pick(["udp", "tcp"])) dport map { 198.51.100.0/24 . 1-500 : 198.51.100.99, 203.0.113.0/24 . 1-500 : 10.5.0.10 }",
                name, .destinationTranslation
            )
        case "jhash":
            return (
                "dnat \(ip)to jhash ip saddr mod 2 map { 0 : 198.51.100.99, 1 : 203.0.113.50 }", name,
                .destinationTranslation
            )
        case "numgen map":
            return (
                "dnat \(ip)to numgen inc mod 2 map { 0 : 198.51.100.99, 1 : 203.0.113.50 }", name,
                .destinationTranslation
            )
        case "snat" where place.hook == "input": return ("snat \(ip)to 203.0.113.77", name, .sourceTranslation)
        case "snat":
            return (
                "snat \(ip)to \(random.pick(["203.0.113.2", "203.0.113.77", "192.0.2.2", "100.64.9.9"]))", name,
                .sourceTranslation
            )
        case "snat map":
            return (
                "snat \(ip)to ip saddr map { 10.5.0.9 : 203.0.113.77, 10.5.1.0/24 : 192.0.2.2 }", name,
                .sourceTranslation
            )
        case "dnat":
            return (
                "dnat \(ip)to \(random.pick(["198.51.100.99", "198.51.100.200", "10.5.0.10", "203.0.113.50"]))", name,
                .destinationTranslation
            )
        case "dnat map":
            return (
                "dnat \(ip)to ip daddr map { 198.51.100.0/24 : 198.51.100.99, 203.0.113.0/26 : 10.5.0.10 }", name,
                .destinationTranslation
            )
        case "redirect":
            return (
                looksAtTransport ? "redirect" : "meta l4proto { tcp, udp } redirect to :80", name,
                .destinationTranslation
            )
        default: return ("accept", "nft accept", .accept)
        }
    }
}
