internal import HostAccess
internal import HostModel

/// A plan as an Ansible playbook with the same changes.
///
/// It needs Ansible on the controlling machine, nothing but modules of `ansible.builtin`, and on the host root, Python,
/// a POSIX shell, coreutils and the programs that the shell script needs. Every step is looked at before anything is
/// changed: where the host is not as planned, the play fails and has changed nothing. Run twice, it changes nothing
/// the second time. The doctor, where it is installed, looks before the first change and judges after the last one: the
/// play fails where the whole did not help, broke something, or more is wrong. Unlike `fix apply` it takes nothing back.
package func ansiblePlaybook(_ plan: Plan, doctor: ExportedDoctor = ExportedDoctor()) -> String {
    let plan = plan.withWholeFiles
    let changes = plan.changes.map { ShellChange($0.change) }
    var lines = [
        "---",
        "# lxc-doctor: a repair of the profile \(Yaml.comment(plan.profile))"
            + (plan.hostname.map { " on \(Yaml.comment($0))" } ?? "") + ". Read it before you run it.",
        "# Needs: root on the host (become), and there a POSIX shell, coreutils, iproute2, nft where a table is made;",
        "# lxc-doctor to re-check, where it is installed. The play fails where a step fails, and at its end where the",
        "# re-check says that it did not help, that something broke, or that more is wrong. It takes nothing back.",
        "- name: \(Yaml.text("lxc-doctor: repair \(plan.profile)"))",
        "  hosts: \(Yaml.text(plan.hostname ?? "all"))", "  become: true", "  gather_facts: false", "  tasks:",
    ]
    if let refusal = plan.refusal {
        lines += task("Refused", "fail", ["msg: \(Yaml.text(refusal))"])
    }
    var touched: Set<String> = []
    for (index, change) in changes.enumerated() {
        if touched.isDisjoint(with: change.resources.union(change.needs)) {
            lines += task(
                "Look at \(plan.changes[index].step.target)", "command",
                ["argv: [/bin/sh, -c, \(Yaml.text("{ \(change.isAfter); } || { \(change.isBefore); }"))]"],
                more: ["changed_when: false"])
        }
        touched.formUnion(change.resources)
    }
    if !changes.isEmpty { lines += look(doctor) }
    for (index, change) in changes.enumerated() {
        lines += make(plan.changes[index], change, index + 1)
    }
    if !changes.isEmpty { lines += recheck(plan, doctor) }
    if plan.changes.isEmpty && plan.refusal == nil {
        lines += task("Nothing to do", "debug", ["msg: There is nothing that can be repaired."])
    }
    for item in plan.byHand {
        lines += [
            "# By hand: \(Yaml.comment("\(item.cause) (\(item.subject)): \(item.why)"))"
        ]
        lines += item.what.map { "#   \(Yaml.comment($0))" }
    }
    return lines.joined(separator: "\n") + "\n"
}

private func make(_ planned: PlannedChange, _ change: ShellChange, _ number: Int) -> [String] {
    let step = planned.step
    let name = "\(step.target): \(step.id)"
    let risk = ["# risk: \(Yaml.comment(step.risk))", "# undo: \(Yaml.comment(step.reversal))"]
    switch planned.change {
    case .file(let path, let before, let after?):
        guard let text = String(validating: after.bytes.bytes, as: UTF8.self), !text.unicodeScalars.contains("\0")
        else { break }
        let kept = before == nil ? [] : keep(path, unless: change.isAfter)
        return kept
            + task(
                name, "copy",
                [
                    "dest: \(Yaml.text(path))", "content: \(Yaml.text(text))",
                    "owner: \(Yaml.text(String(after.owner)))",
                    "group: \(Yaml.text(String(after.group)))",
                    "mode: \(Yaml.text("0" + String(after.mode, radix: 8)))",
                    "follow: false",
                ], comments: risk)
    case .file(let path, _, nil):
        return keep(path, unless: change.isAfter)
            + task(name, "file", ["path: \(Yaml.text(path))", "state: absent"], comments: risk)
    case .symbolicLink(let path, _, nil):
        return task(name, "file", ["path: \(Yaml.text(path))", "state: absent"], comments: risk)
    case .symbolicLink(let path, let before, let after?):
        return task(
            name, "file",
            ["path: \(Yaml.text(path))", "src: \(Yaml.text(after))", "state: link", "follow: false"]
                + (before == nil ? [] : ["force: true"]), comments: risk)
    default: break
    }
    let script =
        "if { \(change.isAfter); }; then echo unchanged; exit 0; fi; { \(change.isBefore); } || exit 2; "
        + "\(change.make) && { \(change.isAfter); }"
    return task(
        name, "command", ["argv: [/bin/sh, -c, \(Yaml.text(script))]"],
        more: ["register: step_\(number)", "changed_when: \(Yaml.text("'unchanged' not in step_\(number).stdout"))"],
        comments: risk)
}

