package import HostModel

/// One way to repair a cause: a pure function from the cause and what is known of the host to changes.
protocol Remedy: Sendable {
    /// As check files name it.
    var id: String { get }
    /// Whether it is done for the profile's network, and so not where somebody has decided on another one.
    var isForNetwork: Bool { get }
    /// Adds the changes that repair the cause, or says why a person must do it.
    func plan(_ cause: Cause, in draft: inout PlanDraft) throws(LeftToPerson)
}

extension Remedy {
    var isForNetwork: Bool { true }
}

/// The remedies of this program, in the order in which they are applied: each may rely on those before it.
enum RemedyCatalog {
    static let all: [any Remedy] = [
        LXCInstall(), NetworkUpFlag(), BridgeCreate(), BridgeUp(), BridgeAddress(), Forwarding(), InterfaceForwarding(),
        IPv6Forwarding(), RouterAdvertisements(), Masquerade(), FirewallAccept(), FirewalldZone(), ShorewallZone(),
        ContainerConfig(), ContainerPort(),
        ContainerAddress(), ContainerHardwareAddress(), ForgetFlows(), LxcNetConfigure(), MakinaJobRepair(),
        BridgePersistent(), MasqueradePersistent(), ForwardingPersistent(),
    ]
}

/// The ids of the causes' remedies that this program applies by itself, for `list remedies`.
package let automaticRemedies: [String] = RemedyCatalog.all.map(\.id)

/// Turns causes into an ordered plan. Pure: the same causes and facts give the same plan.
///
/// Causes without an automatic remedy are listed in `byHand`, with their own advice.
package func plan(for causes: [Cause], profile chosen: ChosenProfile, facts: PlanFacts) -> Plan {
    var draft = PlanDraft(profile: chosen.profile, facts: facts)
    var served: [ServedCause] = []
    var byHand: [ByHand] = []
    for remedy in RemedyCatalog.all {
        for cause in causes where cause.remedy?.id == remedy.id {
            do throws(LeftToPerson) {
                var attempt = draft
                if remedy.isForNetwork { try attempt.keepOtherNetworks(cause) }
                try remedy.plan(cause, in: &attempt)
                try attempt.credit(cause, remedy: remedy.id)
                draft = attempt
                served.append(ServedCause(cause))
            } catch {
                byHand.append(leave(cause, error))
            }
        }
    }
    for cause in causes where !automaticRemedies.contains(cause.remedy?.id ?? "") {
        if draft.mendsOnTheWay(cause) {
            served.append(ServedCause(cause))
            continue
        }
        byHand.append(
            leave(cause, LeftToPerson(why: "there is no automatic remedy for it in this version", what: [])))
    }
    let order = draft.changes.filter { $0.phase == .runtime } + draft.changes.filter { $0.phase == .persistent }
    return Plan(
        profile: chosen.profile.name, refusal: refusal(chosen), causes: served, changes: order, byHand: byHand)
}

private func leave(_ cause: Cause, _ reason: LeftToPerson) -> ByHand {
    var what = reason.what
    // A plan that leaves it to a person has nothing to export.
    let commands = reason.withoutCommands ? [] : cause.remedy?.commands ?? []
    for command in commands where !what.contains(command) && !command.hasPrefix("lxc-doctor fix ") {
        what.append(command)
    }
    if what.isEmpty { what = ["Read: lxc-doctor explain \(cause.id)"] }
    return ByHand(cause: cause.id, subject: cause.subject, why: reason.why, what: what)
}

private func refusal(_ chosen: ChosenProfile) -> String? {
    guard !chosen.supported else { return nil }
    return "nothing on this host speaks for the profile \(chosen.profile.name) beyond doubt (\(chosen.because)); "
        + "name it with --profile \(chosen.profile.name) if it is right"
}
