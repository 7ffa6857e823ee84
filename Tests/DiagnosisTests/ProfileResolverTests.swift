import BuiltInCatalog
import CheckCatalog
import HostModel
import Testing

@testable import Diagnosis

@Suite struct ProfileResolverTests {
    static let stock = HostTraces.LXCNet(
        installed: true, useBridge: true, bridge: "lxcbr0", address: "10.0.3.1/24", dhcpRange: "10.0.3.2,10.0.3.254")

    private func resolve(_ traces: HostTraces) throws(ProfileError) -> ChosenProfile {
        try ProfileResolver.resolve(requested: nil, because: "", builtIn: BuiltIn.profiles(), traces: traces)
    }

    @Test(arguments: [
        (HostTraces(bridges: ["lxcbr0", "lxcbr1"], lxcNet: stock), "makina", "lxcbr1 exists", true),
        (
            HostTraces(bridges: ["lxcbr0"], makinaJob: true, lxcNet: stock), "makina",
            "the lxc-net-makina job is installed", true
        ),
        (
            HostTraces(
                lxcNet: .init(installed: true, useBridge: true, bridge: "lxcbr1", address: "10.5.0.1/16")),
            "makina", "lxc-net is configured for lxcbr1", true
        ),
        (
            HostTraces(lxcNet: .init(installed: true, useBridge: true, bridge: "br5", address: "10.5.0.9/16")),
            "makina", "lxc-net is configured for 10.5.0.0/16", true
        ),
        (
            HostTraces(makinaSettings: "/etc/default/magicbridge_lxcbr1", lxcNet: stock), "makina",
            "/etc/default/magicbridge_lxcbr1 exists", true
        ),
        (HostTraces(lxcNet: stock, makinaContainer: "web"), "makina", "container web links lxcbr1", true),
        (
            HostTraces(lxcNet: stock, makinaContainer: "old", lxcNetContainer: "web"), "makina",
            "container old links lxcbr1, and container web lxc-net's own bridge", false
        ),
        (HostTraces(bridges: ["lxcbr0"], lxcNet: stock), "lxc-net", "lxc-net is configured for lxcbr0", true),
        (
            HostTraces(lxcNet: .init(installed: true, useBridge: false, bridge: "lxcbr0", address: "10.0.3.1/24")),
            "makina", "no lxc-net network is configured, nor any other trace found", false
        ),
        (
            HostTraces(lxcNet: .init(installed: false, useBridge: false, bridge: "", address: "")),
            "makina", "no lxc-net network is configured, nor any other trace found", false
        ),
        (HostTraces(), "makina", "lxc-net's settings could not be read", false),
        (
            HostTraces(lxcNet: .init(installed: true, useBridge: true, bridge: "lxcbr0", address: "rubbish")),
            "makina", "lxc-net's settings give no network", false
        ),
    ]) func takesWhatTheHostShows(_ traces: HostTraces, _ name: String, _ because: String, _ supported: Bool) throws {
        let chosen = try resolve(traces)
        #expect(chosen.profile.name == name)
        #expect(chosen.because == because)
        #expect(chosen.supported == supported)
    }

    private typealias Row = (name: String, address: String, owner: NetworkOwner?, nat: TranslationMode, is: Bool)

    private static let rows: [Row] = [
        ("docker0", "172.17.0.1/16", .docker, .masquerade, true),
        ("incusbr0", "10.77.0.1/24", .incus, .masquerade, false),
        ("incusbr1", "10.78.0.1/24", .incus, .routed, false), ("lxcbr1", "10.5.0.1/16", .lxc, .masquerade, true),
        ("br-own", "10.99.0.1/24", nil, .masquerade, true), ("br-plain", "10.98.0.1/24", nil, .masquerade, false),
        ("br-twin", "10.77.0.9/24", nil, .masquerade, true),
    ]

