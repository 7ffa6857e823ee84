import HostAccess
import HostModel
import Testing
import WireFormats

@testable import Remedies

/// Tracked flows that a repair has the kernel forget.
@Suite("Flows from before a rule") struct FlowTests {
    private static let flows = try? (1...3).map { try OverlayHost.flow(port: 5000 + $0, id: UInt32($0)) }

    private func host() throws -> OverlayHost {
        let host = OverlayHost(Fixture.healthy)
        host.state.flows = Set(try #require(Self.flows).map { TrackedFlow($0) })
        return host
    }

    private func plan(_ host: OverlayHost, offloaded: Int = 0) throws -> Plan {
        var facts = try Fixture.facts(host)
        facts.state.flows = host.state.flows
        facts.staleFlows["lxcbr1"] = host.state.flows.sorted { $0.id < $1.id }
        facts.offloadedFlows["lxcbr1"] = offloaded
        return Remedies.plan(
            for: [Fixture.cause("stale-conntrack", remedy: "stale-flows")], profile: Fixture.chosen, facts: facts)
    }

    private func applier(_ host: OverlayHost, _ store: MemoryJournalStore) -> Applier {
        Applier(host: host, store: store, identity: Fixture.identity)
    }

    private func verification(_ host: OverlayHost) -> Verification {
        Verification(
            before: [], proofBefore: nil,
            recheck: { [host] _ in
                [
                    Finding(
                        check: "test.stale-flows", subject: Fixture.subject, title: "", area: .nat, severity: .warning,
                        verdict: host.state.flows.isEmpty ? .pass : .fail)
                ]
            }, prove: { nil })
    }

    @Test("are named in the plan, which says that nothing brings them back")
    func planning() throws {
        let made = try plan(host())
        let step = try #require(made.steps.first)
        #expect(made.steps.count == 1 && made.changes[0].undo.isEmpty && !made.changes[0].mayDisconnect)
        #expect(step.target == "3 tracked flows" && step.reversal == "none")
        for port in 5001...5003 { #expect(step.before.contains("udp 10.5.0.9:\(port) > 198.51.100.7:514")) }
        #expect(
            step.command.hasPrefix(
                "conntrack -D -p udp -s 10.5.0.9 -d 198.51.100.7 --reply-dst 10.5.0.9 --sport 5001 --dport 514; "))
        #expect(!step.risk.isEmpty)
        let script = shellScript(made)
        #expect(script.contains("conntrack -D -p udp -s 10.5.0.9"))
        // Where the script takes back what it did, it says that these stay forgotten.
        #expect(script.contains("undo_1() {\n    result=1\n    return $result\n}"))
    }

    @Test("are left to a person where the kernel does not let go of them")
    func offloaded() throws {
        let host = OverlayHost(Fixture.healthy)
        let made = try plan(host, offloaded: 2)
        #expect(made.changes.isEmpty)
        #expect(made.byHand.first?.why.contains("flow table") == true)
    }

    @Test("are all there or all gone, wherever the process dies", arguments: [false, true])
    func death(afterEffect: Bool) throws {
        let count = try events()
        #expect(count > 4)
        var gone = 0
        for event in 0..<count {
            let host = try host()
            let before = host.state.flows
            let store = MemoryJournalStore(host.faults)
            let made = try plan(host)
            host.faults.arm(.death(afterEffect: afterEffect), at: event)
            _ = applier(host, store).apply(made, verify: verification(host))
            host.faults.restart()
            store.unlock()
            let recovered = try applier(host, store).recover()
            #expect(recovered.allSatisfy { $0.problems.isEmpty }, "\(recovered)")
            #expect(host.state.flows == before || host.state.flows.isEmpty, "event \(event)")
            if host.state.flows.isEmpty { gone += 1 }
        }
        // Once it is written down that they are about to go, they go.
        #expect(gone >= 2 && gone < count)
    }

    private func events() throws -> Int {
        let host = try host()
        let made = try plan(host)
        host.faults.arm(nil, at: -1)
        let report = applier(host, MemoryJournalStore(host.faults)).apply(made, verify: verification(host))
        #expect(report.outcome == .applied)
        return host.faults.count
    }

    @Test("leave nothing that an undo could be about: the repair before is the one that is taken back")
    func undo() throws {
        let scenario = try #require(Scenario.all.first { $0.name == "bridge down" })
        let run = Repair(scenario, scenario.host)
        let before = run.host.state.normalised
        #expect(run.apply(try run.plan()).outcome == .applied)
        run.host.state.flows = Set(try #require(Self.flows).map { TrackedFlow($0) })
        let later = Applier(
            host: run.host, store: run.store,
            identity: RunIdentity(run: "20250405T111500Z-2", startedAt: "2025-04-05T11:15:00Z"))
        #expect(later.apply(try plan(run.host), verify: verification(run.host)).outcome == .applied)
        #expect(run.host.state.flows.isEmpty)
        let report = later.undo(nil)
        #expect(report.outcome == .undone && report.run == Fixture.identity.run)
        #expect(run.host.state.normalised == before)
        let named = later.undo("20250405T111500Z-2")
        #expect(named.outcome == .refused && named.reason?.contains("nothing takes it back") == true)
        #expect(named.steps.map(\.state) == [.refused])
    }
}

/// A command that repairs in rounds: what one of them cures may have hidden another cause.
@Suite("A repair in rounds") struct RoundTests {
    private func scenario(_ name: String) throws -> Scenario { try #require(Scenario.all.first { $0.name == name }) }

    /// The bridge is down and the translation gone; the first round sees only the bridge.
    private func begun() throws -> (run: Repair, second: Repair, before: HostState, between: HostState) {
        let bridge = try scenario("bridge down")
        let host = bridge.host
        host.state.tables = [:]
        let before = host.state.normalised
        let run = Repair(bridge, host)
        #expect(run.apply(try run.plan()).outcome == .applied)
        let second = Repair(try scenario("masquerade missing, lxc-net's"), host, store: run.store)
        return (run, second, before, host.state.normalised)
    }

    @Test("is one run, which one undo takes back")
    func undo() throws {
        let (run, second, before, _) = try begun()
        let report = second.apply(try second.plan())
        #expect(report.outcome == .applied && report.steps.map(\.remedy) == ["masquerade"])
        #expect(try run.store.runs() == [Fixture.identity.run])
        let undone = run.applier.undo(nil)
        #expect(undone.outcome == .undone && undone.steps.count == 2)
        #expect(run.host.state.normalised == before)
    }

    @Test("is taken back as a whole wherever the process dies in a later round", arguments: [false, true])
    func death(afterEffect: Bool) throws {
        let (_, counted, _, _) = try begun()
        counted.host.faults.arm(nil, at: -1)
        _ = counted.apply(try counted.plan())
        let count = counted.host.faults.count
        for event in 0..<count {
            let (run, second, before, between) = try begun()
            let made = try second.plan()
            run.host.faults.arm(.death(afterEffect: afterEffect), at: event)
            _ = second.apply(made)
            run.host.faults.restart()
            run.store.unlock()
            _ = try run.applier.recover()
            let now = run.host.state.normalised
            if event == 0, !afterEffect {
                #expect(now == between)
            } else if event == count - 1, afterEffect {
                #expect(second.scenario.healthy(run.host.state))
            } else {
                #expect(now == before, "event \(event)")
            }
        }
    }

    @Test("keeps what earlier rounds made and verified where a later one fails")
    func failure() throws {
        let (run, second, before, between) = try begun()
        let report = second.apply(try second.plan(), recheck: { _ in [] })
        #expect(report.outcome == .rolledBack && report.steps.map(\.state) == [.rolledBack])
        #expect(run.host.state.normalised == between)
        let history = try History.read(from: run.store)
        #expect(history.runs.map(\.status) == [.applied])
        #expect(run.applier.undo(nil).outcome == .undone)
        #expect(run.host.state.normalised == before)
    }

    @Test("goes on with no run that was taken back meanwhile")
    func takenBack() throws {
        let (run, second, _, _) = try begun()
        let made = try second.plan()
        #expect(run.applier.undo(nil).outcome == .undone)
        #expect(second.apply(made).outcome == .refused)
    }
}
