internal import ConfigFiles
internal import HostAccess
internal import HostModel

/// Gives the bridge a zone of shorewall's that may reach the outside, DHCP and DNS; in shorewall's own files. The
/// compiler must accept a copy of them and its ruleset must let the network through; then shorewall loads them.
struct ShorewallZone: Remedy {
    let id = "shorewall-zone"

    static let directory = "/etc/shorewall"
    static let files = ["zones", "interfaces", "policy", "rules", "snat", "masq.bak", "masq"].map {
        "\(directory)/\($0)"
    }
    static let version = "/usr/share/shorewall/coreversion"

    func plan(_ cause: Cause, in draft: inout PlanDraft) throws(LeftToPerson) {
        let network = try draft.network(of: cause)
        try draft.keepAllowance(of: network)
        let reach = try Self.reach(network, draft)
        guard !network.bridge.contains(where: { "#?+ \t,!\\".contains($0) }) else {
            throw LeftToPerson(why: "the name \(network.bridge) cannot stand in a file of shorewall", what: [])
        }
        var files = try ShorewallFiles(draft)
        try files.convert(network)
        let outside = try files.zone(of: reach.uplink).orLeft(
            "\(reach.uplink) is in no zone of shorewall, so which one is the outside is not known")
        let inside = try files.giveZone(to: network.bridge)
        try files.allow(from: inside, to: outside)
        try files.askDNS(from: inside)
        let isNative =
            draft.facts.translatedNatively.contains { $0.contains(network.cidr) }
            || draft.facts.state.tables.values.contains(.translation(network.cidr))
        if !isNative {
            files.translate(network.cidr, on: reach.uplink)
        }
        try write(files, reach, cause, &draft)
    }

    /// What must be possible afterwards.
    static func reach(_ network: Network, _ draft: PlanDraft) throws(LeftToPerson) -> ShorewallReach {
        ShorewallReach(
            bridge: network.bridge, address: network.address, uplink: try draft.uplink(of: network),
            target: network.target)
    }

    /// The translation alone, for a bridge that shorewall lets through already.
    func translate(_ network: Network, _ cause: Cause, _ draft: inout PlanDraft) throws(LeftToPerson) {
        let reach = try Self.reach(network, draft)
        guard network.exempt.isEmpty else {
            throw LeftToPerson(
                why: "the profile exempts destinations, and one row cannot leave them out", what: [],
                withoutCommands: true)
        }
        var files = try ShorewallFiles(draft)
        try files.convert(network)
        files.translate(network.cidr, on: reach.uplink)
        try write(files, reach, cause, &draft)
    }

    private func write(
        _ files: ShorewallFiles, _ reach: ShorewallReach, _ cause: Cause, _ draft: inout PlanDraft
    ) throws(LeftToPerson) {
        let changed = files.changed
        guard !changed.isEmpty else { return }
        // Whoever takes the files back has shorewall load them, once all are back.
        let isOpen = draft.facts.state.openings.contains(reach)
        var also: [Change] = isOpen ? [] : [.run(.shorewallReload(reach, isOpen: false))]
        for (path, before, after) in changed {
            try draft.add(
                .file(path: path, before: before, after: after), also: also, phase: .persistent, remedy: id,
                risk: files.risk(path, reach.bridge), for: cause)
            also = []
        }
        try draft.add(
            .run(.checkShorewall(reach)), phase: .persistent, remedy: id,
            risk: "None: it compiles a copy, and nothing is loaded.", for: cause,
            command: "cp -a \(Self.directory) \(OwnedProgram.copy); shorewall check -r \(OwnedProgram.copy)")
        try draft.add(
            .run(.shorewallReload(reach, isOpen: true)), phase: .persistent, remedy: id,
            risk: "shorewall replaces all rules of iptables by those of its files; connections that are up stay up.",
            for: cause)
    }
}

extension Optional {
    fileprivate func orLeft(_ why: String) throws(LeftToPerson) -> Wrapped {
        guard let self else { throw LeftToPerson(why: why, what: ["shorewall show zones"]) }
        return self
    }
}
