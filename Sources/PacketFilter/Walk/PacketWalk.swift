/// Follows one packet through the host, hook by hook. What is not known is taken both ways.
package struct PacketWalk: Sendable {
    package let ruleset: Ruleset
    package let host: HostForwarding
    let plan: HookPlan

    /// More ways than this, and the answer is undecided.
    static let mostRuns = 512
    /// More rules than this on all ways together, the same: many rules and many ways would be hours.
    private static let mostSteps = 500_000

    /// - Parameter passesDevices: whether chains of single devices are passed over, as for packets that stand for many,
    ///   which may come in anywhere.
    package init(ruleset: Ruleset, host: HostForwarding, passesDevices: Bool = false) {
        self.ruleset = ruleset
        self.host = host
        plan = HookPlan(ruleset, passesDevices: passesDevices)
    }

    package func walk(_ packet: SamplePacket) -> WalkResult {
        let choices = WalkChoices()
        var results: [WalkResult] = []
        var (runs, steps) = (0, 0)
        var namesDiffer = false
        var isWhole = false
        repeat {
            let run = PacketRun(self, packet, choices)
            run.run()
            runs += 1
            steps += run.steps
            if let reason = run.limit {
                var result = WalkResult(verdict: .undecided, reason: reason, path: run.path)
                if let rule = run.limitRule { result.dependsOn = ruleset.dependences([Doubt(reason, rule: rule)]) }
                return result
            }
            let result = run.result
            if let known = results.first(where: { Self.agree($0, result) }) {
                if known.killer != result.killer || known.translatedBy != result.translatedBy { namesDiffer = true }
            } else {
                results.append(result)
            }
            isWhole = !choices.advance()
        } while !isWhole && runs < Self.mostRuns && steps < Self.mostSteps && results.count < 16
        if results.count == 1, var only = results.first, isWhole {
            // The same end on every way, but not by the same rule.
            if namesDiffer {
                (only.killer, only.translatedBy) = (nil, nil)
                only.reason = "which rule it is depends on what is not known: " + choices.doubts.words
                only.dependsOn = ruleset.dependences(choices.doubts)
            }
            return only
        }
        return undecided(results, choices.doubts)
    }

    private static func agree(_ left: WalkResult, _ right: WalkResult) -> Bool {
        left.verdict == right.verdict
            && (left.verdict == .dropped
                || left.sourceAfter == right.sourceAfter && left.sourceChoices == right.sourceChoices
                    && left.destinationAfter == right.destinationAfter && left.uplink == right.uplink)
    }

    /// What all ways have in common is kept.
    private func undecided(_ results: [WalkResult], _ doubts: [Doubt]) -> WalkResult {
        var result = results.first ?? WalkResult(verdict: .undecided)
        if results.contains(where: { $0.verdict != result.verdict }) || results.count < 2 {
            result.killer = nil
            result.translatedBy = nil
        }
        result.verdict = .undecided
        result.reason = "depends on what is not known: " + doubts.words
        result.dependsOn = ruleset.dependences(doubts)
        if results.contains(where: { $0.sourceAfter != result.sourceAfter }) { result.sourceAfter = nil }
        if results.contains(where: { $0.uplink != result.uplink }) { result.uplink = nil }
        if results.contains(where: { $0.destinationAfter != result.destinationAfter }) { result.destinationAfter = nil }
        return result
    }
}
