/// A systemd unit: its own file and its drop-ins, in the order in which they apply.
///
/// Source: systemd.unit(5).
package struct SystemdUnit: Hashable, Sendable {
    package let name: String
    package let files: [SectionFile]

    package init(name: String, files: [SectionFile]) {
        self.name = name
        self.files = files
    }

    /// The words of a list setting. An empty assignment clears what was before it, but never a dependency such as
    /// `After=`: those can only be added to.
    package func words(_ section: String, _ key: String) -> [String] {
        var words: [String] = []
        for entry in files.flatMap({ $0.entries(section, key) }) {
            if entry.value.isEmpty, section != "Unit" {
                words = []
            } else {
                words += entry.value.blankSeparated
            }
        }
        return words
    }

    /// The last value of a setting.
    package func value(_ section: String, _ key: String) -> SectionFile.Entry? {
        files.flatMap { $0.entries(section, key) }.last
    }

    package var after: [String] { words("Unit", "After") }
    package var before: [String] { words("Unit", "Before") }
    package var conditions: [SectionFile.Entry] {
        files.flatMap(\.entries).filter { $0.section == "Unit" && $0.key.hasPrefix("Condition") }
    }
    package var wantedBy: [String] { words("Install", "WantedBy") + words("Install", "RequiredBy") }

    /// The program of every `ExecStart=` that is left after the last empty one, without prefixes and arguments.
    package var programs: [String] {
        let entries = files.flatMap { $0.entries("Service", "ExecStart") }
        let start = entries.lastIndex { $0.value.isEmpty }.map { $0 + 1 } ?? 0
        return entries[start...].compactMap { entry in
            entry.value.blankSeparated.first.map { String($0.drop { "-@:+!".contains($0) }) }
        }
    }

    var hasDefaultDependencies: Bool {
        value("Unit", "DefaultDependencies").flatMap { SectionFile.boolean($0.value) } ?? true
    }
}

/// Which of two units systemd starts first.
package enum UnitOrder: String, Sendable {
    case before, after
    /// Nothing orders them: either may come first.
    case unordered

    /// The order of `one` relative to `other`, from their own settings and the fixed order of the network targets.
    ///
    /// Source: systemd.special(7), bootup(7).
    package static func of(_ one: SystemdUnit, relativeTo other: SystemdUnit) -> UnitOrder {
        var edges: [String: Set<String>] = [
            "local-fs.target": ["sysinit.target"], "sysinit.target": ["basic.target"],
            "network-pre.target": ["network.target"], "network.target": ["network-online.target"],
            "systemd-networkd.service": ["network.target"], "NetworkManager.service": ["network.target"],
            "networking.service": ["network.target", "network-online.target"],
        ]
        edges["network-pre.target", default: []].formUnion(["systemd-networkd.service", "NetworkManager.service"])
        for unit in [one, other] {
            for earlier in unit.after { edges[earlier, default: []].insert(unit.name) }
            edges[unit.name, default: []].formUnion(unit.before)
            if unit.hasDefaultDependencies {
                edges["basic.target", default: []].insert(unit.name)
                edges["sysinit.target", default: []].insert(unit.name)
            }
        }
        let forwards = reaches(one.name, other.name, edges)
        let backwards = reaches(other.name, one.name, edges)
        if forwards != backwards { return forwards ? .before : .after }
        // No rule of systemd orders these, but a unit of sysinit.target starts long before one with defaults.
        let isEarly = [one, other].map { !$0.hasDefaultDependencies && $0.wantedBy.contains("sysinit.target") }
        if isEarly[0] != isEarly[1], !forwards {
            let late = isEarly[0] ? other : one
            if late.hasDefaultDependencies { return isEarly[0] ? .before : .after }
        }
        return .unordered
    }

    private static func reaches(_ start: String, _ end: String, _ edges: [String: Set<String>]) -> Bool {
        var seen: Set<String> = [start]
        var open = [start]
        while let next = open.popLast() {
            for reached in edges[next] ?? [] where seen.insert(reached).inserted {
                if reached == end { return true }
                open.append(reached)
            }
        }
        return false
    }
}
