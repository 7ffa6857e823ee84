package import HostAccess
internal import HostModel
package import PacketFilter
internal import WireFormats

/// A host as the model sees it.
package struct ReadHost {
    package var ruleset: Ruleset
    package var forwarding: HostForwarding
}

/// Reads the model's view of a host, live or recorded.
package enum HostModelReader {
    package static func read(_ host: any Host) throws -> ReadHost {
        ReadHost(ruleset: Ruleset(nft: try nft(host), legacy: try legacy(host)), forwarding: try forwarding(host))
    }

    private static func nft(_ host: any Host) throws -> NftRuleset {
        var nft = NftRuleset()
        try nft.addTables(host.query(.nftTables()))
        try nft.addChains(host.query(.nftChains()))
        try nft.addRules(host.query(.nftRules()))
        try nft.addSets(host.query(.nftSets()))
        for (index, set) in nft.sets.enumerated() {
            try nft.addElements(host.query(.nftSetElements(set.table, set: set.name)), to: index)
        }
        return nft
    }

    private static func legacy(_ host: any Host) throws -> [XtTable] {
        let names = try host.readTextIfPresent("/proc/net/ip_tables_names") ?? ""
        return try names.split(separator: "\n").map(String.init).sorted().map { name in
            let reply = try host.legacyTable(LegacyTableName(family: .ipv4, table: name))
            return try XtTable(info: reply.info, entries: reply.entries)
        }
    }

    private static func number(_ host: any Host, _ key: String) throws -> UInt8 {
        let text = try host.readTextIfPresent("/proc/sys/net/" + key) ?? "0"
        return UInt8(text.filter(\.isNumber)) ?? 0
    }

    private static func forwarding(_ host: any Host) throws -> HostForwarding {
        let links = try Link.all(in: host.query(.links()))
        let addresses = try InterfaceAddress.all(in: host.query(.addresses()))
        let interfaces = try links.map { link in
            let conf = "ipv4/conf/\(link.name)/"
            return HostForwarding.Interface(
                index: UInt32(clamping: link.index), name: link.name, kind: link.kind, isUp: link.isUp,
                isLoopback: link.isLoopback,
                bridge: link.slaveKind == "bridge" ? links.first { $0.index == link.master }?.name : nil,
                addresses: addresses.filter { $0.link == link.index }.map {
                    HostForwarding.Address($0.address, peer: $0.peer, scope: $0.scope)
                },
                forwarding: try number(host, conf + "forwarding") == 1,
                reversePathFilter: max(
                    try number(host, "ipv4/conf/all/rp_filter"), try number(host, conf + "rp_filter")),
                acceptsLocal: try number(host, conf + "accept_local") == 1,
                sourceValidMark: try number(host, conf + "src_valid_mark") == 1,
                routesLoopback: try number(host, conf + "route_localnet") == 1)
        }
        let routes = try Route.all(in: host.query(.routes())).map { route in
            HostForwarding.FibRoute(
                destination: route.destination, table: route.table, kind: kind(route.kind), metric: route.metric,
                preferredSource: route.preferredSource,
                nextHops: route.nextHops.isEmpty
                    ? route.link.map { [HostForwarding.NextHop(link: UInt32(clamping: $0), gateway: route.gateway)] }
                        ?? []
                    : route.nextHops.map {
                        HostForwarding.NextHop(link: UInt32(clamping: $0.link), gateway: $0.gateway, isDead: $0.isDead)
                    })
        }
        let rules = try RouteRule.all(in: host.query(.rules())).map { rule in
            HostForwarding.FibRule(
                priority: rule.priority, action: rule.action, table: rule.table, source: rule.source,
                destination: rule.destination, inputInterface: rule.inputInterface,
                outputInterface: rule.outputInterface, mark: rule.mark ?? 0, markMask: rule.markMask ?? 0,
                isInverted: rule.isInverted, hasOtherMatch: rule.hasOtherMatch)
        }
        return HostForwarding(
            links: interfaces, routes: routes, rules: rules,
            bridgeNetfilter: try number(host, "bridge/bridge-nf-call-iptables") == 1)
    }

    private static func kind(_ kind: Route.Kind) -> HostForwarding.FibRoute.Kind {
        switch kind {
        case .unicast: .unicast
        case .local: .local
        case .broadcast: .broadcast
        case .multicast: .multicast
        case .blackhole: .blackhole
        case .unreachable: .unreachable
        case .prohibit: .prohibit
        case .throw: .throw
        default: .other
        }
    }
}
