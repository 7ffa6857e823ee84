internal import HostModel

/// How an exported plan has the doctor look at the host, where it is installed: before the first change, and after the
/// last one with `fix recheck`, which judges as `fix apply` does.
package struct ExportedDoctor {
    /// The options with which the plan was made: `["--profile", "makina"]`.
    private let options: [String]

    package init(options: [String] = []) {
        self.options = options
    }

    /// Where scripts look for programs: also where one is put by hand.
    static let path = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin"
    static let isInstalled = "command -v lxc-doctor >/dev/null"

    /// A call of it: `lxc-doctor fix plan --profile makina`.
    func call(_ words: String...) -> String {
        (["lxc-doctor"] + (words + options).map { Shell.quote($0) }).joined(separator: " ")
    }

    /// Writes the report into a file, a word for the shell. Fails where it could not look: statuses up to 3 are verdicts.
    func look(into file: String) -> String {
        "{ \(call("--format", "json")) >\(file); [ $? -le 3 ]; }"
    }

    /// Judges by the report in a file: one line, and one for each check that must hold now.
    func recheck(_ plan: Plan, before file: String) -> [String] {
        ["\(call("fix", "recheck")) --before \(file) >/dev/null"]
            + plan.served.map { Shell.quote(plainText("\($0.check) \($0.subject)")) }
    }

    /// What is said after it.
    var isMissing: String {
        "not re-checked: lxc-doctor is not installed here; where it is, run: \(call())"
    }
    var isWell: String { "re-checked: repaired, and nothing else is wrong" }
    var isNotAll: String { "re-checked: repaired, but more is wrong than this plan repairs: \(call("fix", "plan"))" }
    var isNoHelp: String { "re-checked: it did not help, or something else broke" }
    var cannotLook: String { "lxc-doctor could not look at this host; nothing was changed" }
}

/// One line without control characters: what comes from the host must not end a comment, or look like a line of ours.
func plainText(_ text: String) -> String {
    String(
        String.UnicodeScalarView(
            text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f || $0 == "\u{2028}" ? " " : $0 }))
}
