import HostAccess
import HostModel

@testable import Remedies

/// Runs the planner and the applier over a scenario, as the fix command does.
struct Repair {
    let scenario: Scenario
    let host: OverlayHost
    let store: MemoryJournalStore

    init(_ scenario: Scenario, _ host: OverlayHost, store: MemoryJournalStore? = nil) {
        self.scenario = scenario
        self.host = host
        self.store = store ?? MemoryJournalStore(host.faults)
    }

    func plan() throws -> Plan {
        Remedies.plan(for: scenario.causes, profile: Fixture.chosen, facts: try Fixture.facts(host))
    }

    var applier: Applier { Applier(host: host, store: store, identity: Fixture.identity) }

    func apply(
        _ plan: Plan, before: [Finding] = [], recheck: (([String]) -> [Finding])? = nil,
        proofs: (ProofVerdict?, ProofVerdict?) = (nil, nil), confirmation: Confirmation? = nil
    ) -> FixReport {
        let findings = recheck ?? { [scenario, host] _ in [scenario.finding(host.state)] }
        return applier.apply(
            plan,
            verify: Verification(before: before, proofBefore: proofs.0, recheck: findings, prove: { proofs.1 }),
            confirmation: confirmation)
    }
}