    private static var managed: [HostTraces.ManagedBridge] {
        rows.compactMap { row in
            IPv4Prefix(row.address).map {
                HostTraces.ManagedBridge(
                    name: row.name, address: $0, owner: row.owner, nat: row.nat, isTranslated: row.is)
            }
        }
    }

    @Test(arguments: [
        ("incus", ["incusbr0", "incusbr1"]), ("docker", ["docker0"]), ("lxd", nil), ("libvirt", nil),
        // A routed network and a bridge without translation are none of these; of two with one subnet the first is.
        ("auto", ["docker0", "incusbr0", "lxcbr1", "br-own", "lxcbr0"]),
    ])
    func takesTheNetworksOfOtherPrograms(_ name: String, _ bridges: [String]?) throws {
        let entry = try #require(BuiltIn.profiles().first { $0.name == name })
        let traces = HostTraces(lxcNet: Self.stock, managed: Self.managed)
        let chosen: ChosenProfile
        do {
            chosen = try ProfileResolver.resolve(
                requested: entry, because: "asked", builtIn: BuiltIn.profiles(), traces: traces)
        } catch {
            #expect(bridges == nil, "\(error)")
            return
        }
        #expect(chosen.profile.networks.map(\.bridge) == bridges)
        #expect(chosen.profile.networks.first { $0.bridge == "incusbr1" }?.nat ?? .routed == .routed)
        #expect(chosen.profile.networks.first { $0.bridge == "docker0" }?.dhcp ?? .off == .off)
    }

    @Test(arguments: [("makina", "lxcbr1", "10.5.0.1/16"), ("lxc-net", "lxcbr0", "10.0.3.1/24")])
    func takesTheIPv6OfLxcNet(_ name: String, _ bridge: String, _ address: String) throws {
        func network(_ ipv6: String, translates: Bool) throws -> Network {
            let settings = HostTraces.LXCNet(
                installed: true, useBridge: true, bridge: bridge, address: address, ipv6: ipv6,
                translatesIPv6: translates)
            return try #require(try resolve(HostTraces(lxcNet: settings)).profile.networks.first)
        }
        #expect(try network("", translates: false).ipv6 == nil)
        let translated = try network("fd42::1/64", translates: true)
        #expect(translated.ipv6 == "fd42::1/64" && translated.translatesIPv6)
        #expect(try !network("fd42::1/64", translates: false).translatesIPv6)
    }

