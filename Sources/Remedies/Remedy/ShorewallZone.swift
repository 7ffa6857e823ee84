internal import ConfigFiles
internal import HostAccess
internal import HostModel

/// Gives the bridge a zone of shorewall's that may reach the outside, DHCP and DNS; in shorewall's own files. The
/// compiler must accept a copy of them and its ruleset must let the network through; then shorewall loads them.
struct ShorewallZone: Remedy {
    let id = "shorewall-zone"

    static let directory = "/etc/shorewall"
    static let files = ["zones", "interfaces", "policy", "rules", "snat", "masq"].map { "\(directory)/\($0)" }
    static let version = "/usr/share/shorewall/coreversion"

    func plan(_ cause: Cause, in draft: inout PlanDraft) throws(LeftToPerson) {
        let network = try draft.network(of: cause)
        let reach = try Self.reach(network, draft)
        guard !network.bridge.contains(where: { "#?+ \t,!\\".contains($0) }) else {
            throw LeftToPerson(why: "the name \(network.bridge) cannot stand in a file of shorewall", what: [])
        }
        var files = try ShorewallFiles(draft)
        let outside = try files.zone(of: reach.uplink).orLeft(
            "\(reach.uplink) is in no zone of shorewall, so which one is the outside is not known")
        let inside = try files.giveZone(to: network.bridge)
        files.allow(from: inside, to: outside)
        files.askDNS(from: inside)
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
            throw LeftToPerson(why: "the profile exempts destinations, and one row cannot leave them out", what: [])
        }
        var files = try ShorewallFiles(draft)
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

/// shorewall's files while they are edited.
private struct ShorewallFiles {
    private let before: [String: FileContent]
    private var files: [String: ShorewallFile] = [:]
    /// Before 5.0.14 `snat` was not known; where `masq` is in use, it stays so.
    private let usesMasq: Bool

    init(_ draft: PlanDraft) throws(LeftToPerson) {
        var before: [String: FileContent] = [:]
        for path in ShorewallZone.files {
            if let content = try draft.editable(path) { before[path] = content }
        }
        self.before = before
        for path in ShorewallZone.files {
            files[path] = ShorewallFile(path: path, bytes: before[path]?.bytes.bytes ?? [])
        }
        let parts = (draft.facts.firewall.shorewallVersion ?? "").split(separator: ".").compactMap { Int($0) }
        let isOld = parts.lexicographicallyPrecedes([5, 0, 14]) && !parts.isEmpty
        usesMasq = isOld || (before[Self.path("masq")] != nil && before[Self.path("snat")] == nil)
    }

    private static func path(_ name: String) -> String { "\(ShorewallZone.directory)/\(name)" }

    private func rows(_ name: String) -> [ColumnFile.Row] { files[Self.path(name)]?.rows ?? [] }

    private mutating func edit(_ name: String, _ change: (inout ShorewallFile) -> Void) {
        if var file = files[Self.path(name)] {
            change(&file)
            files[Self.path(name)] = file
        }
    }

    /// The zone that an interface is in; nil: none of its own.
    func zone(of interface: String) -> String? {
        rows("interfaces").first { $0.columns.count > 1 && Self.name($0.columns[1]) == interface }
            .flatMap { $0.columns[0] == "-" ? nil : $0.columns[0] }
    }

    /// `lxcbr1:10.5.0.0/16` and `eth+` begin with a name.
    private static func name(_ column: String) -> String { String(column.prefix { $0 != ":" }) }

