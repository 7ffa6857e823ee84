import HostModel

extension WatchStatus {
    /// A watch with everything that it can say.
    static let example: WatchStatus = {
        var status = WatchStatus(
            tool: Report.Tool(name: "lxc-doctor", version: "0.1.0"), startedAt: "2024-05-17T03:00:00Z",
            profile: "makina")
        status.judgedAt = "2024-05-17T03:12:45Z"
        status.verdict = .critical
        (status.judgements, status.judgedAnew, status.overruns, status.unwatchedFiles) = (17, 12, 1, 0)
        status.proof = Proof(mode: .fence, everySeconds: 60)
        status.proof?.provedAt = "2024-05-17T03:12:44Z"
        status.proof?.verdict = .leaked
        status.proof?.isDue = false
        status.polled = [Polled("bridge-sysctls", everySeconds: 10), Polled("iptables-legacy", everySeconds: 10)]
        status.repairs = Repairs(allowed: ["bridge-up", "forwarding"])
        status.repairs?.leftAlone = Report.masqueradeMissing.causes.map {
            LeftAlone($0, "remedy masquerade is not on the list (--remedy)")
        }
        return status
    }()
}
