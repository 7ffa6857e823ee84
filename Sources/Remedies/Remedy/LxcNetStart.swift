internal import ConfigFiles
internal import HostAccess
internal import HostModel

/// lxc-net itself, started for real: it makes bridge, address, DHCP server and rules in one go.
extension PlanDraft {
    /// What lxc-net would make if it were started now; nil where it would not make exactly this network.
    func lxcNetOutcome(_ network: Network) -> LxcNetOutcome? {
        let net = facts.lxcNet
        let settings = lxcNetSettings
        guard net.unit != nil, facts.initSystem == "systemd", network.nat == .masquerade,
            settings.makes(bridge: network.bridge),
            settings["LXC_ADDR"] == network.address.address.description,
            settings["LXC_NETMASK"] == network.address.netmask.description,
            settings["LXC_NETWORK"] == network.cidr.description
        else { return nil }
        if case .symbolicLink = facts.state.path(LxcNetFacts.mask) { return nil }
        return LxcNetOutcome(
            bridge: network.bridge, address: network.address, makesTable: settings["LXC_USE_NFT"] == "true")
    }

    /// Whether a change of this plan starts it already.
    func starts(_ outcome: LxcNetOutcome) -> Bool {
        changes.contains { $0.change == .run(.lxcNetStart(outcome)) }
    }

    /// `reversible`: before it nothing of the network was there. Else what was there is dead and stays so.
    mutating func start(
        _ outcome: LxcNetOutcome, phase: FixPhase = .runtime, reversible: Bool, remedy: String, for cause: Cause
    ) throws(LeftToPerson) {
        let switches = try keepRouterAdvertisements(outcome, phase, reversible, remedy, cause)
        try add(
            .run(.lxcNetStart(outcome)), also: switches, phase: phase, remedy: remedy,
            risk: "lxc-net makes \(outcome.bridge) anew with its DHCP server and its rules: connections of running "
                + "containers pause for a moment.",
            for: cause, reversible: reversible)
    }

    static let routerAdvertisementFile = "/etc/sysctl.d/zz-lxc-doctor-accept-ra.conf"

    /// Where lxc-net is about to switch IPv6 forwarding on, an uplink that lives on router advertisements must go on
    /// taking them first, now and after a boot. Returns what lxc-net itself would not take back.
    private mutating func keepRouterAdvertisements(
        _ outcome: LxcNetOutcome, _ phase: FixPhase, _ reversible: Bool, _ remedy: String, _ cause: Cause
    ) throws(LeftToPerson) -> [Change] {
        let settings = lxcNetSettings
        guard ["LXC_IPV6_ADDR", "LXC_IPV6_MASK", "LXC_IPV6_NETWORK"].allSatisfy({ settings[$0]?.isEmpty == false }),
            facts.state.sysctls[SysctlName.ipv6Forwarding] == "0"
        else { return [] }
        for uplink in Set(facts.uplinks.values).sorted() {
            let key = SysctlName.acceptRouterAdvertisements(of: uplink)
            guard facts.state.sysctls[key] == "1" else { continue }
            let risk = "None: \(uplink) goes on taking its routes from router advertisements once IPv6 is forwarded."
            try add(
                .setSysctl(key: key, from: "1", to: "2"), phase: phase, remedy: remedy, risk: risk, for: cause,
                reversible: reversible)
            let path = Self.routerAdvertisementFile
            let before = try editable(path)
            var lines = TextLines(
                before?.bytes.bytes
                    ?? Array("# lxc-net forwards IPv6; the uplink's routes come by advertisements.\n".utf8))
            lines.append("\(key) = 2")
            var after = before ?? FileContent(bytes: ByteString([]))
            after.bytes = ByteString(lines.bytes)
            try add(
                .file(path: path, before: before, after: after), phase: .persistent, remedy: remedy, risk: risk,
                for: cause)
        }
        return [.setSysctl(key: SysctlName.ipv6Forwarding, from: "1", to: "0")]
    }
}