    /// The zone that the bridge is in afterwards: its own, else a new one.
    mutating func giveZone(to bridge: String) throws(LeftToPerson) -> String {
        let options = ["dhcp", "bridge", "routeback"]
        let isFormat2 = files[Self.path("interfaces")]?.isFormat2 ?? false
        let hasFile = before[Self.path("interfaces")] != nil
        func row(_ zone: String, _ options: [String]) -> [String] {
            [zone, bridge] + (isFormat2 ? [] : ["-"]) + [options.joined(separator: ",")]
        }
        if let old = rows("interfaces").first(where: { $0.columns.count > 1 && Self.name($0.columns[1]) == bridge }) {
            // Of the recipe of old: options in the column where the format of old has the broadcast address.
            let place = isFormat2 ? 2 : 3
            let isShifted =
                !isFormat2 && old.columns.count == 3 && !["-", "detect"].contains(old.columns[2])
                && IPv4Address(old.columns[2]) == nil
            let text = isShifted ? old.columns[2] : old.columns.indices.contains(place) ? old.columns[place] : ""
            let present = text == "-" ? [] : text.split(separator: ",").map(String.init)
            let missing = options.filter { option in
                !present.contains { $0 == option || $0.hasPrefix(option + "=") }
            }
            let zone = old.columns[0] == "-" ? try newZone() : old.columns[0]
            if isShifted || !missing.isEmpty || zone != old.columns[0] {
                edit("interfaces") { $0.replace(old, with: row(zone, missing + present)) }
            }
            if !rows("zones").contains(where: { Self.name($0.columns[0]) == zone }) { declare(zone) }
            return zone
        }
        let zone = try newZone()
        declare(zone)
        if !hasFile { throw LeftToPerson(why: "shorewall has no interfaces file", what: ["shorewall check"]) }
        edit("interfaces") { $0.append(row(zone, options + ["tcpflags", "nosmurfs"])) }
        return zone
    }

    /// A name that no zone has: at most five characters, by default.
    private func newZone() throws(LeftToPerson) -> String {
        let taken = Set(rows("zones").map { Self.name($0.columns[0]) })
        for name in ["lxc"] + (1...9).map({ "lxc\($0)" }) where !taken.contains(name) { return name }
        throw LeftToPerson(why: "every name for a new zone of shorewall is taken", what: ["shorewall show zones"])
    }

    private mutating func declare(_ zone: String) { edit("zones") { $0.append([zone, "ipv4"]) } }

    /// Ahead of every other policy: the first that matches decides.
    mutating func allow(from inside: String, to outside: String) {
        for (source, target) in [("$FW", inside), (inside, outside)] {
            guard rows("policy").first(where: { Self.covers($0, source, target) })?.columns[2] != "ACCEPT" else {
                continue
            }
            if let own = rows("policy").first(where: { $0.columns.prefix(2) == [source, target] }) {
                edit("policy") { $0.replace(own, with: [source, target, "ACCEPT"]) }
            } else {
                edit("policy") { $0.insertFirst([source, target, "ACCEPT"]) }
            }
        }
    }

    private static func covers(_ row: ColumnFile.Row, _ source: String, _ target: String) -> Bool {
        guard row.columns.count > 2 else { return false }
        func matches(_ column: String, _ zone: String) -> Bool {
            column.split(separator: ",").contains { $0 == zone || $0 == "all" || $0 == "any" || $0 == "all+" }
        }
        return matches(row.columns[0], source) && matches(row.columns[1], target)
    }

    /// The option `dhcp` of the interface opens DHCP; DNS is a rule.
    mutating func askDNS(from zone: String) {
        let isThere = rows("rules").contains { row in
            guard row.columns.count > 2,
                row.columns[0].hasPrefix("DNS(ACCEPT)") || row.columns[0].hasPrefix("DNS/ACCEPT")
            else { return false }
            return [zone, "all", "any"].contains(row.columns[1]) && ["$FW", "all", "any"].contains(row.columns[2])
        }
        if !isThere { edit("rules") { $0.insert(["DNS(ACCEPT)", zone, "$FW"], section: "NEW") } }
    }

    /// By network and not by interface: a bridge that is made later is no source when shorewall starts.
    mutating func translate(_ network: IPv4Prefix, on uplink: String) {
        if usesMasq {
            guard !rows("masq").contains(where: { $0.columns.prefix(2) == [uplink, network.description] }) else {
                return
            }
            edit("masq") { $0.append([uplink, network.description]) }
        } else {
            let row = ["MASQUERADE", network.description, uplink]
            guard !rows("snat").contains(where: { Array($0.columns.prefix(3)) == row }) else { return }
            edit("snat") { $0.append(row) }
        }
    }

    /// The files that differ, in the order in which they are written.
    var changed: [(path: String, before: FileContent?, after: FileContent)] {
        ShorewallZone.files.compactMap { path in
            guard let file = files[path], file.bytes != before[path]?.bytes.bytes ?? [] else { return nil }
            var after = before[path] ?? FileContent(bytes: ByteString([]), mode: 0o640)
            after.bytes = ByteString(file.bytes)
            return (path, before[path], after)
        }
    }

    func risk(_ path: String, _ bridge: String) -> String {
        path.hasSuffix("/policy")
            ? "Containers of \(bridge) reach the outside, ahead of every other policy."
            : "None before shorewall loads it."
    }
}
