package import HostModel
package import WireFormats

/// What becomes of a network's packets at a link that they leave by, or would leave by if the routes changed.
extension NetworkQuestions {
    /// Whether they are translated there.
    package func translation(by output: String) throws(UndecidedTranslation) -> SourceTranslation {
        try translation(output).answer(ruleset)
    }

    /// What is asked there, with the addresses that would be wrong: borrowed ones, and those of other bridges.
    package func translationQuestion(by output: String) -> SourceTranslationQuestion { translation(output) }

    /// One container of the network.
    package var someContainer: IPv4Address { container }
}

extension Ruleset {
    /// The base chains at a hook with a priority in a range that see IPv4, as indices.
    package func chains(at hook: NftHook, _ priorities: ClosedRange<Int32>) -> [Int] {
        baseChains(type: nil, hook: hook).filter { chains[$0].base.map { priorities.contains($0.priority) } ?? false }
    }
}
