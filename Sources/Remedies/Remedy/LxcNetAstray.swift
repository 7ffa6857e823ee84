internal import ConfigFiles
internal import HostAccess
internal import HostModel

/// lxc-net where it runs with the settings of another network, or of a part of the right one.
extension PlanDraft {
    /// What it made and would make again, where that is wrong and nobody else has a hand in it: then it is stopped with
    /// the settings that it runs with, which takes away all of that, corrected, and started.
    ///
    /// Nil where starting it anew would harm what it does not bring back: further addresses of the bridge, routes by way
    /// of it, rules that somebody put beside its own. Then what is wrong is mended beside it. Nil as well where the two
    /// networks have nothing in common: containers may live in the other one, and both can be there at once.
    func lxcNetAstray(_ network: Network) -> LxcNetOutcome? {
        let settings = lxcNetSettings
        guard facts.lxcNet.unit != nil, facts.initSystem == "systemd", network.nat == .masquerade,
            settings.makes(bridge: network.bridge), facts.state.path(LxcNetFacts.flag) != .absent,
            let own = settings.address, let translated = settings["LXC_NETWORK"].flatMap({ IPv4Prefix($0) }),
            own != network.address || translated != network.cidr,
            own.overlaps(network.cidr), translated.overlaps(network.cidr),
            facts.state.addresses[network.bridge]?.map(\.address) == [own],
            facts.notBroughtBack[network.bridge, default: []].isEmpty
        else { return nil }
        if case .symbolicLink = facts.state.path(LxcNetFacts.mask) { return nil }
        let outcome = LxcNetOutcome(
            bridge: network.bridge, address: own, makesTable: settings["LXC_USE_NFT"] == "true", network: translated)
        return isThere(outcome) ? outcome : nil
    }

    /// Whether the translation that lxc-net makes is there, as it makes it.
    private func isThere(_ outcome: LxcNetOutcome) -> Bool {
        let network = outcome.translated
        if outcome.makesTable { return facts.translatedByLxcNet == network }
        return IptablesFlavour.allCases.contains { flavour in
            facts.state.rules[IptablesTable(flavour, "nat")]?.lines.contains(
                "-A POSTROUTING -s \(network) ! -d \(network) -j MASQUERADE") == true
        }
    }

    /// Whether a cause that has no remedy of its own goes with the rules that lxc-net takes away when it is stopped for
    /// another one; then the changes serve it too, and its check must pass in the end.
    mutating func mendsOnTheWay(_ cause: Cause) -> Bool {
        guard cause.id == "masq-hits-east-west" else { return false }
        for change in changes {
            guard case .run(.lxcNetStop(let outcome)) = change.change, let network = outcome.network,
                cause.evidence.contains(where: { $0.value.contains(network.description) })
            else { continue }
            do throws(LeftToPerson) {
                try credit(cause, remedy: change.step.remedy)
                return true
            } catch {
                return false
            }
        }
        return false
    }

    /// Has lxc-net make the network anew where it runs astray. False: it does not, or must not be touched.
    mutating func startAstrayAnew(_ network: Network, for cause: Cause) throws(LeftToPerson) -> Bool {
        guard lxcNetAstray(network) != nil else { return false }
        let remedy = LxcNetConfigure()
        try remedy.plan(cause, in: &self)
        try credit(cause, remedy: remedy.id)
        return true
    }
}
