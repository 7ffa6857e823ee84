import HostAccess
import HostModel
import Probes
import Testing

@testable import Remedies

@Suite("The applier")
struct ApplierTests {
    private let scenario = Scenario.all[0]

    private func finding(_ check: String, _ verdict: Verdict) -> Finding {
        Finding(
            check: check, subject: Fixture.subject, title: "", area: .nat, severity: .critical, verdict: verdict)
    }

    @Test(
        "refuses whoever may not repair this host",
        arguments: [
            (1000, true, false, "only root"), (0, false, false, "not the host's own"),
            (0, nil, false, "could not be read"),
        ] as [(Int, Bool?, Bool, String)])
    func identity(_ user: Int, _ initial: Bool?, _ practice: Bool, _ words: String) throws {
        let host = scenario.host
        host.identity.effectiveUser = user
        host.identity.inInitialNetworkNamespace = initial
        host.identity.isPracticeHost = practice
        let run = Repair(scenario, host)
        let report = run.apply(try run.plan())
        #expect(report.outcome == .refused)
        #expect(report.reason?.contains(words) == true)
        #expect(report.steps.allSatisfy { $0.state == .refused })
        #expect(host.made.isEmpty && run.store.journals.isEmpty)
    }

    @Test("works on a practice host, whatever its namespace")
    func practiceHost() throws {
        let host = scenario.host
        host.identity.inInitialNetworkNamespace = false
        host.identity.isPracticeHost = true
        let run = Repair(scenario, host)
        #expect(run.apply(try run.plan()).outcome == .applied)
    }

    @Test("refuses a profile that nothing speaks for")
    func unsupportedProfile() throws {
        let host = scenario.host
        var chosen = Fixture.chosen
        chosen.supported = false
        let made = plan(for: scenario.causes, profile: chosen, facts: try Fixture.facts(host))
        #expect(!made.changes.isEmpty)
        let report = Repair(scenario, host).apply(made)
        #expect(report.outcome == .refused)
        #expect(report.reason?.contains("--profile makina") == true)
        #expect(host.made.isEmpty)
    }

    @Test("refuses a saved plan that opens what rules have allowed in part since then")
    func allowedSince() throws {
        let scenario = try #require(Scenario.all.first { $0.cause == "ufw-forward-drop" })
        let host = scenario.host
        let run = Repair(scenario, host)
        var made = try run.plan()
        var facts = try Fixture.facts(host)
        made.judge(anew: scenario.causes, profile: Fixture.chosen, facts: facts)
        #expect(made.refusal == nil)
        facts.allowances["lxcbr1"] = Allowances(
            forwarding: Allowance(
                place: "ip filter ufw-user-forward, rule 1", text: "-p tcp --dport 443 -j ACCEPT",
                listing: "iptables -S"))
        // What is no cause any more is not opened either.
        var gone = made
        gone.judge(anew: [], profile: Fixture.chosen, facts: facts)
        #expect(gone.refusal == "the plan is stale: ufw-forward-drop is not found any more")
        made.judge(anew: scenario.causes, profile: Fixture.chosen, facts: facts)
        let report = run.apply(made)
        #expect(report.outcome == .refused && host.made.isEmpty)
        #expect(report.reason?.hasPrefix("the plan is stale: ufw-forward-drop ") == true)
        #expect(report.reason?.contains("--dport 443") == true)
    }

    @Test("refuses while another repair runs")
    func locked() throws {
        let host = scenario.host
        let run = Repair(scenario, host)
        let made = try run.plan()
        run.store.lockedByOther = true
        let report = run.apply(made)
        #expect(report.outcome == .refused)
        #expect(report.reason?.contains("another repair") == true)
        #expect(host.made.isEmpty)
    }

    @Test("refuses a stale plan before it changes anything", arguments: Scenario.all)
    func stale(_ scenario: Scenario) throws {
        let host = scenario.host
        let run = Repair(scenario, host)
        let made = try run.plan()
        let last = try #require(made.changes.last)
        switch last.change {
        case .setLinkUp(let name, _): host.state.links[name] = .present(kind: "dummy", up: false, ports: 0)
        case .setSysctl(let key, _, _): host.state.sysctls[key] = "2"
        case .file(let path, _, _), .symbolicLink(let path, _, _): host.state.paths[path] = Fixture.file("someone else")
        case .createTranslationTable(let table): host.state.tables[table.name] = .other
        default: host.state.links["lxcbr1"] = nil
        }
        // An address that is gone is what its removal wants, and a link that is up is what the setting wants.
        guard case .other = host.state.standing(of: last.change) else { return }
        let before = host.state
        let report = run.apply(made)
        #expect(report.outcome == .refused)
        #expect(report.reason?.contains("stale") == true)
        #expect(host.state == before)
        #expect(run.store.journals.isEmpty)
    }

    @Test("rolls back what does not help", arguments: Scenario.all)
    func stillFails(_ scenario: Scenario) throws {
        let host = scenario.host
        let before = host.state.normalised
        let run = Repair(scenario, host)
        var still = scenario.finding(host.state)
        still.verdict = .fail
        let report = run.apply(try run.plan(), recheck: { [still] _ in [still] })
        #expect(report.outcome == .rolledBack)
        #expect(report.reason?.contains("still fails") == true)
        #expect(report.steps.contains { $0.state == .rolledBack })
        #expect(host.state.normalised == before)
        let journal = try Journal(decoding: try run.store.load(Fixture.identity.run), run: Fixture.identity.run)
        #expect(journal.status == .rolledBack)
    }

