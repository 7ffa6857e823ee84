internal import HostAccess
internal import HostModel

/// A plan as a POSIX shell script that a person can read, and run as root in place of `fix apply`.
///
/// It refuses before it changes anything where the host is not as planned, leaves alone what is done already, and
/// takes back what it did where a step fails, or where the doctor, if it is installed there, sees that the whole did
/// not help or broke something. It goes one round: what only shows once this is repaired wants another plan.
package func shellScript(_ plan: Plan, doctor: ExportedDoctor = ExportedDoctor()) -> String {
    let plan = plan.withWholeFiles
    var lines = header(plan)
    let changes = plan.changes.map { ShellChange($0.change) }
    for (index, planned) in plan.changes.enumerated() {
        lines += functions(index + 1, planned, changes[index])
    }
    if !changes.isEmpty { lines += looks(plan, doctor) }
    lines += driver(changes)
    for item in plan.byHand {
        lines += ["", comment("By hand: \(item.cause) (\(item.subject)): \(item.why)")]
        lines += item.what.map { comment("  \($0)") }
    }
    return lines.joined(separator: "\n") + "\n"
}

private func header(_ plan: Plan) -> [String] {
    let programs = Set(plan.changes.flatMap { ShellChange($0.change).programs }).sorted()
    let count = plan.changes.count == 1 ? "1 step" : "\(plan.changes.count) steps"
    var lines = [
        "#!/bin/sh",
        comment(
            "lxc-doctor: a repair of the profile \(plan.profile)" + (plan.hostname.map { " on \($0)" } ?? "")
                + ", \(count). Read it before you run it."),
        comment(
            "Needs root, a POSIX shell, coreutils" + programs.map { ", \($0)" }.joined()
                + "; lxc-doctor to re-check, where it is installed."),
        comment(
            "Exit status: 0 done; 1 a step failed, or the re-check says that the whole did not help or broke something:"
        ),
        comment(
            "what was done was taken back; 2 the host is not as planned, or cannot be looked at, and nothing was changed;"
        ),
        comment("3 done, and the re-check says that more is wrong than this plan repairs; 77 not root."),
        "set -u", "LC_ALL=C", "export LC_ALL", "PATH=\(ExportedDoctor.path)",
    ]
    if let refusal = plan.refusal {
        lines += [
            comment("REFUSED: \(refusal)"), "echo \(Shell.quote("refused: " + plainText(refusal))) >&2", "exit 2",
        ]
    }
    lines += [
        "[ \"$(id -u)\" = 0 ] || { echo 'this needs root' >&2; exit 77; }",
        "run=$(date -u +%Y%m%dT%H%M%SZ)-$$",
        "done_steps=",
        comment("Where a copy of a file lies before it is changed: not beside it, where its program might read it."),
        "keep() { backup=\(ExportBackup.directory)/$1$2; \(ExportBackup.makeRoom("\"$backup\"")); }",
    ]
    if plan.mayDisconnect {
        lines += [
            comment(
                "A STEP MAY CUT YOUR OWN CONNECTION, and this script has no dead-man switch: lxc-doctor fix apply has.")
        ]
    }
    return lines
}

private func functions(_ number: Int, _ planned: PlannedChange, _ change: ShellChange) -> [String] {
    let step = planned.step
    // A checker that was run has left nothing; what has no inverse stays.
    let staysDone = planned.undo.isEmpty && !planned.change.isCheck
    let undo = planned.undo.map { inverse in
        let inverse = ShellChange(inverse)
        return "{ \(inverse.isAfter); } || { { \(inverse.isBefore); } && \(inverse.make); } || result=1"
    }
    let needsBackup = change.make.contains("\"$backup\"") || undo.contains { $0.contains("\"$backup\"") }
    let file = change.resources.first { $0.hasPrefix("/") }.map { Shell.quote($0) } ?? ""
    let backup = needsBackup ? ["    keep $run \(file) || return 1"] : []
    let undoBackup = needsBackup ? ["    keep $run.undo \(file) || return 1"] : []
    return [
        "", comment("\(number). \(step.target): \(step.before) -> \(step.after)  [\(step.id)]"),
        comment("   risk: \(step.risk)"), comment("   undo: \(step.reversal)"),
        "target_\(number)=\(Shell.quote(plainText(step.target)))",
        "before_\(number)() {", "    \(change.isBefore)", "}",
        "after_\(number)() {", "    \(change.isAfter)", "}",
        "change_\(number)() {",
    ] + backup + ["    \(change.make)", "}", "undo_\(number)() {", "    result=\(staysDone ? 1 : 0)"] + undoBackup
        + undo.map { "    " + $0 } + ["    return $result", "}"]
}

