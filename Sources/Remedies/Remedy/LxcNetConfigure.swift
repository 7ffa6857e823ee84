internal import ConfigFiles
internal import HostAccess
internal import HostModel

/// Makes lxc-net create the network at every boot: its settings with the profile's values, the line by which they are
/// sourced, and the unit enabled. Only what differs is written.
struct LxcNetConfigure: Remedy {
    let id = "lxc-net-configure"

    func plan(_ cause: Cause, in draft: inout PlanDraft) throws(LeftToPerson) {
        let network = try draft.network(of: cause)
        let net = draft.facts.lxcNet
        guard let unit = net.unit, draft.facts.initSystem == "systemd" else {
            throw LeftToPerson(
                why: net.unit == nil
                    ? "lxc-net is not installed" : "this host does not boot with systemd",
                what: ["Install lxc, or have this host's own network configuration make \(network.bridge)"])
        }
        guard network.nat == .masquerade else {
            throw LeftToPerson(
                why: "lxc-net always masquerades, and the profile wants \(network.nat.rawValue)", what: [])
        }
        try refuseTakeover(network, draft)
        // What it says counts only where it may be read.
        _ = try draft.editable(net.settingsFile)
        try refuseUnknownMaker(network, draft)
        try writeSettings(network, cause, &draft)
        try sourceSettings(cause, &draft)
        let settings = draft.lxcNetSettings
        if let name = wanted(network, settings).first(where: { settings[$0.0] != $0.1 })?.0 {
            throw LeftToPerson(
                why: "\(net.mainFile) decides \(name) itself, whatever \(net.settingsFile) says",
                what: ["Remove that from \(net.mainFile)"])
        }
        try enable(unit, network, cause, &draft)
    }

    /// One lxc-net manages one bridge.
    private func refuseTakeover(_ network: Network, _ draft: PlanDraft) throws(LeftToPerson) {
        guard let other = Self.onceSourced(draft)["LXC_BRIDGE"], other != network.bridge,
            let reason = claim(of: other, draft)
        else { return }
        throw LeftToPerson(
            why: "\(reason), and lxc-net can manage only one bridge",
            what: ["Have this host's own network configuration make \(network.bridge), or give up \(other)"],
            withoutCommands: true)
    }

    /// A bridge that is there, though lxc-net was told not to make it and did not, was made by something else: what that
    /// makes at the next boot, lxc-net would find in its way, and it in lxc-net's.
    private func refuseUnknownMaker(_ network: Network, _ draft: PlanDraft) throws(LeftToPerson) {
        let facts = draft.facts
        guard facts.state.exists(link: network.bridge), facts.state.path(LxcNetFacts.flag) == .absent else { return }
        let isOff: String
        if case .symbolicLink("/dev/null") = facts.state.path(LxcNetFacts.mask) {
            isOff = "lxc-net is masked"
        } else if draft.lxcNetSettings["USE_LXC_BRIDGE"] != "true" {
            isOff = "\(facts.lxcNet.settingsFile) has lxc-net make no bridge"
        } else {
            return
        }
        throw LeftToPerson(
            why: "\(isOff), and \(network.bridge) is there all the same: something else makes it, which is not known "
                + "here, and both would make it at the next boot",
            what: ["Find what makes it: grep -rs \(Shell.quote(network.bridge)) /etc"], withoutCommands: true)
    }

    /// Why lxc-net is not free to leave a bridge; nil: it is.
    private func claim(of other: String, _ draft: PlanDraft) -> String? {
        let facts = draft.facts
        if facts.state.exists(link: other) { return "lxc-net manages \(other) on this host" }
        guard draft.lxcNetSettings.makes(bridge: other) else { return nil }
        if facts.containerLinks.contains(other) { return "containers link \(other), which lxc-net makes" }
        if facts.newContainersLink(other) {
            return "\(LxcNetFacts.containerDefaults) has new containers link \(other), which lxc-net makes"
        }
        // The package comes with this name: nobody has decided anything.
        guard other != LxcNetSettings.defaults["LXC_BRIDGE"],
            case .symbolicLink = facts.state.path(LxcNetFacts.enablement)
        else { return nil }
        return "lxc-net makes \(other) at every boot (LXC_BRIDGE)"
    }

    /// With the line that sources it gone, what counts is what the settings file will say once it is read again.
    private static func onceSourced(_ draft: PlanDraft) -> LxcNetSettings {
        let net = draft.facts.lxcNet
        if draft.lxcNetSettings.sourced { return draft.lxcNetSettings }
        let sourcing = FileContent(bytes: ByteString(LxcNetSettings.sourcingLine(net)))
        return LxcNetSettings(main: sourcing, settings: draft.facts.state.file(net.settingsFile), files: net)
    }

