import HostAccess
import HostModel
import Testing

@testable import Remedies

@Suite("Undoing a repair")
struct UndoTests {
    private func repaired(_ scenario: Scenario) throws -> Repair {
        let run = Repair(scenario, scenario.host)
        #expect(run.apply(try run.plan()).outcome == .applied)
        return run
    }

    @Test("brings back the host as it was, once", arguments: Scenario.all)
    func undo(_ scenario: Scenario) throws {
        let before = scenario.host.state.normalised
        let run = try repaired(scenario)
        #expect(run.host.state.normalised != before)
        let report = run.applier.undo(nil)
        #expect(report.outcome == .undone)
        #expect(report.differences.isEmpty)
        #expect(report.steps.allSatisfy { $0.state == .rolledBack })
        #expect(run.host.state.normalised == before)
        let again = run.applier.undo(Fixture.identity.run)
        #expect(again.outcome == .refused)
        #expect(again.reason?.contains("undone already") == true)
        #expect(run.applier.undo(nil).reason?.contains("no repair") == true)
    }

    @Test("is completed wherever the process dies", arguments: Scenario.all, [false, true])
    func death(_ scenario: Scenario, afterEffect: Bool) throws {
        let before = scenario.host.state.normalised
        let run = try repaired(scenario)
        let after = run.host.state.normalised
        run.host.faults.arm(nil, at: -1)
        _ = run.applier.undo(nil)
        let count = run.host.faults.count
        for event in 0..<count {
            let run = try repaired(scenario)
            run.host.faults.arm(.death(afterEffect: afterEffect), at: event)
            _ = run.applier.undo(nil)
            run.host.faults.restart()
            run.store.unlock()
            let recovered = try run.applier.recover()
            // Before the first write of the journal nothing has begun.
            let begun = event > 0 || afterEffect
            #expect(recovered.allSatisfy { $0.wasUndo })
            #expect(run.host.state.normalised == (begun ? before : after), "event \(event)")
            let history = try History.read(from: run.store)
            #expect(history.runs.map(\.status) == [begun ? .undone : .applied])
        }
    }

    @Test("refuses where someone has changed a file since, and shows the lines")
    func changedFile() throws {
        let scenario = try #require(Scenario.all.first { $0.remedy == "forwarding-persistent" })
        let run = try repaired(scenario)
        let path = "/etc/sysctl.conf"
        var content = try #require(run.host.state.file(path))
        content.bytes = ByteString(content.bytes.text.replacing("ip_forward = 1", with: "ip_forward = 0") + "\nnew=1\n")
        run.host.state.paths[path] = .file(content)
        let state = run.host.state
        let report = run.applier.undo(nil)
        #expect(report.outcome == .refused)
        #expect(report.differences.map(\.target) == [path])
        let lines = try #require(report.differences.first?.lines)
        #expect(lines.contains("-net.ipv4.ip_forward = 1") && lines.contains("+net.ipv4.ip_forward = 0"))
        #expect(lines.contains("+new=1") && !lines.contains { $0.hasSuffix("# top") })
        #expect(run.host.state == state)
        #expect(report.steps.allSatisfy { $0.state == .refused })
    }

