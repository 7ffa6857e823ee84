import ConfigFiles
import HostAccess
import HostModel
import Testing

@testable import Remedies

/// NetworkManager, as the owner of links and of the bridge's file.
@Suite struct NetworkManagerTests {
    private func plan(_ change: (inout HostState) -> Void) throws -> Plan {
        var state = Fixture.healthy
        state.run("old", "lxc.net.0.type = veth\nlxc.net.0.link = lxcbr1\n", plugged: false)
        state.isManaged("vethold")
        change(&state)
        return Remedies.plan(
            for: [Fixture.cause("veth-not-in-bridge", remedy: "container-port")], profile: Fixture.chosen,
            facts: try Fixture.facts(OverlayHost(state)))
    }

    @Test func keepsOffWhatItManages() throws {
        let made = try plan { _ in }
        #expect(
            made.changes.map(\.change).suffix(2) == [
                .run(.checkNetworkManager(unmanaged: ["interface-name:veth*"])),
                .run(.reloadNetworkManager(keepingUp: ["vethold"])),
            ])
        #expect(made.steps.last?.command == "nmcli general reload conf; ip link set vethold up")
        // Whoever takes the file back has it read again.
        #expect(made.changes[1].undo.last == .run(.reloadNetworkManager(keepingUp: ["vethold"])))
    }

    @Test func leavesItAloneWhereItLeavesThePortAlone() throws {
        let made = try plan { state in
            for path in state.paths.keys where path.hasPrefix(NetworkManagerDevice.directory + "/") {
                state.paths[path] = Fixture.file("[device]\nnm-owned=false\n")
            }
        }
        #expect(made.changes.map(\.change) == [.setMaster(link: "vethold", from: nil, to: "lxcbr1")])
    }

    @Test func keepsWhatItsFileSaidBefore() throws {
        let made = try plan {
            $0.paths[NetworkManagerPorts.file] = Fixture.file(
                NetworkManagerConf.leavingAlone(["interface-name:web0"]))
        }
        guard case .file(_, _, let after?) = made.changes[1].change else {
            Issue.record("\(made.steps)")
            return
        }
        #expect(after.bytes.text.contains("\nunmanaged-devices+=interface-name:web0;interface-name:veth*\n"))
    }

    @Test(arguments: [
        (["vethA", "vethB"], ["eth0"], "interface-name:veth*"),
        (["web0", "vethA"], ["eth0"], "interface-name:veth* interface-name:web0"),
        (["web0"], ["veth1"], "interface-name:web0"),
        (["vethA"], ["veth1"], "interface-name:veth* except:interface-name:veth1"),
    ])
    func namesDevices(ports: [String], uplinks: [String], devices: String) throws {
        #expect(try NetworkManagerPorts.devices(ports, uplinks: uplinks).joined(separator: " ") == devices)
    }

    @Test func aNameThatMeansMoreIsLeftToAPerson() {
        #expect(throws: LeftToPerson.self) { try NetworkManagerPorts.devices(["a*"], uplinks: []) }
    }

    @Test(
        arguments: [
            ("nmcli tool, version 1.42.4", true), ("nmcli tool, version 1.40.0", true),
            ("nmcli tool, version 2.0", true),
            ("nmcli tool, version 1.30.6", false), ("nmcli tool", false), (nil, false),
        ] as [(String?, Bool)])
    func readsOfflineSince140(version: String?, expected: Bool) {
        #expect(NetworkManagerFacts.readsOffline(version: version) == expected)
    }

    /// An older nmcli knows no `--offline`: the file is then read back by this program alone.
    @Test(arguments: ["nmcli tool, version 1.42.4", "nmcli tool, version 1.30.6", nil])
    func itsCheckerLooksWhereItHasOne(version: String?) throws {
        let scenario = try #require(Scenario.all.first { $0.name.hasPrefix("NetworkManager makes") })
        let host = scenario.host
        host.versions[.nmcli] = version
        let made = Remedies.plan(for: scenario.causes, profile: Fixture.chosen, facts: try Fixture.facts(host))
        let checks = made.steps.map(\.command).filter { $0.hasPrefix("nmcli") }
        let path = "/etc/NetworkManager/system-connections/lxcbr1.nmconnection"
        #expect(checks == (version?.contains("1.42") == true ? ["nmcli --offline connection modify < \(path)"] : []))
    }
}

/// Docker on hosts whose init is not systemd.
@Suite struct DockerWithoutSystemdTests {
    private func plan(_ version: String?, _ change: (inout HostState) -> Void = { _ in }) throws -> Plan {
        let scenario = try #require(Scenario.all.first { $0.name == "Docker 28 on a host without systemd" })
        let host = scenario.host
        host.versions[.dockerd] = version
        change(&host.state)
        return Remedies.plan(for: scenario.causes, profile: Fixture.chosen, facts: try Fixture.facts(host))
    }

    @Test func isToldNotToDropWhereItKnowsHow() throws {
        let made = try plan("Docker version 28.0.0, build x")
        #expect(made.steps.last?.command == "dockerd --validate --config-file /etc/docker/daemon.json")
        #expect(made.steps.contains { $0.risk.contains("not only the containers'") })
        let new = try plan("Docker version 29.1.3, build x") { $0.paths["/etc/docker/daemon.json"] = .absent }
        #expect(new.steps.contains { $0.after == "{;     \"ip-forward-no-drop\": true; }" }, "\(new.steps)")
    }

    @Test(arguments: ["Docker version 27.5.1, build x", "Docker version 20.10.24+dfsg1, build x", nil])
    func isLeftToAPersonWhereItDoesNot(version: String?) throws {
        let made = try plan(version)
        #expect(made.changes == [])
        let byHand = try #require(made.byHand.first)
        #expect(byHand.why.contains("only Docker 28 and later know ip-forward-no-drop"))
        #expect(byHand.what.contains("by-hand docker-forward-drop"))
    }

    @Test func whatIsNoJSONIsLeftToAPerson() throws {
        let made = try plan("Docker version 28.0.0, build x") {
            $0.paths["/etc/docker/daemon.json"] = Fixture.file("{ // mine\n}")
        }
        #expect(made.changes == [] && made.byHand.first?.why.contains("not one JSON object") == true)
    }
}
