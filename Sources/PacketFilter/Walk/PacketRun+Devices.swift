internal import WireFormats

/// Chains of single devices: ingress before everything else, egress behind it (net/netfilter/core.c, nft_chain_filter.c).
extension PacketRun {
    /// Where the packet comes in by a link.
    func ingress(_ link: HostForwarding.Interface) -> End {
        guard walk.plan.hasDeviceChains else { return .goesOn }
        if link.kind != "bridge" { return device(link, .ingress) }
        guard let port = state.packet.inputPort.flatMap(host.link) else { return unknownPort(link, .ingress) }
        return device(port, .ingress)
    }

    /// What a bridge hands up comes in by the bridge once more (br_pass_frame_up).
    func ingressBehind(_ bridge: HostForwarding.Interface) -> End { device(bridge, .ingress) }

    /// Where the packet leaves by a link; by which port of a bridge is not known.
    func egress(_ link: HostForwarding.Interface, isBridged: Bool = false) -> End {
        guard walk.plan.hasDeviceChains else { return .goesOn }
        if !isBridged, device(link, .egress) == .stopped { return .stopped }
        return link.kind == "bridge" ? unknownPort(link, .egress) : .goesOn
    }

    private func unknownPort(_ bridge: HostForwarding.Interface, _ side: HookPlan.Side) -> End {
        let ports = host.links.filter { $0.bridge == bridge.name }
        guard let first = ports.first(where: { !walk.plan.chains(of: $0.name, side).isEmpty }) else { return .goesOn }
        limit =
            "by which port of \(bridge.name) it \(side == .ingress ? "comes in" : "leaves"): \(first.name) has chains"
        return .stopped
    }

    private func device(_ link: HostForwarding.Interface, _ side: HookPlan.Side) -> End {
        state.device = link
        defer { state.device = nil }
        for group in walk.plan.chains(of: link.name, side) {
            let hook = ruleset.chains[group.chains[0]].base?.hook ?? .netdevIngress
            if inAnyOrder(group.chains.map { .chain($0) }, hook) == .stopped { return .stopped }
        }
        return .goesOn
    }
}