    /// Settings that agree with one another in another network are a decision; and a larger network must not take in
    /// what another link has.
    private func refuseRenumbering(
        _ network: Network, _ settings: LxcNetSettings, _ draft: PlanDraft
    ) throws(LeftToPerson) {
        guard settings["LXC_BRIDGE"] == network.bridge, let own = settings.address, own != network.address else {
            return
        }
        let range = (settings["LXC_DHCP_RANGE"] ?? "").split(separator: ",").compactMap { IPv4Address(String($0)) }
        let agrees = range.count == 2 && range.allSatisfy(own.network.contains)
        if own.network != network.cidr, settings["LXC_NETWORK"] == own.network.description,
            agrees || !own.overlaps(network.cidr)
        {
            throw LeftToPerson(
                why: "\(draft.facts.lxcNet.settingsFile) makes \(network.bridge) the network \(own.network) in every "
                    + "setting, so somebody decided so",
                what: ["Name a profile with this network if it is right: lxc-doctor --profile FILE"],
                withoutCommands: true)
        }
        guard own.length > network.address.length else { return }
        try BridgeAddress.refuseElsewhere(network, in: draft)
    }

    private func writeSettings(_ network: Network, _ cause: Cause, _ draft: inout PlanDraft) throws(LeftToPerson) {
        let net = draft.facts.lxcNet
        let before = try draft.editable(net.settingsFile)
        let base = Self.onceSourced(draft)
        let missing = wanted(network, base).filter { base[$0.0] != $0.1 }
        guard !missing.isEmpty else { return }
        try refuseRenumbering(network, base, draft)
        let running = runningAgainst(network, cause, draft)
        if let running {
            let changed = Set(missing.map(\.0))
            if let (name, words) = draft.facts.lxcNetEdits.sorted(by: { $0.key < $1.key })
                .first(where: { !changed.contains($0.key) })
            {
                throw LeftToPerson(
                    why: "\(name) was edited since lxc-net was started: \(words). Whether it starts with that is not "
                        + "known, and where it does not, the network is gone",
                    what: ["systemctl restart lxc-net, when the containers may be without network; then: lxc-doctor"],
                    withoutCommands: true)
            }
            let range = missing.first { $0.0 == "LXC_DHCP_RANGE" }?.1 ?? base["LXC_DHCP_RANGE"]
            try draft.checkServer(range: range, always: true, phase: .persistent, remedy: id, for: cause)
            try draft.add(
                .run(.lxcNetStop(running)), phase: .persistent, remedy: id,
                risk: "The containers have no network until lxc-net is started again, a moment later."
                    + (running.address.address == network.address.address
                        ? ""
                        : " Who uses \(running.address.address) as gateway must use \(network.address.address) then."),
                for: cause)
        }
        var text = ShellSettings(path: net.settingsFile, bytes: before?.bytes.bytes ?? [])
        do throws(ConfigEditError) {
            for (name, value) in missing { try text.set(name, to: value) }
        } catch {
            throw LeftToPerson(
                why: "\(net.settingsFile) cannot be edited: \(error.message)",
                what: missing.map { "Set \($0.0)=\"\($0.1)\" in \(net.settingsFile)" })
        }
        var after = before ?? FileContent(bytes: ByteString([]))
        after.bytes = ByteString(text.bytes)
        // After a boot in between lxc-net runs with what is written here: it clears that away by the same settings.
        let replaced = running.map {
            LxcNetOutcome(bridge: $0.bridge, address: network.address, makesTable: $0.makesTable)
        }
        try draft.add(
            .file(path: net.settingsFile, before: before, after: after),
            ahead: replaced.map { [.run(.lxcNetStop($0))] } ?? [], phase: .persistent, remedy: id,
            risk: "At its next start lxc-net makes \(network.bridge)"
                + (base["LXC_BRIDGE"].map { $0 == network.bridge ? "" : " and no longer \($0)" } ?? "")
                + "; nothing changes before.",
            for: cause)
        if running != nil, let outcome = draft.lxcNetOutcome(network) {
            try draft.start(outcome, phase: .persistent, back: .stop, remedy: id, for: cause)
        }
    }

    /// lxc-net as it runs now, where it runs with settings that are wrong: it is stopped with these, and started with the
    /// new ones. Started once more by whoever takes the repair back, it makes what it made before.
    private func runningAgainst(_ network: Network, _ cause: Cause, _ draft: PlanDraft) -> LxcNetOutcome? {
        if let astray = draft.lxcNetAstray(network) { return astray }
        guard cause.id == "dhcp-range-outside-subnet", draft.facts.state.path(LxcNetFacts.flag) != .absent else {
            return nil
        }
        return draft.lxcNetOutcome(network)
    }

