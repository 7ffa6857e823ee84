internal import HostModel
internal import WireFormats

/// Which source addresses are right.
extension SourceTranslationQuestion {
    private static let loopback = IntervalSet(0x7f00_0000...0x7fff_ffff)

    /// Addresses that no packet to the outside may leave with.
    private var wrongSources: IntervalSet {
        let never = Self.loopback.union(IntervalSet(network))
        guard let localAddresses else { return never }
        return never.union(IntervalSet(localAddresses.map { $0.address.value...$0.address.value }).complement)
    }

    /// What is wrong with an address that packets leave with, as the end of a sentence; nil: nothing.
    func fault(of source: IPv4Address) -> String? {
        guard wrongSources.contains(source.value) else { return nil }
        if Self.loopback.contains(source.value) { return "a loopback address, to which no answer comes" }
        if network.contains(source) { return "an address of the containers' own subnet, to which no answer comes" }
        return "which this host does not have"
    }

    /// The addresses that packets leave with; nil: they are not translated, they take the uplink's own, or it cannot be
    /// told.
    private func sources(_ outcome: WalkOutcome) -> IntervalSet? {
        switch outcome.result {
        case .masqueraded: borrowed.map { IntervalSet($0.value) }
        case .sourceTranslated(let addresses): addresses
        case .untranslated, .destinationTranslated, .dropped: nil
        }
    }

    /// Whether packets leave with another address, and none that is known to be wrong.
    func isGood(_ outcome: WalkOutcome) -> Bool {
        switch outcome.result {
        case .masqueraded, .sourceTranslated: !isWrongSource(outcome)
        case .untranslated, .destinationTranslated, .dropped: false
        }
    }

    /// Whether packets are translated to an address that brings no answer back.
    func isWrongSource(_ outcome: WalkOutcome) -> Bool {
        sources(outcome).map { !$0.isDisjoint(with: wrongSources) } ?? false
    }

    /// What would have to be known of the address to be sure that it is right.
    func uncertainty(_ outcome: WalkOutcome, _ ruleset: Ruleset) -> String? {
        if let sources = sources(outcome) {
            guard let first = sources.intersection(inward).ranges.first?.lowerBound else { return nil }
            return "whether answers come back to \(IPv4Address(value: first)), which this host has on another bridge"
        }
        guard outcome.result == .sourceTranslated(nil) else { return nil }
        return outcome.rule.map { "to which address `\(ruleset.text(ofRule: $0))` translates" } ?? "to which address"
    }
}
