internal import HostModel
package import PacketFilter

/// What came of holding the model against the kernel for one packet.
package enum Comparison: Hashable, Sendable {
    case agreed
    /// A rule on the way comes out differently from packet to packet, and the model leaves both open.
    case eitherWay
    case undecided(String)
    /// One line: what the kernel did, what the model said.
    case disagreed(String)

    /// - Parameter isRandom: whether a rule of the ruleset matches by chance (limit, statistic, quota, dynamic sets).
    package static func of(_ kernel: KernelOutcome, _ model: WalkResult, _ packet: SamplePacket, isRandom: Bool)
        -> Comparison
    {
        switch model.verdict {
        case .undecided:
            let reason = model.reason ?? "no reason given"
            return isRandom && chance.contains(where: reason.contains) ? .eitherWay : .undecided(reason)
        case .dropped:
            guard kernel.fate == .dropped else {
                return .disagreed("the kernel let it pass, the model drops it (\(model.killer?.text ?? "no killer"))")
            }
            let answer = killers(kernel, model)
            // Dropped whichever way chance has it, but not always by the same rule.
            return isRandom && answer != .agreed ? .eitherWay : answer
        case .accepted:
            return kernel.fate == .dropped
                ? .disagreed(
                    "the kernel dropped it (\(kernel.killer.map(\.description) ?? "no rule")), the model accepts it")
                : ends(kernel, model, packet, isRandom)
        }
    }

    /// Words of a reason that speaks of chance.
    private static let chance = [
        "limit", "statistic", "hash", "quota", "numgen", "time", "meta hour", "dynamic", "dynset", "recent", "random",
        "chance",
    ]

    private static func killers(_ kernel: KernelOutcome, _ model: WalkResult) -> Comparison {
        guard let wanted = kernel.killer else {
            guard let said = model.killer, said.table != nil else { return .agreed }
            return .disagreed("no rule of the kernel dropped it, the model says \(place(said))")
        }
        guard let said = model.killer else {
            // Several rules may, depending on what is not known.
            if model.reason != nil { return .agreed }
            return .disagreed("the model names no killer, the kernel \(wanted)")
        }
        return said.table == wanted.table && said.chain == wanted.chain
            && (said.handle ?? said.rule) == wanted.rule
            ? .agreed : .disagreed("the kernel dropped it at \(wanted), the model at \(place(said))")
    }

    private static func place(_ killer: Killer) -> String {
        "\(killer.hook) \(killer.family ?? "") \(killer.table ?? "") \(killer.chain ?? "") \(killer.handle ?? killer.rule ?? "policy")"
    }

    private static func ends(
        _ kernel: KernelOutcome, _ model: WalkResult, _ packet: SamplePacket, _ isRandom: Bool
    ) -> Comparison {
        guard model.isLocal == (kernel.fate == .local) else {
            return .disagreed(
                kernel.fate == .local
                    ? "the kernel delivered it to the host, the model does not"
                    : "the model delivers it to the host, the kernel sent it by \(kernel.link ?? "?")")
        }
        guard kernel.fate == .left else { return .agreed }
        if model.uplink != kernel.link {
            return .disagreed("the kernel sent it by \(kernel.link ?? "?"), the model by \(model.uplink ?? "?")")
        }
        let choices = model.sourceAfter.map { [$0] } ?? model.sourceChoices ?? []
        if let source = kernel.source, !choices.contains(source) {
            return .disagreed(
                "its source is \(source), the model says \(choices.map(\.description).joined(separator: " or "))")
        }
        if let destination = kernel.destination, let said = model.destinationAfter, said != destination {
            return .disagreed("its destination is \(destination), the model says \(said)")
        }
        if let wanted = kernel.translator, kernel.source != packet.source {
            let said = model.translatedBy
            if said == nil, model.reason != nil { return .agreed }
            if said?.table != wanted.table || said?.chain != wanted.chain
                || (said?.handle ?? said?.rule) != wanted.rule
            {
                // Translated alike whichever way chance has it, but not always by the same rule.
                if isRandom { return .eitherWay }
                let place =
                    said.map { "\($0.family) \($0.table) \($0.chain) \($0.handle ?? $0.rule ?? "-")" } ?? "no rule"
                return .disagreed("\(wanted) translated it, the model says \(place)")
            }
        }
        return .agreed
    }
}
