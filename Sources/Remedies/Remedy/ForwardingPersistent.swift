internal import HostAccess
internal import HostModel

/// Keeps IPv4 forwarding on across reboots: a file of our own that sorts last in `/etc/sysctl.d`, for systemd-sysctl
/// and for `sysctl --system` alike, and the one line of `/etc/sysctl.conf`, which the latter applies once more at the
/// very end.
struct ForwardingPersistent: Remedy {
    let id = "forwarding-persistent"

    static let mainFile = "/etc/sysctl.conf"
    static let directory = "/etc/sysctl.d"
    static let names = ["99-zz-lxc-doctor.conf", "zz-lxc-doctor.conf", "zzzz-lxc-doctor.conf"]

    private let key = SysctlName.ipForward

    func plan(_ cause: Cause, in draft: inout PlanDraft) throws(LeftToPerson) {
        let overriding = draft.facts.sysctlFiles.filter { path, text in
            path != Self.mainFile && last(in: text) != nil && last(in: text)?.value != "1"
        }
        let latest = overriding.keys.map { String($0.split(separator: "/").last ?? "") }
            .filter { !Self.names.contains($0) }.max { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
        guard let name = Self.names.first(where: { sorts($0, after: latest) }) else {
            throw LeftToPerson(
                why: "\(latest ?? "a file") sets \(key) to another value and sorts after any name of ours",
                what: ["Set it to 1 in \(overriding.keys.sorted().joined(separator: ", "))"])
        }
        try writeOwnFile(Self.directory + "/" + name, overriding.keys.sorted(), cause, &draft)
        try editMainFile(cause, &draft)
    }

    private func writeOwnFile(
        _ path: String, _ overriding: [String], _ cause: Cause, _ draft: inout PlanDraft
    ) throws(LeftToPerson) {
        let before = try draft.editable(path)
        var text = TextLines(before?.bytes.bytes ?? [])
        if last(in: text.texts.joined(separator: "\n"))?.value == "1" { return }
        if before == nil { text.append("# Containers reach other networks only if this host forwards packets.") }
        text.append("\(key) = 1")
        var after = before ?? FileContent(bytes: ByteString([]))
        after.bytes = ByteString(text.bytes)
        let over = overriding.filter { $0 != path }
        try draft.add(
            .file(path: path, before: before, after: after), phase: .persistent, remedy: id,
            risk: "The host routes between ALL its interfaces after every boot"
                + (over.isEmpty ? "." : "; it overrides \(over.joined(separator: ", "))."),
            for: cause)
    }

    private func editMainFile(_ cause: Cause, _ draft: inout PlanDraft) throws(LeftToPerson) {
        guard let text = draft.facts.state.file(Self.mainFile)?.bytes.text, let assignment = last(in: text),
            assignment.value != "1", let before = try draft.editable(Self.mainFile)
        else { return }
        var lines = TextLines(before.bytes.bytes)
        let old = lines.texts[assignment.line]
        lines.replace(assignment.line, with: ["# lxc-doctor: was \(old)", "\(key) = 1"])
        var after = before
        after.bytes = ByteString(lines.bytes)
        try draft.add(
            .file(path: Self.mainFile, before: before, after: after), phase: .persistent, remedy: id,
            risk: "Whoever wrote that line wanted forwarding off; the old value stays beside it as a comment.",
            for: cause)
    }

    /// The assignment that decides within one file.
    private func last(in text: String) -> SysctlAssignment? {
        SysctlAssignment.all(in: TextLines(Array(text.utf8)).texts).last { $0.key == key }
    }

    private func sorts(_ name: String, after other: String?) -> Bool {
        guard let other else { return true }
        return Array(other.utf8).lexicographicallyPrecedes(Array(name.utf8))
    }
}
