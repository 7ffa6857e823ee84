internal import ConfigFiles
internal import HostAccess
internal import HostModel

/// The start-up job of the makina recipe: its guard corrected where the job is in use, or the job switched off where
/// lxc-net makes the same network and both would use one flag.
struct MakinaJobRepair: Remedy {
    let id = "makina-job"

    /// The job in its three forms, and the script that later versions of it call.
    static let jobs = [
        "/usr/bin/lxc-net-makina.sh", "/etc/init/lxc-net-makina.conf", "/etc/init.d/lxc-net-makina",
    ]
    static let enablement = "/etc/systemd/system/multi-user.target.wants/lxc-net-makina.service"
    static let files = jobs + [enablement]

    private static let variable = "USE_LXC_BRIDGE"

    func plan(_ cause: Cause, in draft: inout PlanDraft) throws(LeftToPerson) {
        if cause.id == "makina-job-guard" { return try correctGuard(cause, &draft) }
        try switchOff(cause, &draft)
    }

    private func correctGuard(_ cause: Cause, _ draft: inout PlanDraft) throws(LeftToPerson) {
        let net = draft.facts.lxcNet
        let settings = draft.facts.state.file(net.settingsFile)?.bytes.bytes ?? []
        let main = draft.facts.state.file(net.mainFile)?.bytes.bytes ?? []
        let environment = ShellSettings(path: net.mainFile, bytes: main).evaluate { path in
            path == net.settingsFile ? .text(settings) : .unreadable("it was not looked at")
        }
        guard environment.value(Self.variable) == nil else {
            throw LeftToPerson(
                why: "\(net.mainFile) sets \(Self.variable), for lxc-net and for the job alike",
                what: ["Set \(Self.variable)=\"true\" there if lxc-net may make its bridge as well"])
        }
        for path in Self.jobs {
            guard draft.facts.state.path(path) != .absent, let before = try draft.editable(path) else { continue }
            let script = InitScript(path: path, bytes: before.bytes.bytes)
            guard let condition = script.firstGuard(Self.variable), let own = script.variable(Self.variable),
                own.value != condition.wanted
            else { continue }
            var lines = TextLines(before.bytes.bytes)
            guard let line = lines.line(own.location.line), let equals = line.firstIndex(of: "=") else { continue }
            lines.replaceLine(own.location.line, with: "\(line[...equals])\"\(condition.wanted)\"")
            return try draft.edit(
                path, before, lines.bytes, remedy: id, for: cause,
                risk: "At its next start the job goes on and makes its bridge; nothing changes before.")
        }
        throw LeftToPerson(
            why: "the job does not set \(Self.variable) in a line that could be corrected",
            what: ["grep -n \(Self.variable) \(Self.jobs.joined(separator: " "))"])
    }

    private func switchOff(_ cause: Cause, _ draft: inout PlanDraft) throws(LeftToPerson) {
        let network = try draft.network(of: cause)
        guard draft.lxcNetOutcome(network) != nil else {
            throw LeftToPerson(
                why: "lxc-net makes another network than the job, and which of the two is wanted is not known",
                what: ["systemctl disable lxc-net.service", "systemctl disable lxc-net-makina.service"])
        }
        guard case .symbolicLink(let target) = draft.facts.state.path(Self.enablement) else {
            throw LeftToPerson(
                why: "the job is started by something else than \(Self.enablement)",
                what: ["systemctl disable lxc-net-makina.service"])
        }
        try draft.add(
            .symbolicLink(path: Self.enablement, before: target, after: nil), phase: .persistent, remedy: id,
            risk: "From the next boot on lxc-net alone makes \(network.bridge); the job itself stays where it is.",
            for: cause, command: "systemctl disable lxc-net-makina.service")
    }
}
