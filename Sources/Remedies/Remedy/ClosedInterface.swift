internal import ConfigFiles
internal import HostAccess
internal import HostModel

/// An interface that a file of the operator's keeps closed: what enters by it is not forwarded, though the host as a
/// whole forwards.
struct ClosedInterface: Hashable {
    let link: String
    /// `net.ipv4.conf.LINK.forwarding`, or the same of IPv6.
    let key: SysctlKey
    /// The switch of the whole host, which sets this one as well.
    let whole: SysctlKey
    /// The file that says so.
    let file: String
    /// Not where a wildcard closes one end of a pair: that of a container has another name each time.
    let isLasting: Bool

    /// Those that no network of the profile needs, by name. One that a file names may come later; of what a wildcard
    /// closes only those that are there count.
    static func all(under whole: SysctlKey, in draft: PlanDraft) -> [ClosedInterface] {
        let files = draft.sysctlFiles.filter { !ForwardingPersistent.paths.contains($0.key) }
        let replay = SysctlReplay(texts: files)
        let needed = ["lo"] + draft.profile.networks.map(\.bridge) + draft.facts.uplinks.values
        let named = named(under: whole, in: files)
        let links = draft.facts.state.links
        return named.union(links.keys).subtracting(needed).sorted().compactMap { link in
            guard let key = key(of: link, under: whole) else { return nil }
            for tool in SysctlReplay.Tool.allCases {
                let outcome = replay.outcome(key, tool: tool)
                guard outcome.isZero, let file = outcome.decidedBy?.file else { continue }
                let isLasting = named.contains(link) || links[link]?.isVeth == false
                return ClosedInterface(link: link, key: key, whole: whole, file: file, isLasting: isLasting)
            }
            return nil
        }
    }

    private static func key(of link: String, under whole: SysctlKey) -> SysctlKey? {
        whole == .ipv6Forwarding
            ? .ipv6(interface: link, "forwarding") : .ipv4(interface: link, "forwarding")
    }

    /// The interfaces whose switch a file names.
    private static func named(under whole: SysctlKey, in files: [String: String]) -> Set<String> {
        var links: Set<String> = []
        for (path, text) in files {
            for key in SysctlFile(path: path, text: text).assignments.map(\.key) where key.parts.count == 5 {
                let link = key.parts[3]
                guard !key.isPattern, key == self.key(of: link, under: whole) else { continue }
                if !["all", "default"].contains(link) { links.insert(link) }
            }
        }
        return links
    }

    /// Whether it is open after a boot with these files, by one tool or the other.
    func isOpened(by files: [String: String]) -> Bool { !openers(with: files).isEmpty }

    /// The tools that leave it open.
    private func openers(with files: [String: String]) -> [SysctlReplay.Tool] {
        let replay = SysctlReplay(texts: files)
        return SysctlReplay.Tool.allCases.filter { tool in
            let outcome = replay.forwarding(of: key, under: whole, tool: tool)
            return outcome.value != nil && !outcome.isZero
        }
    }

    /// Adds to the end of a file what keeps it closed, where it would be open otherwise: by both tools, or by the one
    /// for which this file is the last.
    ///
    /// A value that systemd-sysctl has read before it leaves in its old place, before the line that opens: zero is then
    /// written with more digits.
    func keep(closedBy lines: inout TextLines, of path: String, among files: [String: String]) {
        var files = files
        files[path] = lines.text
        var best = (lines: lines, openers: openers(with: files).count)
        for zero in ["0", "00", "000"] where best.openers > 0 {
            var longer = lines
            longer.append(
                "# \(file) keeps \(link) closed. Forwarding is switched on after it, which would open \(link) again.")
            longer.append(
                "# Remove this together with that."
                    + (zero == "0"
                        ? "" : " (\(zero): a plain 0, read twice, counts where systemd-sysctl read it first.)"))
            longer.append("\(key) = \(zero)")
            files[path] = longer.text
            let openers = openers(with: files).count
            if openers < best.openers { best = (longer, openers) }
        }
        lines = best.lines
    }
}

extension LinkState {
    fileprivate var isVeth: Bool {
        if case .present("veth", _, _) = self { true } else { false }
    }
}

extension SysctlReplay {
    /// From the files by path, of all directories and the main one.
    init(texts files: [String: String]) {
        let listing = Self.directories.map { directory in
            (
                directory: directory,
                names: files.keys.filter { HostState.directory(of: $0) == directory }
                    .map { String($0.dropFirst(directory.utf8.count + 1)) }
            )
        }
        self.init(
            files: Self.order(listing).map { SysctlFile(path: $0, text: files[$0] ?? "") },
            main: files[Self.mainFile].map { SysctlFile(path: Self.mainFile, text: $0) })
    }
}

extension PlanDraft {
    /// The files that set sysctls at boot, as text, by path: as they are once what is planned so far is done.
    var sysctlFiles: [String: String] {
        var files = facts.sysctlFiles
        for path in ForwardingPersistent.paths + [SysctlReplay.mainFile] {
            if case .file(let content) = facts.state.path(path) { files[path] = content.bytes.text }
        }
        return files
    }
}
