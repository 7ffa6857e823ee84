internal import ConfigFiles
internal import HostAccess
internal import HostModel

/// shorewall's files while they are edited.
struct ShorewallFiles {
    private let before: [String: FileContent]
    private var files: [String: ShorewallFile] = [:]
    /// Before 5.0.14 `snat` was not known.
    private let usesMasq: Bool
    /// Whether the policy is to let the network out, and did not before.
    private var opensOutside = false

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
        usesMasq = parts.lexicographicallyPrecedes([5, 0, 14]) && !parts.isEmpty
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

    /// Ahead of every other policy: the first that matches decides. A policy that names the zone is somebody's decision.
    mutating func allow(from inside: String, to outside: String) throws(LeftToPerson) {
        try refuse(rows("rules").first { Self.closes($0, inside, outside, ports: []) }, inside)
        let ways = [("$FW", inside), (inside, outside)].filter { source, target in
            rows("policy").first { Self.covers($0, source, target) }?.columns[2] != "ACCEPT"
        }
        let isNamed = { (row: ColumnFile.Row) in row.columns.prefix(2).flatMap(Self.zones).contains(inside) }
        for (source, target) in ways {
            guard
                let own = rows("policy").first(where: {
                    Self.covers($0, source, target) && $0.columns[2] != "ACCEPT" && isNamed($0)
                })
            else { continue }
            try refuse(own, inside)
        }
        opensOutside = ways.contains { $0.0 == inside }
        for (source, target) in ways { edit("policy") { $0.insertFirst([source, target, "ACCEPT"]) } }
    }

    private func refuse(_ row: ColumnFile.Row?, _ zone: String) throws(LeftToPerson) {
        guard let row else { return }
        throw LeftToPerson(
            why: "shorewall's own files speak of the zone \(zone), so it may be meant: \(row.location) "
                + "(\(row.columns.joined(separator: " ")))",
            what: ["Where it is not meant: ACCEPT in that row, then shorewall check and shorewall reload"],
            withoutCommands: true)
    }

    /// Whether a rule that names the zone drops all that goes from it to another, or to one of these ports there.
    /// Source: shorewall-rules(5).
    private static func closes(_ row: ColumnFile.Row, _ source: String, _ target: String, ports: [String]) -> Bool {
        let columns = row.columns
        guard columns.count > 2 else { return false }
        // `REJECT:info`, `DNS(DROP)`, `DNS/REJECT`
        let words = columns[0].split { ":(/!)".contains($0) }
        guard let verdict = words.first(where: { ["DROP", "REJECT"].contains($0) }) else { return false }
        let macro = words.first == verdict ? nil : words.first
        guard columns[1] == source, [target, "all", "any"].contains(columns[2]) else { return false }
        if let macro { return ports.contains("53") && macro == "DNS" }
        let rest = columns.dropFirst(3)
        guard rest.contains(where: { $0 != "-" }) else { return true }
        let list = columns.count > 4 ? columns[4].split(separator: ",").map(String.init) : []
        return !ports.isEmpty && (list.isEmpty || list == ["-"] || list.contains { ports.contains($0) })
    }

    private static func zones(_ column: String) -> [String] {
        column.split(separator: ",").map(String.init)
    }

    private static func covers(_ row: ColumnFile.Row, _ source: String, _ target: String) -> Bool {
        guard row.columns.count > 2 else { return false }
        func matches(_ column: String, _ zone: String) -> Bool {
            zones(column).contains { $0 == zone || $0 == "all" || $0 == "any" || $0 == "all+" }
        }
        return matches(row.columns[0], source) && matches(row.columns[1], target)
    }

    /// The option `dhcp` of the interface opens DHCP; DNS is a rule. A row that keeps the zone from this host is somebody's
    /// decision.
    mutating func askDNS(from zone: String) throws(LeftToPerson) {
        try refuse(rows("rules").first { Self.closes($0, zone, "$FW", ports: ["53", "domain"]) }, zone)
        let own = rows("policy").first { Array($0.columns.prefix(2)) == [zone, "$FW"] }
        try refuse(own.flatMap { $0.columns.count > 2 && $0.columns[2] != "ACCEPT" ? $0 : nil }, zone)
        let isThere = rows("rules").contains { row in
            guard row.columns.count > 2,
                row.columns[0].hasPrefix("DNS(ACCEPT)") || row.columns[0].hasPrefix("DNS/ACCEPT")
            else { return false }
            return [zone, "all", "any"].contains(row.columns[1]) && ["$FW", "all", "any"].contains(row.columns[2])
        }
        if !isThere { edit("rules") { $0.insert(["DNS(ACCEPT)", zone, "$FW"], section: "NEW") } }
    }

    /// Since 5.0.14 shorewall turns `masq` into `snat` by itself, the next time that it compiles, and keeps the old file
    /// beside; no journal would know of it. So it is done here, as it does it. A row whose source is the bridge gets the
    /// network in its place: where the bridge is made later than shorewall starts, shorewall does not start at all.
    mutating func convert(_ network: Network) throws(LeftToPerson) {
        if !usesMasq, let old = before[Self.path("masq")] {
            for row in rows("masq") {
                let rest = row.columns.dropFirst(2)
                guard row.columns.count > 1, rest.allSatisfy({ $0 == "-" }),
                    row.columns.prefix(2).allSatisfy({ !$0.contains { ":+!,".contains($0) } && $0 != "-" })
                else {
                    throw LeftToPerson(
                        why:
                            "\(row.location) is of the format before shorewall 5.0.14, and means more than is known here",
                        what: ["shorewall reload, which turns masq into snat"])
                }
                edit("snat") { $0.append(["MASQUERADE", row.columns[1], row.columns[0]]) }
            }
            files[Self.path("masq.bak")] = ShorewallFile(path: Self.path("masq.bak"), bytes: old.bytes.bytes)
            files[Self.path("masq")] = nil
        }
        let name = usesMasq ? "masq" : "snat"
        for row in rows(name) where row.columns.count > 1 && row.columns[1] == network.bridge {
            var columns = row.columns
            columns[1] = network.cidr.description
            edit(name) { $0.replace(row, with: columns) }
        }
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
    var changed: [(path: String, before: FileContent?, after: FileContent?)] {
        ShorewallZone.files.compactMap { path in
            guard let file = files[path] else { return before[path].map { (path, $0, nil) } }
            guard file.bytes != before[path]?.bytes.bytes ?? [] else { return nil }
            // A file of old keeps its rights under its other name.
            let like = path == Self.path("masq.bak") ? before[Self.path("masq")] : nil
            var after = before[path] ?? like ?? FileContent(bytes: ByteString([]), mode: 0o640)
            after.bytes = ByteString(file.bytes)
            return (path, before[path], after)
        }
    }

    func risk(_ path: String, _ bridge: String) -> String {
        path.hasSuffix("/policy")
            ? (opensOutside
                ? "Containers of \(bridge) reach the outside" : "This host reaches the containers of \(bridge)")
                + ", ahead of every other policy."
            : "None before shorewall loads it."
    }
}