/// The report from before, in a directory that only root writes to.
private let report = "/run/lxc-doctor-playbook.json"

private func look(_ doctor: ExportedDoctor) -> [String] {
    let script =
        "PATH=\(ExportedDoctor.path); umask 077; rm -f \(report); \(ExportedDoctor.isInstalled) || exit 0; "
        + "\(doctor.look(into: report)) || { echo \(Shell.quote(doctor.cannotLook)) >&2; exit 1; }"
    return task(
        "Look with lxc-doctor, where it is installed", "command", ["argv: [/bin/sh, -c, \(Yaml.text(script))]"],
        more: ["changed_when: false"])
}

private func recheck(_ plan: Plan, _ doctor: ExportedDoctor) -> [String] {
    let judge = doctor.recheck(plan, before: report).joined(separator: " ")
    let script =
        "PATH=\(ExportedDoctor.path); [ -e \(report) ] || { echo \(Shell.quote(doctor.isMissing)); exit 0; }; "
        + "\(judge); status=$?; rm -f \(report); case $status in 0) echo \(Shell.quote(doctor.isWell));; "
        + "1) echo \(Shell.quote(doctor.isNotAll)) >&2;; *) echo \(Shell.quote(doctor.isNoHelp)) >&2;; esac; exit $status"
    return task(
        "Re-check with lxc-doctor, where it is installed", "command",
        ["argv: [/bin/sh, -c, \(Yaml.text(script))]"], more: ["register: recheck", "changed_when: false"])
        + task("What the re-check says", "debug", ["var: recheck.stdout"])
}

/// A copy of the file as it is, not beside it: its program might read that too.
private func keep(_ path: String, unless isAfter: String) -> [String] {
    let script =
        "if { \(isAfter); }; then exit 0; fi; copy=\(ExportBackup.directory)/$(date -u +%Y%m%dT%H%M%SZ)-$$"
        + "\(Shell.quote(path)); \(ExportBackup.makeRoom("\"$copy\"")) && cp -a \(Shell.quote(path)) \"$copy\""
    return task(
        "Keep a copy of \(path)", "command", ["argv: [/bin/sh, -c, \(Yaml.text(script))]"],
        more: ["changed_when: false"])
}

private func task(
    _ name: String, _ module: String, _ arguments: [String], more: [String] = [], comments: [String] = []
) -> [String] {
    comments.map { "    " + $0 } + ["    - name: \(Yaml.text(name))", "      ansible.builtin.\(module):"]
        + arguments.map { "        " + $0 } + more.map { "      " + $0 }
}

/// Scalars of YAML 1.1, in double quotes: nothing in them is a tag, an anchor or a number.
private enum Yaml {
    /// Ansible's own templates are kept from being read as such (`!unsafe`).
    static func text(_ value: String) -> String {
        var text = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\t": text += "\\t"
            default:
                if (0x20...0x7e).contains(scalar.value) {
                    text.unicodeScalars.append(scalar)
                } else {
                    let digits = String(scalar.value, radix: 16)
                    text += "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
                }
            }
        }
        let isTemplate = ["{{", "{%", "{#"].contains { value.contains($0) }
        return (isTemplate ? "!unsafe " : "") + "\"\(text)\""
    }

    static func comment(_ value: String) -> String {
        String(
            String.UnicodeScalarView(
                value.unicodeScalars.map { (0x20...0x7e).contains($0.value) ? $0 : "?" }))
    }
}
