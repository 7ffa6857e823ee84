internal import HostAccess
internal import HostModel
internal import PacketFilter
internal import WireFormats

/// Reads what decides, beside the rules, where packets go.
struct HostForwardingState {
    let host: any Host

    func forwarding(_ ruleset: Ruleset) throws(ObservationFailure) -> HostForwarding {
        let state = NetworkState(host: host)
        let links = try state.links()
        let addresses = try state.addresses()
        let routes = try state.routes()
        let rules = try state.rules()
        var forwarding = HostForwarding()
        let all = try Settings("all", host)
        let netfilter = try bridgeNetfilter()
        let names = Dictionary(links.map { ($0.index, $0.name) }, uniquingKeysWith: { first, _ in first })
        let kinds = Dictionary(links.map { ($0.index, $0.kind) }, uniquingKeysWith: { first, _ in first })
        let own = Self.addresses(addresses)
        for link in links {
            // A port of a bridge takes no packets to the IP layer of its own: its settings say nothing.
            let isPort = link.master.map { kinds[$0] == "bridge" } ?? false
            let settings = isPort ? Settings() : try Settings(link.name, host)
            forwarding.links.append(
                HostForwarding.Interface(
                    index: UInt32(clamping: link.index), name: link.name, kind: link.kind, isUp: link.isUp,
                    isLoopback: link.isLoopback, bridge: isPort ? link.master.flatMap { names[$0] } : nil,
                    addresses: own[link.index] ?? [], forwarding: settings.forwarding,
                    reversePathFilter: max(settings.reversePathFilter, all.reversePathFilter),
                    acceptsLocal: settings.acceptsLocal || all.acceptsLocal,
                    sourceValidMark: settings.sourceValidMark || all.sourceValidMark,
                    routesLoopback: settings.routesLoopback || all.routesLoopback,
                    callsIptables: link.kind == "bridge" ? netfilter.isOwnOption(of: link) : nil))
        }
        let bridges = Set(links.filter { $0.kind == "bridge" }.map(\.index))
        forwarding.routes = routes.map { Self.route($0, bridges) }
        forwarding.rules = rules.map(Self.rule)
        forwarding.bridgeNetfilter = netfilter.isSet
        forwarding.outsideModel = try OutsideModel(host: host).actors(links)
        forwarding.deviceChains = OutsideModel.deviceChains(ruleset)
        return forwarding
    }

    /// By the index of their link.
    static func addresses(_ addresses: [InterfaceAddress]) -> [Int: [HostForwarding.Address]] {
        Dictionary(grouping: addresses, by: \.link).mapValues { own in
            own.map { address in
                HostForwarding.Address(
                    address.address, peer: address.peer, scope: address.scope, isSecondary: address.isSecondary)
            }
        }
    }

    static func rule(_ rule: RouteRule) -> HostForwarding.FibRule {
        HostForwarding.FibRule(
            priority: rule.priority, action: rule.action, table: rule.target ?? rule.table, source: rule.source,
            destination: rule.destination, inputInterface: rule.inputInterface,
            outputInterface: rule.outputInterface, mark: rule.mark ?? 0,
            markMask: rule.mark == nil && rule.markMask == nil ? 0 : rule.markMask ?? .max,
            isInverted: rule.isInverted, suppressedPrefixLength: rule.suppressedPrefixLength,
            hasOtherMatch: rule.hasOtherMatch)
    }

    private static func route(_ route: Route, _ bridges: Set<Int>) -> HostForwarding.FibRoute {
        let kind: HostForwarding.FibRoute.Kind =
            switch route.kind {
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
        // RTNH_F_DEAD is 1, RTNH_F_LINKDOWN 16. With `ignore_routes_with_linkdown` the route to a bridge without a port is
        // dead for want of a carrier, and lives as soon as a container is there to be asked about.
        let waits = route.link.map(bridges.contains) ?? false && route.flags & 16 != 0
        let hops =
            route.nextHops.isEmpty
            ? route.link.map {
                [
                    HostForwarding.NextHop(
                        link: UInt32(clamping: $0), gateway: route.gateway, isDead: route.flags & 1 != 0 && !waits)
                ]
            } ?? []
            : route.nextHops.map {
                HostForwarding.NextHop(link: UInt32(clamping: $0.link), gateway: $0.gateway, isDead: $0.isDead)
            }
        return HostForwarding.FibRoute(
            destination: route.destination, table: route.table, kind: kind, metric: route.metric,
            tos: route.tos == 0 ? nil : route.tos, preferredSource: route.preferredSource, nextHops: hops)
    }

    private func bridgeNetfilter() throws(ObservationFailure) -> BridgeNetfilter {
        do {
            return try BridgeNetfilter(on: host)
        } catch {
            throw ObservationFailure(error)
        }
    }

    /// `net.ipv4.conf.NAME.*`.
    private struct Settings {
        var forwarding = false
        var reversePathFilter: UInt8 = 0
        var acceptsLocal = false
        var sourceValidMark = false
        var routesLoopback = false

        init() {}

        init(_ name: String, _ host: any Host) throws(ObservationFailure) {
            func value(_ setting: String) throws(ObservationFailure) -> UInt8 {
                guard let key = SysctlKey.ipv4(interface: name, setting),
                    let text = try SysctlReading(key, on: host).text
                else { return 0 }
                return UInt8(text) ?? 0
            }
            forwarding = try value("forwarding") != 0
            reversePathFilter = try value("rp_filter")
            acceptsLocal = try value("accept_local") != 0
            sourceValidMark = try value("src_valid_mark") != 0
            routesLoopback = try value("route_localnet") != 0
        }
    }
}

extension NetworkState {
    /// Whether packets of a network leave translated by a link. Links and addresses are all of the host that it depends on:
    /// they say which address masquerading takes, and which ones lead back to another bridge.
    func translationQuestion(
        from network: IPv4Prefix, behind bridge: String, by uplink: String, to target: IPv4Address
    ) throws(ObservationFailure) -> SourceTranslationQuestion {
        let addresses = HostForwardingState.addresses(try addresses())
        var host = HostForwarding()
        for link in try links() {
            host.links.append(
                HostForwarding.Interface(
                    index: UInt32(clamping: link.index), name: link.name, kind: link.kind, isUp: link.isUp,
                    isLoopback: link.isLoopback, addresses: addresses[link.index] ?? []))
        }
        return NetworkQuestions(
            network: network, bridge: bridge, address: nil, target: target, ruleset: Ruleset(nft: NftRuleset()),
            host: host
        ).translationQuestion(by: uplink)
    }
}
