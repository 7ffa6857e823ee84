import HostAccess
import HostModel
import Testing

@testable import Remedies

/// A broken host with the cause that the doctor would name, and what must hold once it is repaired.
struct Scenario: Sendable, CustomTestStringConvertible {
    let name: String
    let cause: String
    let remedy: String
    /// Where the check saw it.
    var evidence: String?
    /// What programs print when they are asked for a version.
    var versions: [ProgramName: String] = [:]
    let breakage: @Sendable (inout HostState) -> Void
    let healthy: @Sendable (HostState) -> Bool

    var testDescription: String { name }

    var host: OverlayHost {
        var state = Fixture.healthy
        breakage(&state)
        let host = OverlayHost(state)
        host.versions = versions
        return host
    }

    var causes: [Cause] {
        var cause = Fixture.cause(cause, remedy: remedy)
        if let evidence { cause.evidence = [Evidence(source: evidence, command: "nft list ruleset", value: "drop")] }
        return [cause]
    }

    /// What the check of the cause says of a state.
    func finding(_ state: HostState) -> Finding {
        Finding(
            check: "test.\(remedy)", subject: Fixture.subject, title: "", area: .bridge, severity: .critical,
            verdict: healthy(state) ? .pass : .fail, observed: "as it is")
    }
}

enum Fixture {
    static let address = prefix("10.5.0.1/16")
    static let cidr = prefix("10.5.0.0/16")
    static let subject = Subject(kind: .network, name: "lxcbr1")
    static let network = Network(name: "lxcbr1", bridge: "lxcbr1", address: address)
    static let profile = Profile(
        name: "makina", networks: [network], image: BaseImage(name: "old"))
    static let chosen = ChosenProfile(profile: profile, because: "test", supported: true, otherBridges: [])
    static let unit = "/lib/systemd/system/lxc-net.service"

    static func prefix(_ text: String) -> IPv4Prefix {
        IPv4Prefix(text) ?? IPv4Prefix(address: IPv4Address(value: 0), length: 0).unsafelyUnwrapped
    }

    static func held(_ text: String) -> HeldAddress { HeldAddress(prefix(text)) }

    /// As somebody gave it by hand: with a label, without a broadcast address, and without a route to its subnet.
    static func oddlyHeld(_ text: String) -> HeldAddress {
        var held = HeldAddress(prefix(text), broadcast: nil)
        held.label = "lxcbr1:x"
        held.flags = 0x200
        held.scope = 253
        held.metric = 7
        return held
    }

    static func cause(_ id: String, remedy: String, check: String? = nil) -> Cause {
        Cause(
            id: id, area: .bridge, subject: subject, severity: .critical, title: id, explanation: "",
            check: check ?? "test.\(remedy)", evidence: [],
            remedy: RemedyAdvice(id: remedy, automatic: true, commands: ["by-hand \(id)"]))
    }

    static func file(_ text: String, mode: Int = 0o644, owner: Int = 0) -> PathState {
        .file(FileContent(bytes: ByteString(text), mode: mode, owner: owner))
    }

    static let main = """
        # Kept by an administrator.
        LXC_AUTO="true"
        USE_LXC_BRIDGE="false"  # overridden in lxc-net

        [ ! -f /etc/default/lxc-net ] || . /etc/default/lxc-net
        LXC_SHUTDOWN_TIMEOUT=120

        """

    static let settings = """
        # Local network.
        USE_LXC_BRIDGE="true"
        LXC_BRIDGE="lxcbr1"
        LXC_ADDR="10.5.0.1"
        LXC_NETMASK="255.255.0.0"
        LXC_NETWORK="10.5.0.0/16"
        LXC_DHCP_RANGE="10.5.0.2,10.5.255.254"
        LXC_DHCP_MAX="65533"
        LXC_DOMAIN="lxc.example" # ours

        """

    /// lxc-net with the profile's values, up and enabled.
    static var healthy: HostState {
        var state = HostState()
        state.links = [
            "lo": .present(kind: "", up: true, ports: 0), "eth0": .present(kind: "", up: true, ports: 0),
            "eth1": .present(kind: "", up: true, ports: 0), "lxcbr1": .present(kind: "bridge", up: true, ports: 0),
        ]
        state.addresses = [
            "lo": [held("127.0.0.1/8")], "eth0": [held("203.0.113.2/24")], "eth1": [],
            "lxcbr1": [HeldAddress(address)],
        ]
        state.sysctls = [SysctlName.ipForward: "1", SysctlName.acceptRedirects: "0"]
        for link in ["all", "default", "lo", "eth0", "eth1", "lxcbr1"] {
            state.sysctls[SysctlName.forwarding(of: link)] = "1"
            state.sysctls[SysctlName.promoteSecondaries(of: link)] = "0"
        }
        state.tables = ["lxc": .translation(cidr)]
        for directory in [
            "/etc", "/etc/default", "/etc/sysctl.d", "/etc/systemd/system",
            "/etc/systemd/system/multi-user.target.wants", "/run/lxc", "/run/systemd/system", "/usr/lib/sysctl.d",
        ] {
            state.paths[directory] = .directory
        }
        state.paths["/etc/default/lxc"] = file(main)
        state.paths["/etc/default/lxc-net"] = file(settings, mode: 0o640)
        state.paths["/etc/sysctl.conf"] = file("# nothing\n")
        state.paths["/etc/sysctl.d/99-sysctl.conf"] = .symbolicLink("../sysctl.conf")
        state.paths["/etc/sysctl.d/30-forward.conf"] = file("net.ipv4.ip_forward=1\n")
        state.paths[unit] = file("[Unit]\n")
        state.paths[LxcNetFacts.enablement] = .symbolicLink(unit)
        state.paths[LxcNetFacts.flag] = file("")
        return state
    }

    static func facts(_ host: OverlayHost) throws -> PlanFacts {
        try PlanFacts.read(from: host, profile: profile)
    }

    static let identity = RunIdentity(run: "20250405T101500Z-1", startedAt: "2025-04-05T10:15:00Z")
}

extension HostState {
    /// Without what does not matter: the order of addresses, and paths that are absent.
    var normalised: HostState {
        var state = self
        state.addresses = state.addresses.mapValues { $0.sorted { $0.description < $1.description } }
        state.paths = state.paths.filter { $0.value != .absent }
        state.tables = state.tables.filter { $0.value != .absent }
        return state
    }
}
