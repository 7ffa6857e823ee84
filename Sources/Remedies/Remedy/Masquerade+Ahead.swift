internal import ConfigFiles
internal import HostAccess
internal import HostModel
internal import Probes
internal import WireFormats

/// The translation as a rule of nftables in the chain of others, right ahead of the rule that shadows it: what comes
/// before that keeps its exemptions, and those that come behind it are left out of the rule.
extension Masquerade {
    /// Plans the rule; false where nothing is exempt, so that a table of its own does the same and stays where the owner
    /// of the chain makes that anew.
    func planAhead(
        _ network: Network, _ cause: Cause, _ advice: String, _ draft: inout PlanDraft
    ) throws(LeftToPerson) -> Bool {
        let facts = draft.facts
        guard facts.nftablesMissing == nil else { return false }
        guard let place = facts.translationPlaces[network.name] else {
            throw LeftToPerson(
                why: facts.translationPlaceless[network.name]
                    ?? "the rule that comes first may be an exemption made on purpose",
                what: ["Put before that rule, or narrow it: \(advice)"], withoutCommands: true)
        }
        let rule = place.rule
        let ownMatches: [IptablesRule.Match] = [.source(network.cidr), .notDestination(network.cidr)]
        let isExempt = facts.translationExemptions.contains { !facts.translationShadows.contains($0) }
        if !isExempt, rule.matches == ownMatches { return false }
        if let refusal = place.refusal {
            throw LeftToPerson(
                why: refusal, what: ["In that program's own way, ahead of the rule: \(rule.text)"],
                withoutCommands: true)
        }
        try draft.add(
            .addNftRule(rule), phase: .runtime, remedy: id,
            risk:
                "Everything from \(network.cidr) to other networks gets the host's address, but for what is exempt now; "
                + "flows that exist already keep theirs until a step of its own ends them.",
            for: cause,
            command: "nft insert rule \(rule.place) handle \(place.handle) \(Shell.quote(rule.text))")
        try saveAhead(rule, cause, &draft)
        return true
    }

    /// In the file that makes the chain at boot, ahead of the same rule. A chain that no file makes is gone with the
    /// boot, and so is what shadows.
    private func saveAhead(_ rule: NftChainRule, _ cause: Cause, _ draft: inout PlanDraft) throws(LeftToPerson) {
        guard case .before(_, let neighbour) = rule.position else { return }
        let place = rule.place
        try draft.editNftables(
            making: place, remedy: id, for: cause, byHand: ["In that chain, ahead of `\(neighbour)`: \(rule.text)"]
        ) { file in
            file.adding(
                rule.text, ahead: neighbour, inChain: place.chain, family: place.family.name, table: place.table)
        }
    }
}
