import HostAccess
import HostModel
import Testing

@testable import Remedies

@Suite("A repair that goes wrong")
struct CrashTests {
    @Test("is rolled back wherever a change or a journal write fails", arguments: Scenario.all)
    func failure(_ scenario: Scenario) throws {
        for event in 0..<(try events(of: scenario)) {
            let host = scenario.host
            let before = host.state.normalised
            let run = Repair(scenario, host)
            let made = try run.plan()
            host.faults.arm(.failure, at: event)
            let report = run.apply(made)
            #expect(report.outcome == (event == 0 ? .refused : .rolledBack), "event \(event)")
            #expect(report.reason?.contains("made to fail") == true)
            #expect(host.state.normalised == before, "event \(event)")
            #expect(!run.store.locked)
            #expect(try run.applier.recover().isEmpty, "event \(event)")
        }
    }

    @Test(
        "is taken back by the next start wherever the process dies", arguments: Scenario.all, [false, true])
    func death(_ scenario: Scenario, afterEffect: Bool) throws {
        let count = try events(of: scenario)
        for event in 0..<count {
            let host = scenario.host
            let before = host.state.normalised
            let run = Repair(scenario, host)
            let made = try run.plan()
            host.faults.arm(.death(afterEffect: afterEffect), at: event)
            _ = run.apply(made)
            host.faults.restart()
            run.store.unlock()
            let recovered = try run.applier.recover()
            // After the last write of the journal the repair is complete.
            let complete = event == count - 1 && afterEffect
            #expect(recovered.isEmpty == (complete || event == 0 && !afterEffect), "event \(event)")
            #expect(recovered.allSatisfy { $0.problems.isEmpty }, "\(recovered)")
            #expect(complete ? scenario.healthy(host.state) : host.state.normalised == before, "event \(event)")
            #expect(try run.applier.recover().isEmpty)
        }
    }

    @Test("is taken back when the process dies during the rollback, too", arguments: Scenario.all)
    func deathDuringRollback(_ scenario: Scenario) throws {
        // The repair fails its verification, and the process dies at every point after that.
        let count = try events(of: scenario)
        for event in (count - 1)..<(count * 2 + 4) {
            let host = scenario.host
            let before = host.state.normalised
            let run = Repair(scenario, host)
            let made = try run.plan()
            host.faults.arm(.death(afterEffect: true), at: event)
            _ = run.apply(made, recheck: { _ in [] })
            host.faults.restart()
            run.store.unlock()
            _ = try run.applier.recover()
            #expect(host.state.normalised == before, "event \(event)")
        }
    }

    @Test("never leaves a third state when the recovery itself dies", arguments: Scenario.all)
    func deathDuringRecovery(_ scenario: Scenario) throws {
        let count = try events(of: scenario)
        for event in 0..<count {
            let host = scenario.host
            let before = host.state.normalised
            let run = Repair(scenario, host)
            let made = try run.plan()
            // Half way through, then at each event of the recovery.
            host.faults.arm(.death(afterEffect: true), at: count - 2)
            _ = run.apply(made)
            host.faults.arm(.death(afterEffect: event.isMultiple(of: 2)), at: event)
            run.store.unlock()
            _ = try? run.applier.recover()
            host.faults.restart()
            run.store.unlock()
            _ = try run.applier.recover()
            #expect(host.state.normalised == before, "event \(event)")
        }
    }

    @Test("is found by the next start wherever its name stands among those of others")
    func nameOutOfOrder() throws {
        let scenario = Scenario.all[0]
        let finished = Repair(scenario, scenario.host)
        _ = finished.apply(try finished.plan())
        #expect(finished.applier.undo(nil).outcome == .undone)
        let run = Repair(scenario, scenario.host)
        let made = try run.plan()
        // The clock was ahead when these were made.
        for second in 10..<40 {
            try run.store.save(try finished.store.load(Fixture.identity.run), run: "20990101T0000\(second)Z-0000")
        }
        let before = run.host.state.normalised
        run.host.faults.arm(.death(afterEffect: true), at: try events(of: scenario) - 2)
        _ = run.apply(made)
        run.host.faults.restart()
        run.store.unlock()
        #expect(run.host.state.normalised != before)
        #expect(try unfinishedRuns(in: run.store) == [Fixture.identity.run])
        #expect(try run.applier.recover().map(\.run) == [Fixture.identity.run])
        #expect(try unfinishedRuns(in: run.store) == [])
        #expect(run.host.state.normalised == before)
    }

    /// How many lasting things a repair that works does.
    private func events(of scenario: Scenario) throws -> Int {
        let host = scenario.host
        let run = Repair(scenario, host)
        let made = try run.plan()
        host.faults.arm(nil, at: -1)
        #expect(run.apply(made).outcome == .applied)
        return host.faults.count
    }
}