    @Test("takes unknown and missing verdicts for no proof", arguments: [Verdict.unknown, .blocked, nil])
    func unverified(_ verdict: Verdict?) throws {
        let host = scenario.host
        let run = Repair(scenario, host)
        let findings = verdict.map { [finding("test.bridge-create", $0)] } ?? []
        #expect(run.apply(try run.plan(), recheck: { _ in findings }).outcome == .rolledBack)
    }

    @Test("rolls back what breaks another check, and asks for every check that was there before")
    func newFailure() throws {
        let host = scenario.host
        let before = host.state.normalised
        let run = Repair(scenario, host)
        let own = finding("test.bridge-create", .pass)
        var asked: [String] = []
        let report = run.apply(
            try run.plan(), before: [finding("other", .pass), finding("third", .fail)],
            recheck: { checks in
                asked = checks
                return [own, finding("other", .fail), finding("third", .fail)]
            })
        #expect(asked == ["other", "test.bridge-create", "third"])
        #expect(report.outcome == .rolledBack)
        #expect(report.reason?.contains("other passed before") == true)
        #expect(host.state.normalised == before)
    }

    @Test(
        "compares the proof where it was known",
        arguments: [
            (.dropped, .leaked, .rolledBack), (.masqueraded, .dropped, .rolledBack), (.unknown, .leaked, .applied),
            (.leaked, .masqueraded, .applied), (.dropped, nil, .applied), (nil, .leaked, .applied),
        ] as [(ProofVerdict?, ProofVerdict?, FixOutcome)])
    func proof(_ before: ProofVerdict?, _ after: ProofVerdict?, _ outcome: FixOutcome) throws {
        let run = Repair(scenario, scenario.host)
        #expect(run.apply(try run.plan(), proofs: (before, after)).outcome == outcome)
    }

    @Test("does not begin the persistent phase before the runtime phase was verified")
    func phases() throws {
        let host = Scenario.all[0].host
        host.state.paths[LxcNetFacts.enablement] = .absent
        let causes = [
            Fixture.cause("bridge-not-persistent", remedy: "lxc-net-configure", check: "later"),
            Fixture.cause("bridge-missing", remedy: "bridge-create", check: "first"),
        ]
        let made = plan(for: causes, profile: Fixture.chosen, facts: try Fixture.facts(host))
        #expect(made.changes.map(\.phase) == [.runtime, .runtime, .runtime, .persistent])
        var counts: [Int] = []
        let run = Repair(Scenario.all[0], host)
        let report = run.apply(
            made,
            recheck: { _ in
                counts.append(host.made.count)
                return [finding("first", .pass), finding("later", counts.count == 1 ? .fail : .pass)]
            })
        #expect(report.outcome == .applied)
        #expect(counts == [3, 4])
    }

    @Test("after a reboot takes back only what outlived it")
    func reboot() throws {
        let host = scenario.host
        host.state.paths[LxcNetFacts.enablement] = .absent
        let before = host.state.normalised
        let causes = [
            Fixture.cause("bridge-missing", remedy: "bridge-create"),
            Fixture.cause("bridge-not-persistent", remedy: "lxc-net-configure"),
        ]
        let made = plan(for: causes, profile: Fixture.chosen, facts: try Fixture.facts(host))
        let run = Repair(scenario, host)
        // Two saves around each change and one before: the last event is the final save.
        host.faults.arm(.death(afterEffect: true), at: made.changes.count * 3)
        _ = run.apply(
            made, recheck: { _ in [finding("test.bridge-create", .pass), finding("test.lxc-net-configure", .pass)] })
        host.faults.restart()
        run.store.unlock()
        // The boot makes the bridge: that one is not ours to remove.
        host.boot = "boot-2"
        let recovered = try run.applier.recover()
        #expect(recovered.count == 1 && recovered[0].problems.isEmpty)
        #expect(host.state.paths[LxcNetFacts.enablement] == .absent)
        #expect(host.state.isBridge("lxcbr1"))
        host.state.links["lxcbr1"] = nil
        #expect(before.links == host.state.links)
    }

    @Test("leaves alone what someone else has changed since, and says so")
    func conflict() throws {
        let scenario = try #require(Scenario.all.first { $0.remedy == "forwarding-persistent" })
        let host = scenario.host
        let run = Repair(scenario, host)
        host.faults.arm(.death(afterEffect: true), at: 6)
        _ = run.apply(try run.plan())
        host.faults.restart()
        run.store.unlock()
        host.state.paths["/etc/sysctl.conf"] = Fixture.file("mine now\n")
        let recovered = try run.applier.recover()
        #expect(recovered.first?.problems.first?.contains("/etc/sysctl.conf") == true)
        #expect(host.state.file("/etc/sysctl.conf")?.bytes.text == "mine now\n")
        #expect(host.state.path("/etc/sysctl.d/zz-lxc-doctor.conf") == .absent)
        #expect(try run.applier.recover().isEmpty)
    }

    @Test("refuses everything while a journal cannot be read")
    func brokenJournal() throws {
        let host = scenario.host
        let run = Repair(scenario, host)
        try run.store.save(Array("{".utf8), run: "20250101T000000Z-1")
        let report = run.apply(try run.plan())
        #expect(report.outcome == .refused)
        #expect(host.made.isEmpty)
    }
}
