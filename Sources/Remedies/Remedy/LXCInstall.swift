internal import HostAccess
internal import HostModel

/// Installs LXC through the host's package manager. It ends installed, or as it was: nothing takes it back.
struct LXCInstall: Remedy {
    let id = "lxc-install"
    let isForNetwork = false

    static let program = PackageManager.program

    func plan(_ cause: Cause, in draft: inout PlanDraft) throws(LeftToPerson) {
        guard let manager = draft.facts.packageManager else {
            throw LeftToPerson(
                why: "there is no package manager here that is known (apt, dnf, apk)", what: ["install lxc by hand"])
        }
        let again = draft.facts.packageCountsAsInstalled
        let words = manager.installation(again: again).map { Shell.quote($0) }.joined(separator: " ")
        try draft.add(
            .run(.installLXC(manager, again: again)), phase: .persistent, remedy: id,
            risk: "It fetches and installs packages with everything that they need; their scripts may start or restart "
                + "lxc-net, and containers that run pause with it.",
            for: cause, command: words, reversible: false)
    }
}
