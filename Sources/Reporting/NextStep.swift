internal import HostModel

/// A command that the reader may type next, and what it is good for.
struct NextStep: Sendable, Hashable {
    var command: String
    var purpose: String

    /// At most two, the most useful first; none where there is nothing to do.
    static func steps(after report: Report, options: RenderingOptions) -> [NextStep] {
        let failed = report.findings.filter { $0.verdict == .fail }
        let unseen = report.findings.filter { $0.verdict == .unknown || $0.verdict == .blocked }
        var steps: [NextStep] = []
        if report.fixes == nil, report.causes.contains(where: { $0.remedy?.automatic == true }) {
            steps.append(
                NextStep(
                    command: "\(options.invocation) --auto-remediate",
                    purpose: "shows its plan and asks before it changes anything"))
        }
        // What was tried and taken back would be planned again.
        if report.fixes?.outcome != .rolledBack, report.causes.contains(where: { $0.remedy?.left != nil }) {
            steps.append(
                NextStep(
                    command: "\(options.invocation) fix plan", purpose: "says what is left to a person, and what to do")
            )
        }
        if let cause = report.causes.first(where: { report.fixes != nil || $0.remedy?.automatic != true }) {
            steps.append(NextStep(command: "lxc-doctor explain \(cause.id)", purpose: "says more about this cause"))
        } else if report.causes.isEmpty, let finding = failed.first {
            steps.append(
                NextStep(command: "lxc-doctor explain \(finding.check)", purpose: "says more about this check"))
        }
        if steps.isEmpty, let proof = report.proof, proof.verdict < .unknown {
            steps.append(
                NextStep(command: "\(options.invocation) prove", purpose: "sends again, and draws every packet's path"))
        }
        if steps.isEmpty, !report.expiredWaivers.isEmpty {
            steps.append(
                NextStep(
                    command: "sudo editor /etc/lxc-doctor/waivers.yaml", purpose: "renews or removes what has expired"))
        }
        if steps.isEmpty, !unseen.isEmpty {
            steps.append(
                report.host.privileges.contains("root")
                    ? NextStep(
                        command: "\(options.invocation) --verbose",
                        purpose: "says of every check what could not be seen")
                    : NextStep(command: "sudo \(options.invocation)", purpose: "sees more, and changes nothing"))
        }
        return steps
    }
}
