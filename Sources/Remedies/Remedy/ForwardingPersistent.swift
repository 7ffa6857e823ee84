internal import ConfigFiles
internal import HostAccess
internal import HostModel

/// Keeps forwarding on across reboots, of IPv4 and by the same means of IPv6 with what goes with it: a file of our own that sorts last in `/etc/sysctl.d`, for systemd-sysctl
/// and for `sysctl --system` alike, and the one line of `/etc/sysctl.conf`, which the latter applies once more at the
/// very end.
struct ForwardingPersistent: Remedy {
    let id: String

    static let directory = "/etc/sysctl.d"
    static let names = ["99-zz-lxc-doctor.conf", "zz-lxc-doctor.conf", "zzzz-lxc-doctor.conf"]

    /// Every name of the switch: systemd-sysctl leaves a name that is set again to the same value in its old place,
    /// where a later line with the other name overrides it.
    let keys: [SysctlKey]
    let wanted: String
    let effect: String

    init() {
        self.init(
            remedy: "forwarding-persistent", keys: [.ipForward, .allForwarding], wanted: "1",
            effect: "The host routes between ALL its interfaces after every boot")
    }

    /// For another remedy: keys that are names of one switch.
    init(remedy: String, keys: [SysctlKey], wanted: String, effect: String) {
        id = remedy
        self.keys = keys
        self.wanted = wanted
        self.effect = effect
    }

    /// The switch of one interface, for another remedy. Nil: no interface can have this name.
    init?(link: String, remedy: String) {
        guard let key = SysctlKey.ipv4(interface: link, "forwarding") else { return nil }
        self.init(
            remedy: remedy, keys: [key], wanted: "1", effect: "What enters by \(link) is forwarded after every boot")
    }

    func plan(_ cause: Cause, in draft: inout PlanDraft) throws(LeftToPerson) {
        let files = draft.facts.sysctlFiles
        if value(files, .systemd) != wanted || value(files, .procps) != wanted {
            try overrule(files, cause, &draft)
        }
        if let setter = BootSetter.last(in: cause), setter.value != wanted { try overrule(setter, cause, &draft) }
    }

    static let ufwFile = "/etc/ufw/sysctl.conf"
    static let shorewallFile = "/etc/shorewall/shorewall.conf"

    /// Where a file switches it off for the next boot; one that nobody sets is on with the global switch.
    func keepOn(_ cause: Cause, _ draft: inout PlanDraft) throws(LeftToPerson) {
        let files = draft.facts.sysctlFiles
        let values = SysctlReplay.Tool.allCases.compactMap { value(files, $0) }
        if values.contains(where: { $0 != wanted }) { try overrule(files, cause, &draft) }
    }

    private func overrule(
        _ files: [String: String], _ cause: Cause, _ draft: inout PlanDraft
    ) throws(LeftToPerson) {
        let main = files[SysctlReplay.mainFile]
        let chosen = try ownFile(files, draft)
        try write(chosen.path, chosen.before, chosen.text, files, cause, &draft)
        var after = files
        after[chosen.path] = chosen.text.lines.text
        guard let main, value(after, .procps) != wanted, let before = try draft.editable(SysctlReplay.mainFile) else {
            return
        }
        try edit(SysctlReplay.mainFile, before, main, cause, &draft)
    }

    /// The file that switches an interface's forwarding off at boot, by one tool or the other; nil: none does.
    static func closing(_ link: String, _ files: [String: String]) -> String? {
        guard let switches = ForwardingPersistent(link: link, remedy: "") else { return nil }
        for tool in SysctlReplay.Tool.allCases {
            let outcome = switches.outcome(files, tool)
            if outcome.value == "0" { return outcome.decidedBy?.file }
        }
        return nil
    }

    /// What the tool leaves the switch at, with these files and no others.
    private func value(_ files: [String: String], _ tool: SysctlReplay.Tool) -> String? {
        outcome(files, tool).value
    }

