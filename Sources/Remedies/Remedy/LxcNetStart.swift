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

    /// What brings the host back to where lxc-net had not been started yet.
    enum WayBack {
        /// Its stop: the bridge was there before, and is started again, or stays.
        case stop
        /// Its stop, which must have taken the bridge away: there was none of the network.
        case stopWithoutBridge
        /// There was no bridge, and its rules were there as its start leaves them. Its stop clears those away only beside
        /// the bridge, so the bridge goes first.
        case bridgeThenStop
        /// What was there is dead and stays so, or nothing tells what it was.
        case none
    }

    /// The way back where lxc-net is not running now.
    func wayBack(from outcome: LxcNetOutcome) -> WayBack {
        let isClean = facts.state.table("lxc") == .absent && facts.lxcNetRules == .none
        if facts.state.exists(link: outcome.bridge) { return isClean ? .stop : .none }
        if isClean || !outcome.makesTable { return .stopWithoutBridge }
        let made = LxcNetRules.made(bridge: outcome.bridge, network: outcome.translated)
        return facts.lxcNetRules == made && lxcNetSettings["LXC_IPV6_NAT"] != "true" ? .bridgeThenStop : .none
    }

    mutating func start(
        _ outcome: LxcNetOutcome, phase: FixPhase = .runtime, back: WayBack, remedy: String, for cause: Cause
    ) throws(LeftToPerson) {
        try checkServer(range: lxcNetSettings["LXC_DHCP_RANGE"], phase: phase, remedy: remedy, for: cause)
        let reversible = back != .none
        let switches = try forward(phase, reversible, remedy, cause)
        let bridge = Change.deleteBridge(name: outcome.bridge)
        let isNew = !facts.state.exists(link: outcome.bridge)
        try add(
            .run(.lxcNetStart(outcome)), ahead: back == .bridgeThenStop ? [bridge] : [],
            also: (back == .stopWithoutBridge ? [bridge] : []) + switches, phase: phase, remedy: remedy,
            risk: "lxc-net makes \(outcome.bridge) anew with its DHCP server and its rules: connections of running "
                + "containers pause for a moment.",
            for: cause, reversible: reversible)
        if !reversible, isNew { bridgesForGood.insert(outcome.bridge) }
    }

    /// Where dnsmasq does not take the file of its own that the settings name, lxc-net does not start, and removes what it
    /// has made: before anything is stopped, dnsmasq is asked. `range`: the addresses that it will be told to hand out.
    /// `always`: even where there is no such file, for the program itself may be gone.
    mutating func checkServer(
        range: String?, always: Bool = false, phase: FixPhase, remedy: String, for cause: Cause
    ) throws(LeftToPerson) {
        guard let file = lxcNetSettings["LXC_DHCP_CONFILE"], let range else {
            throw LeftToPerson(
                why: "what lxc-net's settings give its dnsmasq, only a shell can tell", what: ["systemctl cat lxc-net"])
        }
        let check = Change.run(.checkDnsmasq(path: file.isEmpty ? "/dev/null" : file, range: range))
        guard always || !file.isEmpty, !changes.contains(where: { $0.change == check }) else { return }
        try add(check, phase: phase, remedy: remedy, risk: "None: it only looks.", for: cause)
    }

    /// What lxc-net does to the whole host: it switches forwarding on, of IPv6 too where its settings name an IPv6 network,
    /// and its stop leaves it on. Links that live on router advertisements go on taking them. Returns what lxc-net itself
    /// would not take back.
    private mutating func forward(
        _ phase: FixPhase, _ reversible: Bool, _ remedy: String, _ cause: Cause
    ) throws(LeftToPerson) -> [Change] {
        var back: [Change] = []
        let values = facts.state.sysctls
        if let value = values[SysctlName.ipForward], value != "1" {
            back = [.setSysctl(key: SysctlName.ipForward, from: "1", to: value)]
            back += Forwarding.notRestored(by: value, values)
        }
        guard lxcNetSettings.ipv6 != nil, values[SysctlName.ipv6Forwarding] == "0" else { return back }
        try keepRouterAdvertisements(phase: phase, remedy: remedy, for: cause, reversible: reversible)
        return back + [.setSysctl(key: SysctlName.ipv6Forwarding, from: "1", to: "0")]
            + notRestoredOfIPv6(bySwitchingTo: "0")
    }
}
