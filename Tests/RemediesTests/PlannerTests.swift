import HostAccess
import HostModel
import Testing
import WireFormats

@testable import Remedies

@Suite("The planner")
struct PlannerTests {
    private func make(
        _ causes: [Cause], on host: OverlayHost, profile: Profile = Fixture.profile
    ) throws -> Plan {
        let chosen = ChosenProfile(profile: profile, because: "", supported: true, otherBridges: [])
        return plan(for: causes, profile: chosen, facts: try PlanFacts.read(from: host, profile: profile))
    }

    private func onlyByHand(_ plan: Plan) throws -> ByHand {
        #expect(plan.changes.isEmpty && plan.causes.isEmpty)
        #expect(plan.byHand.count == 1)
        let entry = try #require(plan.byHand.first)
        #expect(!entry.why.isEmpty && !entry.what.isEmpty)
        return entry
    }

    @Test("orders causes by what relies on what, and shares changes between them")
    func order() throws {
        let host = OverlayHost(Fixture.healthy)
        host.state.apply(.deleteBridge(name: "lxcbr1"))
        host.state.apply(.setSysctl(key: SysctlName.ipForward, from: "1", to: "0"))
        host.state.tables = [:]
        host.state.paths[LxcNetFacts.enablement] = .absent
        let made = try make(
            [
                Fixture.cause("masq-not-persistent", remedy: "lxc-net-configure", check: "b"),
                Fixture.cause("bridge-not-persistent", remedy: "lxc-net-configure", check: "a"),
                Fixture.cause("masq-missing", remedy: "masquerade"),
                Fixture.cause("ip-forward-off", remedy: "forwarding"),
                Fixture.cause("bridge-missing", remedy: "bridge-create"),
            ], on: host)
        #expect(
            made.steps.map(\.remedy) == [
                "bridge-create", "bridge-create", "bridge-create", "forwarding", "masquerade", "lxc-net-configure",
            ])
        #expect(made.byHand.isEmpty && made.causes.count == 5)
        #expect(made.changes.last?.serves.map(\.check) == ["b", "a"])
    }

    @Test("adds the right address before it removes the wrong one, and keeps foreign ones")
    func addresses() throws {
        let scenario = try #require(Scenario.all.first { $0.name == "wrong netmask" })
        let made = try make(scenario.causes, on: scenario.host)
        #expect(
            made.changes.map(\.change) == [
                .addAddress(link: "lxcbr1", address: HeldAddress(Fixture.address)),
                .removeAddress(link: "lxcbr1", address: Fixture.held("10.5.0.1/24")),
            ])
    }

    @Test("says that forwarding is for all interfaces, and restores what the kernel resets")
    func forwarding() throws {
        let scenario = try #require(Scenario.all.first { $0.remedy == "forwarding" })
        let change = try #require(try make(scenario.causes, on: scenario.host).changes.first)
        #expect(change.step.risk.contains("ALL its interfaces"))
        #expect(
            change.undo == [
                .setSysctl(key: "net.ipv4.ip_forward", from: "1", to: "0"),
                .setSysctl(key: "net.ipv4.conf.eth1.forwarding", from: "0", to: "1"),
                .setSysctl(key: "net.ipv4.conf.all.accept_redirects", from: "1", to: "0"),
            ])
    }

    @Test(
        "leaves to a person what another table would make worse or not cure",
        arguments: ["masq-shadowed", "snat-dead-source", "nat-notrack"])
    func notCured(_ cause: String) throws {
        let host = OverlayHost(Fixture.healthy)
        host.state.tables = [:]
        _ = try onlyByHand(try make([Fixture.cause(cause, remedy: "masquerade")], on: host))
    }

    @Test("keeps exemptions: of the profile, and of rules that accept")
    func exemptions() throws {
        let host = OverlayHost(Fixture.healthy)
        host.state.tables = [:]
        let cause = Fixture.cause("masq-wrong-oif", remedy: "masquerade")
        var profile = Fixture.profile
        profile.networks[0].exempt = [Fixture.prefix("192.168.0.0/16")]
        #expect(try onlyByHand(try make([cause], on: host, profile: profile)).why.contains("192.168.0.0/16"))

        host.otherRules = [Self.rule(from: Fixture.cidr)]
        let left = try onlyByHand(try make([cause], on: host))
        #expect(left.why.contains("172.16.0.0/12"))
        // The cause's own commands make the very table that would translate them.
        #expect(!left.what.contains { $0.hasPrefix("by-hand ") }, "\(left.what)")

        // `ip daddr vmap @exempt`
        let map: [NftExpression] = [
            .payload(base: .network, offset: 16, length: 4, into: .one),
            .lookup(set: "exempt", from: .one, into: .verdict, inverted: false),
        ]
        host.otherRules = [Self.rule(from: Fixture.cidr, map)]
        #expect(try onlyByHand(try make([cause], on: host)).why.contains("of ip nat POSTROUTING"))

        for ends in [Self.accepted, map] {
            host.otherRules = [Self.rule(from: Fixture.prefix("192.168.122.0/24"), ends)]
            #expect(try make([cause], on: host).changes.count == 1)
        }
    }

    private static let accepted = NftExpression.destination(in: Fixture.prefix("172.16.0.0/12")) + [.verdict(.accept)]

    private static func rule(from source: IPv4Prefix, _ ends: [NftExpression] = accepted) -> NftTransaction {
        let table = NftTableName(.ipv4, "nat")
        var transaction = NftTransaction()
        transaction.newTable(table)
        transaction.newChain(
            "POSTROUTING", in: table, base: NftBaseChain(type: "nat", hook: .postrouting, priority: 100))
        transaction.newRule(
            in: "POSTROUTING", of: table,
            NftExpression.source(in: source) + ends)
        return transaction
    }

    @Test("does not make an nft table where the kernel has none")
    func noNftables() throws {
        let host = OverlayHost(Fixture.healthy)
        host.hasNftables = false
        let entry = try onlyByHand(try make([Fixture.cause("masq-missing", remedy: "masquerade")], on: host))
        #expect(entry.why.contains("no nf_tables"))
        #expect(entry.what.contains("iptables -t nat -A POSTROUTING -s 10.5.0.0/16 ! -d 10.5.0.0/16 -j MASQUERADE"))
    }

    @Test("takes another name where its table's name is taken, and never touches that table")
    func tableNames() throws {
        let host = OverlayHost(Fixture.healthy)
        host.state.tables = ["lxc": .other, "lxc_doctor_lxcbr1": .translation(Fixture.prefix("10.9.0.0/16"))]
        let made = try make([Fixture.cause("masq-missing", remedy: "masquerade")], on: host)
        #expect(
            made.changes.map(\.change) == [
                .createTranslationTable(TranslationTable(name: "lxc_doctor_lxcbr1_2", network: Fixture.cidr))
            ])
    }

    @Test("does not take lxc-net away from a bridge that is in use")
    func takeover() throws {
        let host = OverlayHost(Fixture.healthy)
        host.state.links["lxcbr0"] = .present(kind: "bridge", up: true, ports: 2)
        host.state.paths["/etc/default/lxc-net"] = Fixture.file("LXC_BRIDGE=lxcbr0\n")
        let cause = Fixture.cause("bridge-not-persistent", remedy: "lxc-net-configure")
        #expect(try onlyByHand(try make([cause], on: host)).why.contains("lxcbr0"))
    }

    @Test("says so where lxc-net is not installed, or a unit of someone else replaces it")
    func units() throws {
        let cause = Fixture.cause("bridge-not-persistent", remedy: "lxc-net-configure")
        let host = OverlayHost(Fixture.healthy)
        host.state.paths[Fixture.unit] = .absent
        #expect(try onlyByHand(try make([cause], on: host)).why.contains("not installed"))
    }

    @Test(
        "does not edit what is not root's alone",
        arguments: [
            Fixture.file("LXC_BRIDGE=x\n", owner: 1000), Fixture.file("LXC_BRIDGE=x\n", mode: 0o664),
            .symbolicLink("/tmp/x"), .directory,
        ])
    func distrust(_ path: PathState) throws {
        let host = OverlayHost(Fixture.healthy)
        host.state.paths["/etc/default/lxc-net"] = path
        let cause = Fixture.cause("bridge-not-persistent", remedy: "lxc-net-configure")
        _ = try onlyByHand(try make([cause], on: host))
    }

    @Test(
        "edits no file that is a link, or that others own or may write to, whichever remedy it is",
        arguments: Scenario.all)
    func distrustEverywhere(_ scenario: Scenario) throws {
        let edited = try make(scenario.causes, on: scenario.host).changes.compactMap { planned -> String? in
            if case .file(let path, .some, _) = planned.change, path != LxcNetFacts.flag { path } else { nil }
        }
        for path in Set(edited) {
            guard let content = scenario.host.state.file(path) else { continue }
            let others: [PathState] = [
                .symbolicLink("/tmp/x"),
                .file(FileContent(bytes: content.bytes, mode: content.mode, owner: 1000, group: content.group)),
                .file(FileContent(bytes: content.bytes, mode: content.mode | 0o002, owner: 0, group: content.group)),
            ]
            for other in others {
                let host = scenario.host
                host.state.paths[path] = other
                let touched = try make(scenario.causes, on: host).changes.contains { planned in
                    switch planned.change {
                    case .file(path, _, _), .symbolicLink(path, _, _): true
                    default: false
                    }
                }
                #expect(!touched, "\(path) \(other)")
            }
        }
    }

    @Test("leaves a later assignment in the main file to a person")
    func laterAssignment() throws {
        let host = OverlayHost(Fixture.healthy)
        host.state.paths["/etc/default/lxc"] = Fixture.file(Fixture.main + "LXC_BRIDGE=lxcbr9\n")
        let cause = Fixture.cause("bridge-not-persistent", remedy: "lxc-net-configure")
        #expect(try onlyByHand(try make([cause], on: host)).why.contains("LXC_BRIDGE"))
    }

    @Test("edits one line of sysctl.conf and keeps its old value beside it")
    func sysctlConf() throws {
        let scenario = try #require(Scenario.all.first { $0.remedy == "forwarding-persistent" })
        let host = scenario.host
        let made = try make(scenario.causes, on: host)
        for change in made.changes { try host.apply(change.change) }
        #expect(
            host.state.file("/etc/sysctl.conf")?.bytes.text
                == "# top\n# lxc-doctor: was net/ipv4/ip_forward = 0\nnet.ipv4.ip_forward = 1\nvm.swappiness=1")
        #expect(made.changes.first?.step.risk.contains("/etc/sysctl.d/99_cis.conf") == true)
    }

    @Test("leaves an unknown remedy, an absent one and a link of another kind to a person")
    func byHand() throws {
        let host = OverlayHost(Fixture.healthy)
        host.state.links["lxcbr1"] = .present(kind: "veth", up: true, ports: 0)
        #expect(
            try onlyByHand(try make([Fixture.cause("bridge-missing", remedy: "bridge-create")], on: host))
                .why.contains("not a bridge"))
        let unknown = Fixture.cause("docker-forward-drop", remedy: "docker-user")
        #expect(try onlyByHand(try make([unknown], on: host)).what == ["by-hand docker-forward-drop"])
        var none = unknown
        none.remedy = nil
        #expect(try onlyByHand(try make([none], on: host)).what.first?.contains("explain") == true)
    }

    @Test("does not put the subnet on a second link")
    func elsewhere() throws {
        let host = OverlayHost(Fixture.healthy)
        host.state.apply(.deleteBridge(name: "lxcbr1"))
        host.state.addresses["eth1"] = [Fixture.held("10.5.7.3/24")]
        let entry = try onlyByHand(try make([Fixture.cause("bridge-missing", remedy: "bridge-create")], on: host))
        #expect(entry.why.contains("eth1 carries 10.5.7.3/24"))
    }
}
