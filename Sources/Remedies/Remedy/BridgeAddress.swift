internal import HostAccess
internal import HostModel

/// Gives the bridge the profile's address, then takes away what stands for the same subnet wrongly: our address with
/// another mask, or another address in its place. Addresses of other subnets are left alone. Where lxc-net made it all by
/// wrong settings, lxc-net makes it anew by the right ones.
struct BridgeAddress: Remedy {
    let id = "bridge-address"

    func plan(_ cause: Cause, in draft: inout PlanDraft) throws(LeftToPerson) {
        let network = try draft.network(of: cause)
        let bridge = network.bridge
        try Self.refuseElsewhere(network, in: draft)
        if try draft.startAstrayAnew(network, for: cause) { return }
        let wrong = draft.facts.state.addresses[bridge, default: []].filter {
            $0.address != network.address && $0.address.overlaps(network.cidr)
        }
        if wrong.contains(where: { $0.address.network == network.cidr }) {
            try keepSecondaries(bridge, cause, &draft)
        }
        try draft.add(
            .addAddress(link: bridge, address: HeldAddress(network.address)), phase: .runtime, remedy: id,
            risk: "The host routes \(network.cidr) to \(bridge) from now on.", for: cause)
        for held in wrong {
            let address = held.address
            if address.address != network.address.address, let route = draft.facts.sentFrom[address.address]?.first {
                throw LeftToPerson(
                    why: "\(route) sends from \(address.address): the kernel takes it away with the address",
                    what: ["Decide who is to send from \(address.address); to see it: ip route"], withoutCommands: true)
            }
            let risk =
                address.address == network.address.address
                ? "None once \(network.address) is there: it is the same address with another mask."
                : "Whoever uses \(address.address) as gateway or connects to it must use \(network.address.address)."
            try draft.add(
                .removeAddress(link: bridge, address: held), phase: .runtime, remedy: id, risk: risk, for: cause)
        }
    }

    /// A new address in the subnet of an old one with the same mask is its secondary, and goes with it when the old
    /// one is removed, unless `promote_secondaries` is set (kernel, `__inet_del_ifa`).
    private func keepSecondaries(
        _ bridge: String, _ cause: Cause, _ draft: inout PlanDraft
    ) throws(LeftToPerson) {
        let key = SysctlName.promoteSecondaries(of: bridge)
        let values = draft.facts.state.sysctls
        guard values[key] == "0", values[SysctlName.promoteSecondaries(of: "all")] != "1" else { return }
        try draft.add(
            .setSysctl(key: key, from: "0", to: "1"), phase: .runtime, remedy: id,
            risk: "None: it keeps the remaining addresses when one is removed.", for: cause)
    }

    /// Two links with the same subnet make both unreachable, and so does a route into it by another link; which one is
    /// right, only a person knows.
    static func refuseElsewhere(_ network: Network, in draft: PlanDraft) throws(LeftToPerson) {
        for (link, addresses) in draft.facts.state.addresses.sorted(by: { $0.key < $1.key }) {
            guard link != network.bridge, let other = addresses.first(where: { $0.address.overlaps(network.cidr) })
            else {
                continue
            }
            throw LeftToPerson(
                why: "\(link) carries \(other), which overlaps \(network.cidr); two links cannot share a subnet",
                what: ["Renumber one of them; to see both: ip -4 address"], withoutCommands: true)
        }
        if let route = draft.facts.routedElsewhere[network.bridge]?.first {
            throw LeftToPerson(
                why: "\(network.cidr) takes in \(route), which leads elsewhere",
                what: ["Renumber one of them; to see it: ip route show root \(network.cidr)"], withoutCommands: true)
        }
    }
}
