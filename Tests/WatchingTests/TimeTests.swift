import HostAccess
import HostModel
import Testing

@testable import Watching

@Suite struct EventGateTests {
    @Test func looksWhenItHasBeenQuiet() {
        var gate = EventGate()
        #expect(gate.due == nil && gate.open(at: 1_000).isEmpty)
        gate.note([.links], at: 100)
        #expect(gate.due == 110)
        gate.note([.nftables], at: 105)
        #expect(gate.due == 115)
        #expect(gate.open(at: 114).isEmpty)
        #expect(gate.open(at: 115) == [.links, .nftables])
        #expect(gate.due == nil)
    }

    @Test func eventsThatDoNotEndAreLookedAtAllTheSame() {
        var gate = EventGate()
        for moment in stride(from: 0, through: 60, by: 5) { gate.note([.links], at: moment) }
        #expect(gate.due == EventGate.patience)
    }

    /// A flushed ruleset is out within 100 ms: what is waited for before the look is a part of that.
    @Test func patienceLeavesTimeToLook() {
        #expect(EventGate.patience <= 50 && EventGate.quiet <= EventGate.patience)
    }

    @Test func aFewChangesInARowAreSeenAtOnce() {
        var gate = EventGate()
        for moment in stride(from: 1_000, to: 1_050, by: 5) { gate.looked(for: 5, at: moment) }
        gate.note([.links], at: 1_051)
        #expect(gate.due == 1_061)
    }

    /// A storm: looks that cost 10 ms each, as often as they may be made.
    @Test func aStormTakesABoundedPartOfAProcessor() {
        var gate = EventGate()
        var (now, looks) = (0, 0)
        while now < 20_000 {
            gate.note([.nftables], at: now)
            if gate.open(at: now).isEmpty {
                now += 1
            } else {
                looks += 1
                now += 10
                gate.looked(for: 10, at: now)
            }
        }
        // One part of five, and the credit once.
        #expect(looks * 10 <= 20_000 / (EventGate.restFactor + 1) + EventGate.credit && looks * 10 > 3_000, "\(looks)")
        var other = EventGate()
        other.looked(for: 100_000, at: 2_000)
        other.note([.links], at: 2_001)
        #expect(other.due == 2_000 + EventGate.longestRest)
    }

    @Test func nothingIsNothing() {
        var gate = EventGate()
        gate.note([], at: 1)
        #expect(gate.due == nil)
    }
}

@Suite struct ProofScheduleTests {
    @Test func oneAtTheStartAndThenAfterAChangeOnly() {
        var schedule = ProofSchedule(every: 60_000)
        #expect(schedule.due == 0 && schedule.awaitsProof)
        schedule.begin(at: 1_000)
        #expect(schedule.due == nil)
        schedule.note([.file(HostPath("/etc/hosts")), .neighbours, .sockets, .process(3)])
        #expect(schedule.due == nil)
        schedule.note([.nftables])
        #expect(schedule.due == 61_000 && schedule.awaitsProof)
        schedule.begin(at: 61_000)
        schedule.note([.file(HostPath("/proc/sys/net/ipv4/ip_forward"))])
        #expect(schedule.due == 121_000)
    }

    @Test func whereItIsOffThereIsNone() {
        var schedule = ProofSchedule(every: nil)
        schedule.note([.everything])
        #expect(schedule.due == nil && !schedule.awaitsProof)
    }
}

@Suite struct RemedyGovernorTests {
    private let target = RemedyGovernor.Target(cause: "masq-missing", subject: Subject(kind: .network, name: "lxcbr1"))
    private let remedy = RemedyAdvice(id: "masquerade", automatic: true, commands: [])

    private func governor() -> RemedyGovernor { RemedyGovernor(allowed: ["masquerade"], every: 600) }

    /// Waits until it may, repairs, and says how that ended. Returns when.
    private func repair(_ governor: inout RemedyGovernor, from start: Int, healed: Bool) -> Int? {
        guard case .wait(let when) = governor.decide(target, remedy: remedy, at: start) else { return nil }
        guard governor.decide(target, remedy: remedy, at: when) == .repair else { return nil }
        governor.ended([target], healed: { _ in healed }, at: when)
        return when
    }

    @Test func onlyWhatIsOnTheList() {
        var governor = governor()
        let other = RemedyAdvice(id: "bridge-up", automatic: true, commands: [])
        #expect(
            governor.decide(target, remedy: other, at: 0) == .leave("remedy bridge-up is not on the list (--remedy)"))
        let byHand = RemedyAdvice(id: "masquerade", automatic: false, commands: [])
        #expect(governor.decide(target, remedy: byHand, at: 0) == .leave("no remedy does it by itself"))
        #expect(governor.decide(target, remedy: nil, at: 0) == .leave("no remedy does it by itself"))
    }

    @Test func onlyWhatStaysBroken() {
        var governor = governor()
        #expect(governor.decide(target, remedy: remedy, at: 100) == .wait(100 + RemedyGovernor.patience))
        governor.see([])
        #expect(governor.decide(target, remedy: remedy, at: 102) == .wait(102 + RemedyGovernor.patience))
        governor.see([target])
        #expect(governor.decide(target, remedy: remedy, at: 105) == .repair)
    }

    @Test func oneRepairInAGivenTimeWhateverItIsOf() {
        var governor = governor()
        #expect(repair(&governor, from: 0, healed: true) == 3)
        let second = RemedyGovernor.Target(cause: "forwarding-off", subject: target.subject)
        _ = governor.decide(second, remedy: remedy, at: 10)
        #expect(governor.decide(second, remedy: remedy, at: 20) == .wait(603))
    }

    @Test func waitsTwiceAsLongAfterEachFailureAndGivesUp() {
        var governor = governor()
        #expect(repair(&governor, from: 0, healed: false) == 3)
        #expect(repair(&governor, from: 3, healed: false) == 603)
        #expect(repair(&governor, from: 603, healed: false) == 1_803)
        #expect(governor.decide(target, remedy: remedy, at: 99_999) == .leave("its repair failed 3 times"))
    }

    /// Its repair is taken back, it makes it again, it is taken back again: then it is a matter for a person.
    @Test func neverFightsAnotherToolTwice() {
        var governor = governor()
        #expect(repair(&governor, from: 0, healed: true) == 3)
        #expect(repair(&governor, from: 10, healed: true) == 603)
        guard case .leave(let reason) = governor.decide(target, remedy: remedy, at: 100_000) else {
            Issue.record("it fights again")
            return
        }
        #expect(reason.contains("twice"))
        // And it stays so, whatever time passes.
        governor.see([])
        #expect(governor.decide(target, remedy: remedy, at: 10_000_000) == .leave(reason))
    }
}