    private func outcome(_ files: [String: String], _ tool: SysctlReplay.Tool) -> SysctlReplay.Outcome {
        let listing = SysctlReplay.directories.map { directory in
            (
                directory: directory,
                names: files.keys.filter { HostState.directory(of: $0) == directory }
                    .map { String($0.dropFirst(directory.utf8.count + 1)) }
            )
        }
        let parsed = SysctlReplay.order(listing).map { SysctlFile(path: $0, text: files[$0] ?? "") }
        let main = files[SysctlReplay.mainFile].map { SysctlFile(path: SysctlReplay.mainFile, text: $0) }
        return SysctlReplay(files: parsed, main: main).outcome(keys[0], tool: tool)
    }

    /// The first of our names with which the switch ends on under systemd-sysctl.
    private func ownFile(
        _ files: [String: String], _ draft: PlanDraft
    ) throws(LeftToPerson) -> (path: String, before: FileContent?, text: SysctlFile) {
        for name in Self.names {
            let path = "\(Self.directory)/\(name)"
            let before = try draft.editable(path)
            let comment = "# Containers reach other networks only if this host forwards packets.\n"
            var lines = TextLines(before?.bytes.bytes ?? Array(comment.utf8))
            let assignments = SysctlFile(path: path, bytes: lines.bytes).assignments
            for key in keys {
                let last = assignments.last { $0.key == key && $0.value != nil }
                if let last, last.value != wanted {
                    lines.replaceLine(last.location.line, with: "\(key) = \(wanted)")
                } else if last == nil {
                    lines.append("\(key) = \(wanted)")
                }
            }
            let text = SysctlFile(path: path, bytes: lines.bytes)
            var after = files
            after[path] = text.lines.text
            if value(after, .systemd) == wanted { return (path, before, text) }
        }
        throw LeftToPerson(
            why: "a file that sorts after any name of ours sets \(keys[0]) to something else",
            what: ["Set \(keys[0]) to \(wanted) in \(opponents(files).joined(separator: ", "))"])
    }

    /// The files that set the switch to something else.
    private func opponents(_ files: [String: String]) -> [String] {
        files.filter { path, text in
            SysctlFile(path: path, text: text).assignments.contains { assignment in
                let key = assignment.key
                return (keys.contains(key) || key.isPattern && keys.contains { key.matches($0) })
                    && assignment.value != nil && assignment.value != wanted
            }
        }.keys.sorted()
    }

    private func write(
        _ path: String, _ before: FileContent?, _ text: SysctlFile, _ files: [String: String], _ cause: Cause,
        _ draft: inout PlanDraft
    ) throws(LeftToPerson) {
        var after = before ?? FileContent(bytes: ByteString([]))
        after.bytes = ByteString(text.bytes)
        let over = opponents(files).filter { $0 != path && $0 != SysctlReplay.mainFile }
        try draft.add(
            .file(path: path, before: before, after: after), phase: .persistent, remedy: id,
            risk: effect
                + (over.isEmpty ? "." : "; it overrides \(over.joined(separator: ", "))."),
            for: cause)
    }

    /// Replaces the line that decides in a file, and keeps its old text as a comment before it.
    func edit(
        _ path: String, _ before: FileContent, _ text: String, _ cause: Cause, _ draft: inout PlanDraft
    ) throws(LeftToPerson) {
        let deciding = SysctlFile(path: path, text: text).assignments.last {
            keys.contains($0.key) && $0.value != nil
        }
        var lines = TextLines(before.bytes.bytes)
        guard let line = deciding?.location.line, let old = lines.line(line) else { return }
        lines.replaceLine(line, with: "\(keys[0]) = \(wanted)")
        lines.insert("# lxc-doctor: was \(old)", afterLine: line - 1)
        try draft.edit(
            path, before, lines.bytes, remedy: id, for: cause,
            risk: "Whoever wrote that line wanted \(wanted == "1" ? "forwarding off" : "it otherwise"); the old value "
                + "stays beside it as a comment.")
    }
}
