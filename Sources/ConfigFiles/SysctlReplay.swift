package import HostModel

/// What the sysctl files of a host leave a key at, without writing anything.
///
/// Source: sysctl.d(5), sysctl(8) `--system`, `src/sysctl/sysctl.c` of systemd.
package struct SysctlReplay: Sendable {
    package enum Tool: String, Sendable, CaseIterable {
        /// `systemd-sysctl`: reads `/etc/sysctl.conf` only where a file of sysctl.d links to it.
        case systemd
        /// `sysctl --system` of procps: `/etc/sysctl.conf` once more at the end.
        case procps
    }

    /// Highest precedence first: a name in an earlier directory hides the same name in later ones.
    package static let directories = [
        "/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d",
    ]
    package static let mainFile = "/etc/sysctl.conf"

    /// The files of the directories in the order in which they are applied: sorted by name, byte by byte.
    ///
    /// `listing` gives directories by precedence with the names in them.
    package static func order(_ listing: [(directory: String, names: [String])]) -> [String] {
        var chosen: [String: String] = [:]
        for (directory, names) in listing {
            for name in names where name.hasSuffix(".conf") && chosen[name] == nil {
                chosen[name] = "\(directory)/\(name)"
            }
        }
        return chosen.sorted { Array($0.key.utf8).lexicographicallyPrecedes(Array($1.key.utf8)) }.map(\.value)
    }

    private let files: [SysctlFile.Assignment]
    private let main: [SysctlFile.Assignment]

    /// `files` in the order of `order(_:)`; a file that is masked by a link to `/dev/null` is empty.
    package init(files: [SysctlFile], main: SysctlFile?) {
        self.files = files.flatMap(\.assignments)
        self.main = main?.assignments ?? []
    }

    package struct Outcome: Hashable, Sendable {
        /// Nil where nothing sets the key.
        package var value: String?
        package var decidedBy: SourceLocation?
        /// Assignments to the same kernel variable that lost, in order.
        package var overridden: [SysctlFile.Assignment]

        /// However many digits it has.
        package var isZero: Bool { SysctlFile.isZero(value) }
    }

    package func outcome(_ key: SysctlKey, tool: Tool) -> Outcome {
        let aliases = key.aliases
        let all = assignments(tool)
        let explicit = Self.explicit(all)
        let relevant = all.filter { assignment in aliases.contains { assignment.acts(on: $0, explicit) } }
        let applied = tool == .systemd ? Self.withoutRepeats(relevant) : relevant
        return Outcome(
            value: applied.last?.value, decidedBy: applied.last?.location,
            overridden: relevant.filter { $0 != applied.last })
    }

    /// What one interface's switch of forwarding is left at. The switch of the whole host, `whole`, sets it as well: that
    /// of IPv4 where its value changes, that of IPv6 whenever it is written. Nil where nothing sets it: it is off then, as
    /// the whole host is when it starts.
    ///
    /// Source: `devinet_sysctl_forward` of net/ipv4/devinet.c, `addrconf_fixup_forwarding` of net/ipv6/addrconf.c.
    package func forwarding(of interface: SysctlKey, under whole: SysctlKey, tool: Tool) -> Outcome {
        let names = whole.aliases
        let all = assignments(tool)
        let explicit = Self.explicit(all)
        let relevant = all.filter { assignment in
            ([interface] + names).contains { assignment.acts(on: $0, explicit) }
        }
        let applied = tool == .systemd ? Self.withoutRepeats(relevant) : relevant
        var isOn = false
        var deciding: SysctlFile.Assignment?
        for assignment in applied {
            if names.contains(where: { assignment.acts(on: $0, explicit) }) {
                if whole == .ipv6Forwarding || isOn != !assignment.isZero { deciding = assignment }
                isOn = !assignment.isZero
            }
            if assignment.acts(on: interface, explicit) { deciding = assignment }
        }
        return Outcome(
            value: deciding?.value, decidedBy: deciding?.location, overridden: relevant.filter { $0 != deciding })
    }

    private func assignments(_ tool: Tool) -> [SysctlFile.Assignment] {
        tool == .procps ? files + main : files
    }

    /// What is named somewhere, if only to be excluded: no wildcard acts on it.
    private static func explicit(_ all: [SysctlFile.Assignment]) -> Set<SysctlKey> {
        Set(all.filter { !$0.key.isPattern }.map(\.key))
    }

    /// systemd keeps one setting per spelling. A new value moves it to the end; the same value leaves it in its place.
    private static func withoutRepeats(_ assignments: [SysctlFile.Assignment]) -> [SysctlFile.Assignment] {
        var kept: [SysctlFile.Assignment] = []
        for assignment in assignments {
            if let index = kept.firstIndex(where: { $0.key == assignment.key }) {
                if kept[index].value == assignment.value {
                    kept[index].location = assignment.location
                    continue
                }
                kept.remove(at: index)
            }
            kept.append(assignment)
        }
        return kept
    }
}

extension SysctlFile.Assignment {
    fileprivate var isZero: Bool { SysctlFile.isZero(value) }

    /// `explicit`: keys that are named anywhere.
    fileprivate func acts(on key: SysctlKey, _ explicit: Set<SysctlKey>) -> Bool {
        guard value != nil else { return false }
        return self.key == key || self.key.isPattern && !explicit.contains(key) && self.key.matches(key)
    }
}

extension SysctlFile {
    fileprivate static func isZero(_ value: String?) -> Bool {
        value.map { !$0.isEmpty && $0.allSatisfy { $0 == "0" } } ?? false
    }
}
