internal import HostAccess
internal import HostModel

/// Switches IPv6 forwarding on for the whole host, for now and for every boot; before that, links that live on router
/// advertisements are told to go on taking them.
///
/// At boot it is lxc-net that does it where its settings name an IPv6 network; elsewhere nobody does, so a file of
/// sysctl.d has to.
struct IPv6Forwarding: Remedy {
    let id = "ipv6-forwarding"

    func plan(_ cause: Cause, in draft: inout PlanDraft) throws(LeftToPerson) {
        let network = try draft.network(of: cause)
        let before = draft.facts.state.sysctls
        guard let value = before[SysctlName.ipv6Forwarding] else {
            throw LeftToPerson(why: "this kernel has no IPv6", what: [])
        }
        let settings = draft.lxcNetSettings
        let isLxcNets = draft.facts.lxcNet.unit != nil && settings.makes(bridge: network.bridge) && settings.ipv6 != nil
        var closed: [ClosedInterface] = []
        if value == "0" {
            try draft.keepRouterAdvertisements(phase: .runtime, remedy: id, for: cause)
            try draft.add(
                .setSysctl(key: SysctlName.ipv6Forwarding, from: value, to: "1"),
                also: draft.notRestoredOfIPv6(bySwitchingTo: value), phase: .runtime, remedy: id,
                risk:
                    "The host then routes IPv6 between ALL its interfaces, not only the containers': whoever knows a route "
                    + "to them reaches them, unless a firewall stops it. It counts as a router, and ignores the "
                    + "advertisements of others where accept_ra is 1.",
                for: cause)
            closed = ClosedInterface.all(under: .ipv6Forwarding, in: draft)
                .filter { before[$0.key.description] == "0" }
            for interface in closed {
                try draft.add(
                    .setSysctl(key: interface.key.description, from: "1", to: "0"), phase: .runtime, remedy: id,
                    risk: "None: \(interface.file) says so, and so it was."
                        + (isLxcNets ? " lxc-net opens it with every other at each of its starts." : ""),
                    for: cause)
            }
        }
        let own = SysctlName.ipv6Forwarding(of: network.bridge)
        if draft.facts.state.sysctls[own] == "0" {
            try draft.add(
                .setSysctl(key: own, from: "0", to: "1"), phase: .runtime, remedy: id,
                risk: "\(network.bridge) counts as a router's interface again, as the host's global switch says.",
                for: cause)
        }
        let lasting = ForwardingPersistent(
            remedy: id, keys: [.ipv6Forwarding], wanted: "1",
            effect: "The host routes IPv6 between ALL its interfaces after every boot")
        if isLxcNets {
            try lasting.keepOn(cause, &draft)
        } else {
            try lasting.plan(cause, in: &draft)
            lasting.keepClosed(closed, cause, &draft)
        }
    }
}

/// Has the uplink hear router advertisements though the host forwards IPv6: accept_ra 2, for now and for every boot. Its
/// default route is back with the next advertisement.
struct RouterAdvertisements: Remedy {
    let id = "router-advertisements"

    func plan(_ cause: Cause, in draft: inout PlanDraft) throws(LeftToPerson) {
        try draft.keepRouterAdvertisements(phase: .runtime, remedy: id, for: cause)
    }
}

extension PlanDraft {
    /// Links that live on router advertisements, or wait for one, go on taking them though the host forwards; now, and
    /// after every boot. Where a network manager hears them itself, `accept_ra` is 0, and nothing need be done.
    mutating func keepRouterAdvertisements(
        phase: FixPhase, remedy: String, for cause: Cause, reversible: Bool = true
    ) throws(LeftToPerson) {
        for link in facts.advertised.sorted() {
            let name = SysctlName.acceptRouterAdvertisements(of: link)
            guard facts.state.sysctls[name] == "1", let key = SysctlKey(name) else { continue }
            try add(
                .setSysctl(key: name, from: "1", to: "2"), phase: phase, remedy: remedy,
                risk:
                    "None: \(link) takes its IPv6 routes from router advertisements. A host that forwards ignores them "
                    + "unless this is 2, and would lose its own IPv6.",
                for: cause, reversible: reversible)
            let lasting = ForwardingPersistent(
                remedy: remedy, keys: [key], wanted: "2",
                effect: "\(link) goes on taking its IPv6 routes from router advertisements after every boot")
            try lasting.plan(cause, in: &self)
        }
    }

    /// What writing the global switch of IPv6 back does not bring back: it sets every interface's own.
    func notRestoredOfIPv6(bySwitchingTo value: String) -> [Change] {
        facts.state.sysctls.sorted { $0.key < $1.key }.compactMap { key, own in
            SysctlName.isSwitchOfIPv6(key) && own != value ? .setSysctl(key: key, from: value, to: own) : nil
        }
    }
}
