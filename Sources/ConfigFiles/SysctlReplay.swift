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
    }

    package func outcome(_ key: SysctlKey, tool: Tool) -> Outcome {
        let all = tool == .procps ? files + main : files
        let explicit = Set(all.filter { !$0.key.isPattern }.map(\.key))
        let aliases = key.aliases
        let relevant = all.filter { assignment in
            guard assignment.value != nil else { return false }
            if aliases.contains(assignment.key) { return true }
            // A wildcard never acts on a key that is named or excluded anywhere.
            return assignment.key.isPattern
                && aliases.contains { assignment.key.matches($0) && !explicit.contains($0) }
        }
        let applied = tool == .systemd ? Self.withoutRepeats(relevant) : relevant
        return Outcome(
            value: applied.last?.value, decidedBy: applied.last?.location,
            overridden: relevant.filter { $0 != applied.last })
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
