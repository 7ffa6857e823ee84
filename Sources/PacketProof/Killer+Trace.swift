internal import HostAccess
internal import HostModel

extension Killer {
    /// A rule or a policy that the kernel's trace names.
    init(_ kill: RuleKill, hook: String) {
        let what = kill.handle.map { "rule with handle \($0)" } ?? "policy"
        self.init(
            hook: hook, family: kill.family, table: kill.table, chain: kill.chain, handle: kill.handle.map(String.init),
            text: "\(kill.family) \(kill.table) \(kill.chain): \(what) drop")
    }

    /// The last rule or policy of iptables-legacy or ip6tables-legacy that a packet met.
    init(_ step: ProbeFindings.LegacyStep, hook: String, family: IPFamily) {
        let what = step.rule.map { "rule \($0)" } ?? "policy"
        self.init(
            hook: hook, family: family.netfilterName, table: step.table, chain: step.chain,
            rule: step.rule.map(String.init), backend: "iptables-legacy",
            text: "\(family.legacyProgram) \(step.table) \(step.chain): \(what)")
    }
}

extension IPFamily {
    var legacyProgram: String { self == .ipv4 ? "iptables-legacy" : "ip6tables-legacy" }
}