    @Test("refuses where someone has changed the running system since")
    func changedLink() throws {
        let run = try repaired(try #require(Scenario.all.first { $0.remedy == "bridge-create" }))
        run.host.state.links["lxcbr1"] = .present(kind: "dummy", up: true, ports: 0)
        let state = run.host.state
        let report = run.applier.undo(nil)
        #expect(report.outcome == .refused)
        #expect(report.differences.first?.found.contains("not a bridge") == true)
        #expect(run.host.state == state)
    }

    @Test("leaves alone what a reboot has taken already")
    func reboot() throws {
        let run = try repaired(try #require(Scenario.all.first { $0.remedy == "bridge-create" }))
        run.host.boot = "boot-2"
        let state = run.host.state
        let report = run.applier.undo(nil)
        #expect(report.outcome == .undone)
        #expect(report.reason?.contains("reboot") == true)
        #expect(run.host.state == state)
    }

    @Test("knows only repairs that were applied")
    func unknown() throws {
        let run = Repair(Scenario.all[0], Scenario.all[0].host)
        _ = run.apply(try run.plan(), recheck: { _ in [] })
        #expect(run.applier.undo(Fixture.identity.run).reason?.contains("rolled back") == true)
        #expect(run.applier.undo("20200101T000000Z-0000").outcome == .refused)
    }
}

@Suite("The dead-man switch")
struct ConfirmationTests {
    private func risky() throws -> (Repair, Plan) {
        let scenario = try #require(Scenario.all.first { $0.name == "wrong netmask" })
        let run = Repair(scenario, scenario.host)
        var facts = try Fixture.facts(run.host)
        facts.connections = Connections(links: ["lxcbr1"])
        return (run, Remedies.plan(for: scenario.causes, profile: Fixture.chosen, facts: facts))
    }

    @Test("is demanded for what may cut the connection")
    func demanded() throws {
        let (run, made) = try risky()
        #expect(made.mayDisconnect)
        #expect(made.steps.contains { $0.risk.contains("YOUR OWN CONNECTION") })
        let report = run.apply(made)
        #expect(report.outcome == .refused)
        #expect(run.host.made.isEmpty)
    }

    @Test("starts the guard before anything is changed, and keeps what is confirmed", arguments: [true, false])
    func confirmed(_ answer: Bool) throws {
        let (run, made) = try risky()
        let before = run.host.state
        var order: [String] = []
        let confirmation = Confirmation(
            seconds: 5,
            guardRun: { run in order.append("guard \(run)") },
            wait: { id in
                order.append("wait after \(run.host.made.count)")
                let journal = try? Journal(decoding: run.store.load(id), run: id)
                #expect(journal?.status == .awaitingConfirmation)
                return answer
            })
        let guarded = Confirmation(
            seconds: 5,
            guardRun: { (id) throws(HostError) in
                #expect(run.host.made.isEmpty)
                try confirmation.guardRun(id)
            }, wait: confirmation.wait)
        let report = run.apply(made, confirmation: guarded)
        #expect(order == ["guard \(Fixture.identity.run)", "wait after \(made.changes.count)"])
        #expect(report.outcome == (answer ? .applied : .rolledBack))
        #expect(answer || run.host.state.normalised == before.normalised)
        #expect(answer || report.reason?.contains("not confirmed within 5 s") == true)
    }

    @Test("changes nothing where the guard does not start")
    func noGuard() throws {
        let (run, made) = try risky()
        let before = run.host.state
        let report = run.apply(
            made,
            confirmation: Confirmation(
                seconds: 5,
                guardRun: { (_) throws(HostError) in throw HostError(.other, operation: "guard", message: "no") },
                wait: { _ in true }))
        #expect(report.outcome == .rolledBack)
        #expect(run.host.state == before && run.host.made.isEmpty)
    }

    @Test(
        "is for changes of the operator's own links and peers",
        arguments: [
            (.removeAddress(link: "eth0", address: HeldAddress(Fixture.address)), true),
            (.removeAddress(link: "lxcbr1", address: HeldAddress(Fixture.address)), false),
            (.addAddress(link: "lxcbr1", address: HeldAddress(Fixture.address)), true),
            (.addAddress(link: "lxcbr1", address: Fixture.held("10.6.0.1/16")), false),
            (.setLinkUp(name: "eth0", up: false), true), (.setLinkUp(name: "eth0", up: true), false),
            (.deleteBridge(name: "eth0"), true), (.deleteBridge(name: "lxcbr1"), false),
            (.setSysctl(key: "net.ipv4.conf.eth0.rp_filter", from: "0", to: "1"), true),
            (.setSysctl(key: "net.ipv4.conf.eth0.forwarding", from: "0", to: "1"), false),
            (.setSysctl(key: "net.ipv4.conf.eth01.rp_filter", from: "0", to: "1"), false),
        ] as [(Change, Bool)])
    func connections(_ change: Change, _ mayBeCut: Bool) throws {
        let peer = try #require(IPv4Address("10.5.7.7"))
        #expect(Connections(links: ["eth0"], peers: [peer]).mayBeCut(by: change) == mayBeCut)
    }

    /// By a socket for both families, at a port of sshd's own, and by IPv6 itself.
    @Test("finds sessions that sudo keeps to itself")
    func sessions() throws {
        let host = Scenario.all[0].host
        host.state.addresses["eth1"] = [Fixture.held("192.0.2.9/24")]
        host.state.paths["/etc/ssh/sshd_config"] = Fixture.file("# Port 1\nPort 2222\nListenAddress [::]:2223\n")
        func seen(port: String) throws -> Connections {
            host.state.paths["/proc/net/tcp6"] = Fixture.file(
                "  sl  local_address rem_address   st\n"
                    + "   0: 0000000000000000FFFF0000090200C0:\(port) 0000000000000000FFFF0000046433C6:D431 01\n")
            return try PlanFacts.read(from: host, profile: Fixture.profile).connections
        }
        let peer = try #require(IPv4Address("198.51.100.4"))
        for port in ["0016", "08AE", "08AF"] {
            let found = try seen(port: port)
            #expect(found.links == ["eth0", "eth1"] && found.peers == [peer])
        }
        #expect(try seen(port: "01BB").links == ["eth0"])
    }

    @Test("finds the links by default route, session and connections to port 22")
    func found() throws {
        let host = Scenario.all[0].host
        host.state.addresses["eth1"] = [Fixture.held("192.0.2.9/24")]
        // 192.0.2.9:22 with 198.51.100.4, established; and one that only listens.
        let own = UInt32(bigEndian: 0xc000_0209)
        let other = UInt32(bigEndian: 0xc633_6404)
        func hex(_ value: UInt32) -> String {
            let digits = String(value, radix: 16, uppercase: true)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }
        host.state.paths["/proc/net/tcp"] = Fixture.file(
            "  sl  local_address rem_address   st\n   0: 00000000:0016 00000000:0000 0A\n"
                + "   1: \(hex(own)):0016 \(hex(other)):D431 01\n")
        let facts = try PlanFacts.read(
            from: host, profile: Fixture.profile, session: "198.51.100.5 4711 203.0.113.2 22")
        #expect(facts.connections.links == ["eth0", "eth1"])
        #expect(Set(facts.connections.peers.map(\.description)) == ["198.51.100.4", "198.51.100.5"])
    }
}
