import FoundationEssentials
import HostAccess
import HostModel
import Testing

@testable import Remedies

@Suite("Every remedy")
struct RemedyTests {
    @Test("plans steps that say everything, runtime before persistent", arguments: Scenario.all)
    func planning(_ scenario: Scenario) throws {
        let facts = try Fixture.facts(scenario.host)
        let made = plan(for: scenario.causes, profile: Fixture.chosen, facts: facts)
        #expect(made.byHand == [])
        #expect(made.causes.map(\.id) == [scenario.cause])
        #expect(!made.changes.isEmpty)
        #expect(Set(made.steps.map(\.id)).count == made.changes.count)
        #expect(made.changes.map(\.phase) == made.changes.map(\.phase).sorted())
        for step in made.steps {
            for text in [step.target, step.before, step.after, step.reversal, step.risk, step.command] {
                #expect(!text.isEmpty, "\(step)")
            }
            #expect(step.before != step.after, "\(step)")
            #expect(step.remedy == scenario.remedy)
            #expect(step.state == .planned)
        }
        let copy = try JSONDecoder().decode(Plan.self, from: JSONEncoder().encode(made))
        #expect(copy == made)
    }

    @Test("has an exact inverse", arguments: Scenario.all)
    func inverse(_ scenario: Scenario) throws {
        let host = scenario.host
        let before = host.state
        let made = plan(for: scenario.causes, profile: Fixture.chosen, facts: try Fixture.facts(host))
        for change in made.changes { try host.apply(change.change) }
        #expect(scenario.healthy(host.state))
        for change in made.changes.reversed() {
            for undo in change.undo { try host.apply(undo) }
        }
        #expect(host.state.normalised == before.normalised)
    }

    /// What lxc-net does not bring back is not taken away: then the address is mended beside it.
    @Test(arguments: ["", "a second address", "a rule in its table", "a route"])
    func lxcNetIsStartedAnewOnlyWhereNobodyElseHasAHandInIt(what: String) throws {
        let host = OverlayHost(Fixture.healthy)
        Scenario.astray(&host.state)
        switch what {
        case "a second address": host.state.addresses["lxcbr1"]?.append(Fixture.held("192.168.7.1/24"))
        case "a rule in its table": host.state.tables["lxc"] = .other
        case "a route": host.uplink = "lxcbr1"
        default: break
        }
        let cause = Fixture.cause("bridge-wrong-address-or-mask", remedy: "bridge-address")
        // Its rule of too small a network goes with the restart, and is a person's affair elsewhere.
        var eastWest = Fixture.cause("masq-hits-east-west", remedy: "none")
        eastWest.evidence = [
            Evidence(
                source: "ip lxc postrouting", command: "",
                value: "ip saddr 10.5.0.0/24 ip daddr != 10.5.0.0/24 counter masquerade")
        ]
        let made = plan(for: [cause, eastWest], profile: Fixture.chosen, facts: try Fixture.facts(host))
        let commands = made.steps.map(\.command)
        if what.isEmpty {
            let words = commands.map { $0.split(separator: " ").prefix(2).joined(separator: " ") }
            #expect(words.prefix(2) == ["dnsmasq --test", "systemctl stop"] && words.count == 4, "\(commands)")
            #expect(commands.last == "systemctl restart lxc-net.service")
        } else {
            #expect(commands.first == "ip address add 10.5.0.1/16 broadcast + dev lxcbr1", "\(commands)")
        }
        #expect(made.byHand.map(\.cause) == (what.isEmpty ? [] : ["masq-hits-east-west"]))
        #expect(made.causes.count == (what.isEmpty ? 2 : 1))
    }

    /// The plan says what it does to the whole host, and why it touches another setting before.
    @Test func theStepsOfIPv6ForwardingSayWhatTheyDo() throws {
        let scenario = try #require(Scenario.all.first { $0.cause == "ipv6-forward-off" })
        let made = plan(for: scenario.causes, profile: Fixture.chosen, facts: try Fixture.facts(scenario.host))
        let targets = made.steps.map { $0.target.split(separator: "/").suffix(2).joined(separator: "/") }
        #expect(
            targets == [
                "eth0/accept_ra", "all/forwarding", "sysctl.d/99-zz-lxc-doctor.conf",
                "sysctl.d/99-zz-lxc-doctor.conf",
            ])
        #expect(made.steps[0].risk.contains("would lose its own IPv6"))
        #expect(made.steps[1].risk.contains("ALL its interfaces"))
        #expect(made.changes[1].undo.count == 2, "\(made.changes[1].undo)")
    }

    /// A bridge made by hand would lack what lxc-net makes with it, and lxc-net would not start beside its own flag.
    @Test func aBridgeWhoseMakerBelievesItIsThereIsMadeByItsMaker() throws {
        let scenario = try #require(Scenario.all.first { $0.name == "bridge missing" })
        var cause = scenario.causes[0]
        func commands() throws -> [String] {
            let facts = try Fixture.facts(scenario.host)
            return plan(for: [cause], profile: Fixture.chosen, facts: facts).steps.map(\.command)
        }
        #expect(try commands().first == "ip link add lxcbr1 type bridge")
        cause.consequences = ["host.lxc-net-flag"]
        #expect(try commands() == ["rm /run/lxc/network_up", "systemctl restart lxc-net.service"])
    }

    @Test("repairs, and finds nothing to do the second time", arguments: Scenario.all)
    func idempotence(_ scenario: Scenario) throws {
        let host = scenario.host
        let run = Repair(scenario, host)
        let made = try run.plan()
        let first = run.apply(made)
        #expect(first.outcome == .applied, "\(first.reason ?? "")")
        #expect(first.steps.allSatisfy { $0.state == .applied })
        #expect(scenario.healthy(host.state))
        let count = host.made.count
        let second = run.apply(made)
        #expect(second.outcome == .applied)
        #expect(second.steps.allSatisfy { $0.state == .unchanged })
        #expect(second.journal == nil)
        #expect(host.made.count == count)
        #expect(try run.plan().changes.isEmpty)
    }

    @Test("keeps every foreign line, the mode and the owner", arguments: Scenario.all)
    func foreignLines(_ scenario: Scenario) throws {
        let host = scenario.host
        let before = host.state
        let run = Repair(scenario, host)
        _ = run.apply(try run.plan())
        for (path, old) in before.paths {
            guard case .file(let old) = old, path != LxcNetFacts.flag else { continue }
            let new = try #require(host.state.file(path), "\(path)")
            #expect(new.mode == old.mode && new.owner == old.owner && new.group == old.group)
            let lines = EditCommand.lines(new.bytes.bytes)
            for line in EditCommand.lines(old.bytes.bytes) {
                let ours = [
                    "LXC_BRIDGE", "LXC_NET", "ip_forward", "LXC_DHCP", "lxc.utsname", "lxc.net.0.", "Address=",
                    "address1=",
                    "env ",
                ]
                .contains { line.contains($0) }
                #expect(ours || lines.contains(line), "\(path): \(line)")
            }
        }
    }
}
