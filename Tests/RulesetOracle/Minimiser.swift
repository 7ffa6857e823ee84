import HostAccess
import HostModel
import LinuxHost
import OracleSupport
import PacketFilter
import Probes
import WireFormats

/// Leaves out tables and rules while model and kernel still disagree about a packet.
struct Minimiser {
    let kernel: Kernel
    let packet: TestPacket

    /// One try: nil where they agree, or where the kernel refuses the ruleset.
    private func disagreement(_ ruleset: GeneratedRuleset) throws -> OracleCase? {
        do {
            try kernel.load(ruleset)
        } catch {
            return nil
        }
        let host = RecordingHost(LiveHost())
        let model = try FilterModel(reading: host)
        let index = RuleIndex(ruleset, model.ruleset.nft)
        let (outcome, packet) = try kernel.send(packet) { index.rule($0)?.rule }
        let result = PacketWalk(ruleset: model.ruleset, host: model.forwarding).walk(packet.sample)
        var comparison = Comparison.of(outcome, result, packet.sample, isRandom: ruleset.isRandom)
        if let text = ProvenClaims(model.ruleset, model.forwarding).contradiction(outcome, packet.sample) {
            comparison = .disagreed(text)
        }
        guard case .disagreed(let reason) = comparison else { return nil }
        return OracleCase(
            name: "", reason: reason, ruleset: ruleset.text.split(separator: "\n").map(String.init),
            isRandom: ruleset.isRandom, packet: packet.sample, kernel: outcome, transcript: host.transcript)
    }

    /// Nil where the disagreement does not come again. Bounded by `tries` loaded rulesets.
    func minimise(_ ruleset: GeneratedRuleset, tries: Int = 600) throws -> OracleCase? {
        var best = ruleset
        guard var found = try disagreement(best) else { return nil }
        var left = tries
        func attempt(_ smaller: GeneratedRuleset) throws -> Bool {
            guard left > 0 else { return false }
            left -= 1
            guard let again = try disagreement(smaller) else { return false }
            (best, found) = (smaller, again)
            return true
        }
        for table in best.tables.indices.reversed() {
            var smaller = best
            smaller.tables.remove(at: table)
            _ = try attempt(smaller)
        }
        for table in best.tables.indices {
            for chain in best.tables[table].chains.indices {
                // All rules of a chain at once, then one by one.
                var smaller = best
                smaller.tables[table].chains[chain].rules = []
                if try best.tables[table].chains[chain].rules.isEmpty || attempt(smaller) { continue }
                for rule in best.tables[table].chains[chain].rules.indices.reversed() {
                    smaller = best
                    smaller.tables[table].chains[chain].rules.remove(at: rule)
                    _ = try attempt(smaller)
                }
            }
        }
        // Chains without rules that nothing jumps to.
        for table in best.tables.indices {
            for chain in best.tables[table].chains.indices.reversed()
            where best.tables[table].chains[chain].rules.isEmpty {
                if best.tables[table].backend != .nft, best.tables[table].chains[chain].hook != nil { continue }
                var smaller = best
                smaller.tables[table].chains.remove(at: chain)
                _ = try attempt(smaller)
            }
        }
        return found
    }
}