    private func sourceSettings(_ cause: Cause, _ draft: inout PlanDraft) throws(LeftToPerson) {
        let net = draft.facts.lxcNet
        guard !draft.lxcNetSettings.sourced else { return }
        let before = try draft.editable(net.mainFile)
        var text = TextLines(before?.bytes.bytes ?? [])
        text.append(LxcNetSettings.sourcingLine(net))
        var after = before ?? FileContent(bytes: ByteString([]))
        after.bytes = ByteString(text.bytes)
        try draft.add(
            .file(path: net.mainFile, before: before, after: after), phase: .persistent, remedy: id,
            risk: "Everything that \(net.settingsFile) sets counts from the next start of lxc-net on.", for: cause)
    }

    private func enable(
        _ unit: String, _ network: Network, _ cause: Cause, _ draft: inout PlanDraft
    ) throws(LeftToPerson) {
        switch draft.facts.state.path(LxcNetFacts.mask) {
        case .symbolicLink("/dev/null"):
            try draft.add(
                .symbolicLink(path: LxcNetFacts.mask, before: "/dev/null", after: nil), phase: .persistent, remedy: id,
                risk: "lxc-net was masked by someone; from the next boot on it may start again.", for: cause,
                command: "systemctl unmask lxc-net.service")
        case .absent: break
        case _ where unit == LxcNetFacts.mask: break
        default:
            throw LeftToPerson(
                why: "\(LxcNetFacts.mask) replaces the packaged unit, and what it does is not known",
                what: ["systemctl cat lxc-net.service"])
        }
        switch draft.facts.state.path(LxcNetFacts.enablement) {
        case .symbolicLink: return
        case .absent: break
        default:
            throw LeftToPerson(why: "\(LxcNetFacts.enablement) is not a symbolic link", what: [])
        }
        try draft.requireDirectory(of: LxcNetFacts.enablement)
        try draft.add(
            .symbolicLink(path: LxcNetFacts.enablement, before: nil, after: unit), phase: .persistent, remedy: id,
            risk: "lxc-net makes \(network.bridge), its DHCP server and its NAT at every boot.", for: cause,
            command: "systemctl enable lxc-net.service")
    }

    /// The variables with the values that the profile wants, in the order of lxc-net's own file.
    private func wanted(_ network: Network, _ current: LxcNetSettings) -> [(String, String)] {
        var values = [
            ("USE_LXC_BRIDGE", "true"), ("LXC_BRIDGE", network.bridge),
            ("LXC_ADDR", network.address.address.description), ("LXC_NETMASK", network.address.netmask.description),
            ("LXC_NETWORK", network.cidr.description),
        ]
        let range = DHCPRange(network: network, current: current["LXC_DHCP_RANGE"])
        if current["LXC_DHCP_RANGE"] != range.text {
            values += [("LXC_DHCP_RANGE", range.text), ("LXC_DHCP_MAX", String(range.count))]
        }
        return values
    }
}

/// The addresses that lxc-net's dnsmasq hands out.
private struct DHCPRange {
    let first: IPv4Address
    let last: IPv4Address

    /// The profile's; else the current one where it lies in the subnet; else everything after the bridge's address.
    init(network: Network, current: String?) {
        let subnet = network.cidr
        if network.dhcpRange.count == 2, subnet.contains(network.dhcpRange[0]), subnet.contains(network.dhcpRange[1]) {
            first = network.dhcpRange[0]
            last = network.dhcpRange[1]
            return
        }
        // Of a file with carriage returns the last one has one.
        let parts = (current ?? "").filter { $0 != "\r" }.split(separator: ",").compactMap { IPv4Address(String($0)) }
        if parts.count == 2, subnet.contains(parts[0]), subnet.contains(parts[1]), parts[0] <= parts[1] {
            first = parts[0]
            last = parts[1]
            return
        }
        let beyond = IPv4Address(value: subnet.last.value &- 1)
        let next = IPv4Address(value: network.address.address.value &+ 1)
        first = subnet.contains(next) && next <= beyond ? next : IPv4Address(value: subnet.first.value &+ 1)
        last = beyond
    }

    var text: String { "\(first),\(last)" }

    var count: Int { last < first ? 0 : Int(last.value - first.value) + 1 }
}

extension ConfigEditError {
    /// In words, for a person.
    var message: String {
        switch self {
        case .notUnderstood(let words), .unwritable(let words): words
        }
    }
}