/// The doctor's part, where it is installed: it looks before the first change, and judges after the last one.
private func looks(_ plan: Plan, _ doctor: ExportedDoctor) -> [String] {
    let report = "\"$report\""
    return [
        "",
        comment("lxc-doctor, where it is installed, looks before the first step."),
        "report=",
        "look_before() {",
        "    \(ExportedDoctor.isInstalled) || return 0",
        "    report=$(mktemp) || exit 2",
        "    trap 'rm -f \(report)' EXIT",
        "    \(doctor.look(into: report)) || { echo \(Shell.quote(doctor.cannotLook)) >&2; exit 2; }",
        "}",
        comment(
            "After the last one it judges as fix apply does: the checks that led to this plan must hold, none may fail"),
        comment("that held before, and the packet proof may be no worse."),
        "recheck() {",
        "    [ -n \(report) ] || { echo \(Shell.quote(doctor.isMissing)); exit 0; }",
        "    " + doctor.recheck(plan, before: report).joined(separator: " \\\n        "),
        "    case $? in",
        "    0) echo \(Shell.quote(doctor.isWell)) ;;",
        "    1) echo \(Shell.quote(doctor.isNotAll)) >&2; exit 3 ;;",
        "    *) echo \(Shell.quote(doctor.isNoHelp)) >&2; take_back ;;",
        "    esac",
        "}",
    ]
}

/// Looks at everything that no earlier step brings about, then does step by step.
private func driver(_ changes: [ShellChange]) -> [String] {
    var lines = [
        "",
        "stale() { eval \"echo \\\"stale: \\$target_$1 is not as planned\\\"\" >&2; }",
        "look() { \"after_$1\" || \"before_$1\" || { stale \"$1\"; echo 'nothing was changed' >&2; exit 2; }; }",
        "take_back() {",
        "    [ -z \"$done_steps\" ] || echo 'what was done is taken back' >&2",
        "    for number in $done_steps; do",
        "        \"undo_$number\" || eval \"echo \\\"not taken back: \\$target_$number\\\"\" >&2",
        "    done",
        "    exit 1",
        "}",
        "step() {",
        "    if \"after_$1\"; then eval \"echo \\\"already: \\$target_$1\\\"\"; return 0; fi",
        "    \"before_$1\" || { stale \"$1\"; take_back; }",
        "    done_steps=\"$1 $done_steps\"",
        "    { \"change_$1\" && \"after_$1\"; } || { eval \"echo \\\"failed: \\$target_$1\\\"\" >&2; take_back; }",
        "    eval \"echo \\\"done: \\$target_$1\\\"\"",
        "}",
        "",
    ]
    var touched: Set<String> = []
    for (index, change) in changes.enumerated() {
        if touched.isDisjoint(with: change.resources.union(change.needs)) { lines.append("look \(index + 1)") }
        touched.formUnion(change.resources)
    }
    guard !changes.isEmpty else { return lines }
    return lines + ["look_before"] + changes.indices.map { "step \($0 + 1)" } + ["recheck"]
}

/// One line without control characters: what comes from the host must not end the comment.
private func comment(_ text: String) -> String {
    "# " + plainText(text)
}

/// Where an exported plan keeps what it replaces: where `fix apply` does, for root alone.
enum ExportBackup {
    static let directory = "/var/lib/lxc-doctor/backup"

    /// Makes the directory of a copy; `copy` is a word for the shell.
    static func makeRoom(_ copy: String) -> String {
        "(umask 077 && mkdir -p \"$(dirname \(copy))\") && chmod 700 \(directory)"
    }
}
