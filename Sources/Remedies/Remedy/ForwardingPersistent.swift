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
    static let paths = names.map { "\(directory)/\($0)" }

    /// Every name of the switch: systemd-sysctl leaves a name that is set again to the same value in its old place,
    /// where a later line with the other name overrides it.
    let keys: [SysctlKey]
    let wanted: String
    let effect: String

    init() {
        self.init(forNow: "forwarding-persistent")
    }

    /// The switch of the whole host, for the remedy that turns it on for now.
    init(forNow remedy: String) {
        self.init(
            remedy: remedy, keys: [.ipForward, .allForwarding], wanted: "1",
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
            try overrule(draft.sysctlFiles, cause, &draft)
        }
        if let setter = BootSetter.last(in: cause), setter.value != wanted { try overrule(setter, cause, &draft) }
    }

    static let ufwFile = "/etc/ufw/sysctl.conf"
    static let shorewallFile = "/etc/shorewall/shorewall.conf"

    /// Where a file switches it off for the next boot; one that nobody sets is on with the global switch.
    func keepOn(_ cause: Cause, _ draft: inout PlanDraft) throws(LeftToPerson) {
        let files = draft.facts.sysctlFiles
        let values = SysctlReplay.Tool.allCases.compactMap { value(files, $0) }
        if values.contains(where: { $0 != wanted }) { try overrule(draft.sysctlFiles, cause, &draft) }
    }

    private func overrule(
        _ files: [String: String], _ cause: Cause, _ draft: inout PlanDraft
    ) throws(LeftToPerson) {
        let main = files[SysctlReplay.mainFile]
        let chosen = try ownFile(files, draft, setting: keys)
        try write(chosen.path, chosen.before, chosen.text, files, cause, &draft)
        var after = files
        after[chosen.path] = chosen.text.lines.text
        guard let main, value(after, .procps) != wanted, let before = try draft.editable(SysctlReplay.mainFile) else {
            return
        }
        try edit(SysctlReplay.mainFile, before, main, cause, &draft)
    }

    /// What is closed again for now stays closed at the next boot, where the files would open it, or whoever switches
    /// forwarding on after them. Where that cannot be, the boot goes on as it did.
    func keepClosed(_ closed: [ClosedInterface], _ cause: Cause, _ draft: inout PlanDraft) {
        let files = draft.sysctlFiles
        let closed = closed.filter(\.isLasting)
        let isOn = SysctlReplay.Tool.allCases.allSatisfy { value(files, $0) == wanted }
        guard !isOn || closed.contains(where: { $0.isOpened(by: files) }), !closed.isEmpty else { return }
        var attempt = draft
        do throws(LeftToPerson) {
            let chosen = try ownFile(files, attempt, setting: isOn ? [] : keys)
            guard chosen.text.bytes != chosen.before?.bytes.bytes ?? [] else { return }
            try write(
                chosen.path, chosen.before, chosen.text, files, cause, &attempt,
                effect: isOn ? "The host routes between its interfaces after every boot, as it did" : effect)
            draft = attempt
        } catch {
            // What runs is repaired; no file of ours may be written, or none has the last word.
        }
    }

    /// What the tool leaves the switch at, with these files and no others.
    private func value(_ files: [String: String], _ tool: SysctlReplay.Tool) -> String? {
        SysctlReplay(texts: files).outcome(keys[0], tool: tool).value
    }

    /// Interfaces that its files keep closed, where this is the switch of the whole host.
    private func closed(_ draft: PlanDraft) -> [ClosedInterface] {
        guard let whole = [SysctlKey.ipForward, .ipv6Forwarding].first(where: keys.contains) else { return [] }
        return ClosedInterface.all(under: whole, in: draft).filter(\.isLasting)
    }

    /// The first of our names with which the switch ends on under systemd-sysctl, and what is to be closed closed, if
    /// any does that; where some are taken, the last of them.
    private func ownFile(
        _ files: [String: String], _ draft: PlanDraft, setting keys: [SysctlKey]
    ) throws(LeftToPerson) -> (path: String, before: FileContent?, text: SysctlFile) {
        var fallback: (path: String, before: FileContent?, text: SysctlFile)?
        let closed = closed(draft)
        let taken = Self.paths.filter { draft.facts.state.path($0) != .absent }
        for path in taken.reversed() + Self.paths.filter({ !taken.contains($0) }) {
            let before = try draft.editable(path)
            let comment = keys.isEmpty ? "" : "# Containers reach other networks only if this host forwards packets.\n"
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
            for interface in closed { interface.keep(closedBy: &lines, of: path, among: files) }
            let text = SysctlFile(path: path, bytes: lines.bytes)
            var after = files
            after[path] = text.lines.text
            guard value(after, .systemd) == wanted else { continue }
            if !closed.contains(where: { $0.isOpened(by: after) }) { return (path, before, text) }
            fallback = fallback ?? (path, before, text)
        }
        if let fallback { return fallback }
        throw LeftToPerson(
            why: "a file that sorts after any name of ours sets \(self.keys[0]) to something else",
            what: ["Set \(self.keys[0]) to \(wanted) in \(opponents(files).joined(separator: ", "))"])
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
        _ draft: inout PlanDraft, effect: String? = nil
    ) throws(LeftToPerson) {
        let effect = effect ?? self.effect
        var after = before ?? FileContent(bytes: ByteString([]))
        after.bytes = ByteString(text.bytes)
        var change = Change.file(path: path, before: before, after: after)
        if before == after {
            // Another remedy of this plan has written it.
            guard let made = draft.changes.last(where: { $0.change.leaves(after, at: path) }) else { return }
            change = made.change
        }
        let over = opponents(files).filter { $0 != path && $0 != SysctlReplay.mainFile }
        let kept = closed(draft).filter { text.assignments.map(\.key).contains($0.key) }
        try draft.add(
            change, phase: .persistent, remedy: id,
            risk: effect
                + (over.isEmpty ? "" : "; it overrides \(over.joined(separator: ", "))")
                + (kept.isEmpty
                    ? "."
                    : ". Not \(kept.map { "\($0.link): \($0.file) keeps it closed" }.joined(separator: ", nor "))."),
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
        if path == SysctlReplay.mainFile {
            for interface in closed(draft) { interface.keep(closedBy: &lines, of: path, among: draft.sysctlFiles) }
        }
        try draft.edit(
            path, before, lines.bytes, remedy: id, for: cause,
            risk: "Whoever wrote that line wanted \(wanted == "1" ? "forwarding off" : "it otherwise"); the old value "
                + "stays beside it as a comment.")
    }
}

extension Change {
    fileprivate func leaves(_ content: FileContent, at path: String) -> Bool {
        if case .file(let other, _, let after?) = self { other == path && after == content } else { false }
    }
}
