internal import HostModel

/// Routing decisions (net/ipv4/route.c, fib_frontend.c).
extension PacketRun {
    enum Decision {
        case local
        case forward(HostForwarding.Interface, nextHop: IPv4Address)
    }

    private func askRule(_ name: String) -> Bool { ask(name, name) }

    private func flow(input: String) -> HostForwarding.Flow {
        if state.mark.known != .max, host.rules.contains(where: { $0.markMask & ~state.mark.known != 0 }) {
            // Every rule with a mark is asked about: one choice for all unknown bits.
            state.mark = PartialWord(value: ask("mark", "mark") ? state.mark.value : 0)
        }
        return HostForwarding.Flow(
            source: state.source, destination: state.destination, input: input, mark: state.mark.value)
    }

    /// Nil where the kernel drops the packet here; the killer says why.
    func routeInput(_ link: HostForwarding.Interface) -> Decision? {
        let source = state.source.value
        let destination = state.destination.value
        let isLoopbackPair = source >> 24 == 127 || destination >> 24 == 127
        // As ip_route_input_slow has it since Linux 5.3: an unset source only asks everybody.
        let isForEverybody = destination == .max || destination == 0 && source == 0
        if source >> 28 == 0xe || source == .max || !isForEverybody && (source == 0 || destination == 0)
            || isLoopbackPair && !link.routesLoopback && !link.isLoopback
        {
            if destination >> 28 == 0xe, source == 0 { return toGroup(destination) }
            drop(hook: "routing", "the source or destination is no address that may come from outside (martian)")
            return nil
        }
        if isForEverybody { return .local }
        if destination >> 28 == 0xe { return toGroup(destination) }
        guard let found = host.lookup(flow(input: link.name), ask: askRule) else {
            return unrouted(link, "no route to \(state.destination)")
        }
        switch found.kind {
        case .local:
            guard isSourceValid(link, output: nil) else { return nil }
            return .local
        case .broadcast, .multicast: return .local
        case .unicast, .other:
            guard link.forwarding else {
                return unrouted(link, "net.ipv4.conf.\(link.name).forwarding is 0")
            }
            guard let hop = pick(found), let output = host.link(hop.link) else {
                return unrouted(link, "no living route to \(state.destination)")
            }
            guard isSourceValid(link, output: output) else { return nil }
            return .forward(output, nextHop: hop.gateway ?? state.destination)
        case .blackhole, .unreachable, .prohibit, .throw:
            return unrouted(link, "the route to \(state.destination) is \(found.kind.rawValue)")
        }
    }

    /// Multicast: every host belongs to 224.0.0.1; of which other groups it is a member is not read.
    private func toGroup(_ group: UInt32) -> Decision? {
        let name = "whether this host has joined \(IPv4Address(value: group))"
        if group == 0xe000_0001 || ask(name, name) { return .local }
        drop(hook: "routing", "this host has not joined \(IPv4Address(value: group))")
        return nil
    }

    private func unrouted(_ link: HostForwarding.Interface, _ text: String) -> Decision? {
        drop(hook: "routing", text)
        return nil
    }

    /// One of several ways of a multipath route.
    private func pick(_ found: HostForwarding.Found) -> HostForwarding.NextHop? {
        guard found.hops.count > 1 else { return found.hops.first }
        let names = Set(found.hops.map(\.link))
        guard names.count > 1 else { return found.hops.first }
        return found.hops[choose(found.hops.count, "multipath", "which way of a multipath route")]
    }

    /// The reverse path, as `fib_validate_source` looks at it.
    private func isSourceValid(_ link: HostForwarding.Interface, output: HostForwarding.Interface?) -> Bool {
        if state.source.value == 0 { return true }
        let isOwn = host.addressType(state.source) == 2
        let hasRules = host.rules.contains { !HostForwarding.defaultRules.contains($0) }
        if link.reversePathFilter == 0, !hasRules {
            if link.acceptsLocal || !isOwn { return true }
            drop(hook: "routing", "the source \(state.source) is an address of this host")
            return false
        }
        let flow = HostForwarding.Flow(
            source: state.destination, destination: state.source, input: output?.name ?? "lo",
            mark: link.sourceValidMark ? state.mark.value : 0)
        // A route that leads nowhere is none here.
        guard let found = host.lookup(flow, ask: askRule),
            ![.blackhole, .unreachable, .prohibit, .throw].contains(found.kind)
        else { return link.reversePathFilter == 0 ? true : reverseDrop(link) }
        guard found.kind == .unicast || found.kind == .local && link.acceptsLocal else {
            drop(hook: "routing", "the source \(state.source) has no route back (martian)")
            return false
        }
        if found.uses(link.index) || link.reversePathFilter == 0 { return true }
        if link.reversePathFilter == 1 { return reverseDrop(link) }
        return true
    }

    private func reverseDrop(_ link: HostForwarding.Interface) -> Bool {
        drop(hook: "routing", "rp_filter: the way back to \(state.source) is not by \(link.name)")
        return false
    }

    /// Before the hook forward: what has a socket goes no further, and one hop is taken from the lifetime
    /// (ip_forward.c).
    func isForwarded() -> Bool {
        guard !state.isForSocket else {
            drop(hook: "routing", "a rule gave it to a socket of this host (tproxy), and its route leads on")
            return false
        }
        guard packetType ?? 0 == 0 else {
            drop(hook: "routing", "it was sent to more than this host, and is not passed on (ip_forward)")
            return false
        }
        guard let lifetime = state.timeToLive else {
            // What no rule touched is taken to be enough.
            if state.written[8] == nil || ask("lifetime", "the time to live that a rule gives it") { return true }
            drop(hook: "routing", "its time to live ends here")
            return false
        }
        guard lifetime > 1 else {
            drop(hook: "routing", "its time to live is \(lifetime): this hop was the last")
            return false
        }
        state.written[8] = PartialByte(value: lifetime - 1, known: 0xff)
        return true
    }

    /// Of a packet that the host itself sends.
    func routeOutput() -> Bool {
        guard let found = host.lookup(flow(input: "lo"), ask: askRule) else {
            drop(hook: "routing", "no route to \(state.destination)")
            return false
        }
        switch found.kind {
        case .local:
            state.output = host.links.first(where: \.isLoopback)
            return true
        case .unicast, .broadcast, .multicast, .other:
            guard let hop = pick(found), let output = host.link(hop.link) else {
                drop(hook: "routing", "no living route to \(state.destination)")
                return false
            }
            state.output = output
            state.nextHop = hop.gateway ?? state.destination
            return true
        default:
            drop(hook: "routing", "the route to \(state.destination) is \(found.kind.rawValue)")
            return false
        }
    }
}
