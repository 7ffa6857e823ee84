internal import ConfigFiles
internal import HostAccess
internal import HostModel
internal import Probes

/// Networks that an operator has decided on, and that are not the profile's.
extension PlanDraft {
    /// Leaves a cause to a person where each network that it is about is another one by somebody's decision: nothing is
    /// made then for a network that this host does not carry, neither an address nor a translation, a rule or a unit.
    func keepOtherNetworks(_ cause: Cause) throws(LeftToPerson) {
        let networks = network(of: cause.subject).map { [$0] } ?? profile.networks
        var reason: String?
        for network in networks {
            guard let decision = decision(against: network) else { return }
            reason = reason ?? decision
        }
        guard let reason else { return }
        throw LeftToPerson(
            why: reason, what: ["Name a profile with this network if it is right: lxc-doctor --profile FILE"],
            withoutCommands: true)
    }

    /// What decides that the bridge has another network than the profile's; nil: nothing, and what is wrong is a fault.
    ///
    /// A decision is what file and host agree on: whoever makes the bridge (networkd, netplan, ifupdown, NetworkManager)
    /// gives it the very address that it carries, of another subnet. Where they differ, one of the two was changed by
    /// mistake, and the profile says which. With no address of the profile's on the bridge, a file that works at the
    /// next boot decides alone, if its network has nothing in common with the profile's; a netmask that is wrong does
    /// not. lxc-net's settings decide where they agree with one another, too. So does an address that somebody gave the
    /// bridge by means that are not known, where nothing on this host gives it one of the profile's.
    private func decision(against network: Network) -> String? {
        let bridge = network.bridge
        let carried = facts.state.addresses[bridge, default: []].map(\.address).filter { !$0.isLinkLocal }
        guard !carried.contains(where: { $0.network == network.cidr }) else { return nil }
        let settings = lxcNetSettings
        for maker in facts.bridgeMakers[bridge, default: []] {
            let addresses = maker.addresses.compactMap { IPv4Prefix($0) }.filter { $0.network != network.cidr }
            let says = "\(maker.addressFile ?? maker.file) gives \(bridge) the address"
            if let address = addresses.first(where: carried.contains) {
                return "\(says) \(address), which it carries: somebody decided on another network than \(network.cidr)"
            }
            guard maker.flaw == nil, !settings.makes(bridge: bridge),
                !carried.contains(where: { $0.overlaps(network.cidr) }),
                let address = addresses.first(where: { !$0.overlaps(network.cidr) })
            else { continue }
            return "\(says) \(address), which has nothing in common with \(network.cidr): somebody decided so"
        }
        if settings.makes(bridge: bridge), let own = settings.address, carried.contains(own),
            settings["LXC_NETWORK"] == own.network.description, !own.overlaps(network.cidr)
        {
            return
                "\(facts.lxcNet.settingsFile) makes \(bridge) the network \(own.network), which it carries: somebody "
                + "decided on another one than \(network.cidr)"
        }
        guard let address = carried.first, !carried.contains(where: { $0.overlaps(network.cidr) }),
            !given(network)
        else { return nil }
        return "\(bridge) carries \(address), and nothing on this host gives it an address of \(network.cidr)"
    }

    /// Whether a file makes the bridge the profile's network, or a part of it.
    private func given(_ network: Network) -> Bool {
        let settings = lxcNetSettings
        let addresses =
            facts.bridgeMakers[network.bridge, default: []].flatMap(\.addresses).map { IPv4Prefix($0) }
            + [settings.makes(bridge: network.bridge) ? settings.address : nil]
        return addresses.contains { $0?.overlaps(network.cidr) == true }
    }
}

extension IPv4Prefix {
    /// What a host gives itself without being told (RFC 3927).
    fileprivate var isLinkLocal: Bool { address.value >> 16 == 0xa9fe }
}
