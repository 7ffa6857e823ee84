package import HostAccess
package import HostModel
package import PacketFilter
internal import WireFormats

/// Where the host sends what is for a container: by the kernel's own answer. It is called lost only where routes and
/// rules, as they were read, say so too, and so can name what leads it away.
package struct WayBack {
    package enum Fate: Hashable {
        /// The bridge gets it, or something drops it that is no matter of the way.
        case arrives
        case lost(Loss)
        /// The kernel says that it does not get there, and routes and rules say that it does.
        case unknown(String)
    }

    package struct Loss: Hashable {
        /// `by up0`, `unreachable`.
        package var way: String
        /// The rule and the route that decide.
        package var reason: String
        /// Whether a rule of the routing policy leads it away; else a route does.
        package var isByRule: Bool
    }

    /// What people call a loss by: the values of facts.
    package enum Culprit: String { case rule, route }

    private let host: any Host
    private let forwarding: HostForwarding
    private let network: IPv4Prefix
    private let bridge: HostForwarding.Interface
    private let hasCarrier: Bool

    /// Throws `unknown` where there is no such bridge.
    package init(
        to bridge: String, of network: IPv4Prefix, _ forwarding: HostForwarding, on host: any Host
    ) throws(ObservationFailure) {
        guard let link = forwarding.link(bridge) else { throw .unknown("there is no link \(bridge)") }
        self.host = host
        self.forwarding = forwarding
        self.network = network
        self.bridge = link
        hasCarrier = try NetworkState(host: host).links().named(bridge)?.isRunning ?? false
    }

    /// Of packets from an address to one behind the bridge that come in by a link; nil: that the host itself sends.
    package func fate(
        of container: IPv4Address, from source: IPv4Address, input: String?
    ) throws(ObservationFailure) -> Fate {
        let near = forwarding.towards(network, input: input ?? "lo")
        func decision(applyingUnknown: Bool) -> PolicyDecision {
            near.decision(
                source: source, destination: container, input: input ?? "lo", applyingUnknown: applyingUnknown)
        }
        let usual = decision(applyingUnknown: false)
        let answer = try ask(container, from: source, input: input)
        if case .link(bridge.name, .unicast) = answer { return .arrives }
        if case .refused = answer, !leadsToBridge(usual) { return .lost(loss(usual)) }
        // What the kernel matches and this model does not know is named where it explains the answer.
        for decision in [usual, decision(applyingUnknown: true)] where !leadsToBridge(decision) && answer.is(decision) {
            return .lost(loss(decision))
        }
        switch answer {
        // Where `ignore_routes_with_linkdown` is set, the kernel passes over a bridge without a port.
        case .link where leadsToBridge(usual) && !hasCarrier, .refused where leadsToBridge(usual) && !hasCarrier:
            return .arrives
        // A source that may not come from there is no matter of the way.
        case .refused(let number) where leadsToBridge(usual) && !Self.saysOnlyRouting.contains(number): return .arrives
        case .link, .refused:
            return .unknown(
                "the kernel says \(answer), and by what was read of routes and rules it goes \(usual.words) "
                    + "(\(forwarding.reason(of: usual)))")
        }
    }

    private func leadsToBridge(_ decision: PolicyDecision) -> Bool {
        decision.kind == .unicast && decision.links == [bridge.name]
    }

    /// A way out of a container that leads nowhere, where the kernel says so as well.
    package func refusal(
        of way: PolicyDecision, from container: IPv4Address, to target: IPv4Address
    ) throws(ObservationFailure) -> Loss? {
        guard case .refused = try ask(target, from: container, input: bridge.name) else { return nil }
        return loss(way)
    }

    /// Of an answer with the mark that rules give it: the kernel is not asked.
    package func fate(of answer: SamplePacket, _ result: WalkResult) -> Fate {
        let container = answer.mappedDestination ?? answer.destination
        guard result.verdict != .undecided, let mark = result.routedMark, mark != 0,
            let input = answer.inputInterface
        else { return .arrives }
        if result.verdict == .accepted, !result.isLocal, result.uplink == bridge.name { return .arrives }
        let decision = forwarding.towards(network, input: input)
            .decision(source: answer.source, destination: container, input: input, mark: mark)
        return leadsToBridge(decision) ? .arrives : .lost(loss(decision))
    }

    private func loss(_ decision: PolicyDecision) -> Loss {
        Loss(
            way: decision.words, reason: forwarding.reason(of: decision), isByRule: isByRule(decision))
    }

    /// A route inside of the network wins wherever it stands; any other one only by a rule that leads to it.
    private func isByRule(_ decision: PolicyDecision) -> Bool {
        guard let route = decision.route else { return decision.rule != nil }
        guard !network.contains(route.destination) else { return false }
        return decision.rule.map { !HostForwarding.defaultRules.contains($0) } ?? false
    }

    private enum KernelAnswer: CustomStringConvertible {
        case link(String, Route.Kind)
        /// With this error.
        case refused(Int32)

        /// Whether a decision says the same.
        func `is`(_ decision: PolicyDecision) -> Bool {
            switch self {
            case .link(let name, .unicast): decision.kind == .unicast && decision.links.contains(name)
            case .link(_, let kind): decision.kind?.rawValue == "\(kind)"
            case .refused: decision.kind != .unicast
            }
        }

        var description: String {
            switch self {
            case .link(let name, .unicast): "by \(name)"
            case .link(_, let kind): "\(kind)"
            case .refused(let number): "no (error \(number))"
            }
        }
    }

    /// EAGAIN, EACCES, EXDEV, EINVAL, ENETUNREACH, EHOSTUNREACH: what a lookup ends with. Source: net/ipv4/route.c.
    private static let refusals: Set<Int32> = [11, 13, 18, 22, 101, 113]
    /// EACCES (prohibit) and ENETUNREACH (no route, an unreachable rule) come from the lookup of the destination alone;
    /// the others from a look at the source as well.
    private static let saysOnlyRouting: Set<Int32> = [13, 101]

    private func ask(
        _ destination: IPv4Address, from source: IPv4Address, input: String?
    ) throws(ObservationFailure) -> KernelAnswer {
        let index = input.flatMap(forwarding.link).map { Int($0.index) }
        do throws(HostError) {
            let route: Route? = try host.route(to: destination, from: source, inputInterface: index)
            guard let route, let link = route.link ?? route.links.first else { return .refused(101) }
            return .link(forwarding.link(UInt32(clamping: link))?.name ?? "if\(link)", route.kind)
        } catch {
            guard let number = error.errno, Self.refusals.contains(number) else { throw ObservationFailure(error) }
            return .refused(number)
        }
    }
}

extension Evidence {
    /// What the kernel says of the way to a container, and what decides it.
    package init(
        wayTo container: IPv4Address, from source: IPv4Address, input: String?, _ loss: WayBack.Loss?, bridge: String
    ) {
        self.init(
            source: "rtnetlink RTM_GETROUTE, RTM_GETRULE",
            command: "ip rule; ip route get \(container) from \(source)" + (input.map { " iif \($0)" } ?? ""),
            value: (input == nil ? "from this host to " : "answers to ") + "\(container): "
                + (loss.map { "\($0.way) (\($0.reason))" } ?? "by \(bridge)"))
    }
}