    @Test func whatCannotBeReadIsNoNetwork() throws {
        let entry = try #require(BuiltIn.profiles().first { $0.name == "auto" })
        #expect(throws: ProfileError.self) {
            try ProfileResolver.resolve(
                requested: entry, because: "asked", builtIn: BuiltIn.profiles(),
                traces: HostTraces(lxcNet: Self.stock, managed: nil))
        }
    }

    @Test func namesTheBridgesThatItLeavesOut() throws {
        let chosen = try resolve(HostTraces(bridges: ["docker0", "lxcbr0", "lxcbr1"], lxcNet: Self.stock))
        #expect(chosen.otherBridges == ["docker0", "lxcbr0"])
    }

    @Test func lxcNetTakesTheHostsValues() throws {
        let network = try #require(try resolve(HostTraces(lxcNet: Self.stock)).profile.networks.first)
        #expect(network.bridge == "lxcbr0")
        #expect(network.address.description == "10.0.3.1/24")
        #expect(network.dhcp == .required)
        #expect(network.dhcpRange.map(\.description) == ["10.0.3.2", "10.0.3.254"])
    }

    // From here on by a host.

    private func choose(_ requested: String?, _ host: FakeHost, _ scene: Scene = .bare) throws(ProfileError)
        -> ChosenProfile
    {
        try ProfileResolver.choose(
            requested: requested, builtIn: BuiltIn.profiles(), registry: scene.registry, on: host)
    }

    private func message(_ requested: String?, _ host: FakeHost) -> (text: String, code: Int32)? {
        do {
            _ = try choose(requested, host)
            return nil
        } catch {
            return (error.description, error.exitCode)
        }
    }

    static let own = "name: mine\nnetworks:\n  - { bridge: br9, address: 10.9.0.1/24 }\n"

    @Test func readsBridgesFromTheKernelsNames() throws {
        let host = FakeHost()
        host.add(
            "/proc/net/dev",
            "Inter-|   Receive\n face |bytes\n    lo: 1 2\n  eth0: 1 2\nlxcbr1: 3 4\nveth12: 1 1\n")
        var scene = Scene.bare
        scene.facts["link"] = ["exists": .boolean(true), "kind": .string("bridge")]
        let chosen = try choose(nil, host, scene)
        #expect(chosen.because == "lxcbr1 exists")
        #expect(chosen.otherBridges == ["eth0"])
    }

    @Test func looksAtContainersLast() throws {
        let scene = Scene.bare.with(container: "web", ["links": .strings(["lxcbr1"])])
        #expect(try choose(nil, FakeHost(), scene).because == "container web links lxcbr1")
    }

    @Test func looksForSettingsOfTheMakinaService() throws {
        let host = FakeHost()
        host.add("/etc/default/magicbridge_lxcbr1", "")
        let scene = Scene.bare.with(container: "web", ["links": .strings(["lxcbr1"])])
        #expect(try choose(nil, host, scene).because == "/etc/default/magicbridge_lxcbr1 exists")
    }

    @Test func theSystemsFileComesFirst() throws {
        let host = FakeHost()
        host.add(ProfileResolver.systemFile, Self.own)
        let chosen = try choose(nil, host)
        #expect(chosen.profile.name == "mine")
        #expect(chosen.because == "/etc/lxc-doctor/profile.yaml")
        #expect(chosen.supported)
        #expect(try choose("makina", host).because == "--profile makina")
    }

    @Test(arguments: [(1000, 0o644, "user 1000"), (0, 0o664, "mode 664"), (0, 0o646, "mode 646")])
    func aFileThatOthersMayWriteIsRefused(_ owner: Int, _ mode: Int, _ why: String) throws {
        let host = FakeHost()
        host.add(ProfileResolver.systemFile, Self.own, owner: owner, mode: mode)
        let failure = try #require(message(nil, host))
        #expect(failure.text.hasPrefix("/etc/lxc-doctor/profile.yaml: is refused"))
        #expect(failure.text.contains(why))
        #expect(failure.code == 65)
    }

    @Test func aNamedFileMayBeTheUsersOwn() throws {
        let host = FakeHost()
        host.add("./p.yaml", Self.own, owner: 1000)
        #expect(message("./p.yaml", host)?.code == 65)
        host.effectiveUser = 1000
        #expect(try choose("./p.yaml", host).profile.name == "mine")
    }

    @Test func saysWhatIsWrong() throws {
        let host = FakeHost()
        host.add("/p.yaml", "name: x\nnetwroks: []\n")
        #expect(message("/p.yaml", host)?.text == "/p.yaml:2:1: unknown key \"netwroks\"; did you mean \"networks\"?")
        #expect(message("/p.yaml", host)?.code == 65)
        #expect(message("/q.yaml", host)?.text == "/q.yaml: there is no such file")
        let unknown = try #require(message("makima", host))
        #expect(unknown.text.hasPrefix("there is no profile \"makima\"; did you mean \"makina\"?"))
        #expect(unknown.code == 64)
        let derived = try #require(message("lxc-net", host))
        #expect(derived.text == "profile lxc-net: lxc-net is not installed on this host")
        #expect(derived.code == 65)
    }
}

extension Scene {
    /// A host with nothing on it.
    static let bare = Scene(facts: [
        "link": ["exists": .boolean(false), "kind": .string("")], "makina-job": ["present": .boolean(false)],
        "lxc-net-settings": ["installed": .boolean(false)],
    ])
}
