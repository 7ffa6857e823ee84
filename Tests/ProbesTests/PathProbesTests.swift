import HostAccess
import HostModel
import Testing

@testable import Probes

/// Probes of the ways out, over literals.
@Suite struct PathProbesTests {
    // MARK: Routes

    private func portRoutes(_ host: LinkHost) throws -> [String: FactValue] {
        try PortDefaultRoutesProbe().observe(ProbeParameters([:]), on: host.host).facts
    }

    @Test func aDefaultRouteByAPortIsSeen() throws {
        var host = LinkHost()
        #expect(try portRoutes(host)["count"] == .integer(0))
        host.interfaces.append(
            LinkHost.Interface(
                index: 4, name: "vethX", kind: "veth", master: 3, addresses: ["169.254.10.1/16"]))
        host.routes.append(LinkHost.Way(destination: "0.0.0.0/0", link: 4))
        let facts = try portRoutes(host)
        #expect(facts["routes"] == .strings(["default dev vethX metric 0"]))
        #expect(facts["addresses"] == .strings(["169.254.10.1/16 on vethX"]))
    }

    /// A host that is a container itself has a veth for an uplink.
    @Test func aVethWithAGatewayIsAnUplink() throws {
        var host = LinkHost()
        host.interfaces[1].kind = "veth"
        #expect(try portRoutes(host)["count"] == .integer(0))
        // Without a gateway and with nothing but a link-local address it is a network manager's mistake.
        host.interfaces[1].addresses = ["169.254.7.7/16"]
        host.routes[0].gateway = nil
        #expect(try portRoutes(host)["count"] == .integer(1))
    }

    private func gateway(_ host: LinkHost) throws -> [String: FactValue] {
        try GatewayOnLinkProbe().observe(ProbeParameters([:]), on: host.host).facts
    }

    @Test func aLoneAddressWithADefaultRouteIsHealthy() throws {
        var host = LinkHost()
        #expect(try gateway(host)["count"] == .integer(0))
        host.interfaces[1].addresses = ["203.0.113.2/32"]
        #expect(try gateway(host)["count"] == .integer(1))
        #expect(try gateway(host)["hasDefault"] == .boolean(true))
    }

    // MARK: Text

    @Test func countersAreSumsOverProcessors() {
        let text = """
            entries  clashres found new invalid ignore delete chainlength insert insert_failed drop early_drop icmp_error
            00000009  00000001 00000000 00000000 0000000a 00000000 00000000 00000000 00000000 00000002 00000000 00000000 00000000
            00000009  00000000 00000000 00000000 00000006 00000000 00000000 00000000 00000000 00000001 00000010 00000000 00000000

            """
        let sums = ConntrackTable.sums(text)
        #expect(sums["invalid"] == 16 && sums["insert_failed"] == 3 && sums["drop"] == 16)
        #expect(ConntrackTable.sums("").isEmpty)
    }

    @Test func addressesOfIPv6AreRead() {
        let found = IPv6State.addresses(
            """
            00000000000000000000000000000001 01 80 10 80       lo
            fd420005000000000000000000000001 03 40 00 80   lxcbr1
            fe80000000000000fc4215fffe000001 03 40 20 80   lxcbr1
            20010db8000100000000000000000002 02 40 00 00     eth0
            nonsense

            """)
        #expect(found.map(\.text) == ["::1/128", "fd42:5::1/64", "fe80::fc42:15ff:fe00:1/64", "2001:db8:1::2/64"])
        #expect(found.map(\.isGlobal) == [false, true, false, true])
    }

    @Test func defaultRoutesOfIPv6AreRead() {
        let zero = String(repeating: "0", count: 32)
        func line(_ gateway: String, _ flags: String, _ link: String, length: String = "00") -> String {
            "\(zero) \(length) \(zero) 00 \(gateway) 00000400 00000001 00000000 \(flags)     \(link)\n"
        }
        let router = "fe800000000000000000000000000001"
        let found = IPv6State.defaultRoutes(
            line(router, "00450003", "eth0") + line(router, "00000003", "eth1") + line(zero, "00200200", "lo")
                + line(zero, "00000001", "lxcbr1", length: "40"))
        #expect(found.map(\.link) == ["eth0", "eth1"])
        #expect(found.map(\.isAdvertised) == [true, false])
    }

    @Test(arguments: [
        ("-A PREROUTING -d 172.17.0.2/32 ! -i docker0 -j DROP", "172.17.0.2"),
        ("ip daddr 172.17.0.2 iifname != \"docker0\" counter drop", "172.17.0.2"),
        ("-A PREROUTING -d 172.17.0.0/16 ! -i docker0 -j DROP", nil),
        ("-A PREROUTING -d 172.17.0.2/32 -i docker0 -j DROP", nil),
        ("-A PREROUTING -d 172.17.0.2/32 ! -i docker0 -j ACCEPT", nil), ("-d", nil), ("", nil),
    ])
    func rulesOfDockerHaveAShape(text: String, address: String?) {
        #expect(DockerRawDropsProbe.guarded(text)?.description == address)
    }

    // MARK: Files

    private static let held = [
        "/run/xtables.lock": "", "/proc/uptime": "1000.51 3000.00\n",
        "/proc/locks": """
        1: FLOCK  ADVISORY  WRITE 811 fe:00:16224287 0 EOF
        2: POSIX  ADVISORY  WRITE 813 fe:00:5424294 1073741824 1073742335
        3: FLOCK  ADVISORY  WRITE 812 00:1a:77 0 EOF
        3: -> FLOCK  ADVISORY  WRITE 20858 00:1a:77 0 EOF

        """,
        "/proc/811/fd/3": "-> /run/other.lock", "/proc/812/fd/0": "-> /dev/null",
        "/proc/812/fd/4": "-> /run/xtables.lock", "/proc/812/comm": "iptables-restore\n",
        "/proc/812/stat":
            "812 (iptables (x) y) S 1 812 812 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 66000 2998272 256 184467\n",
    ]

    private func lock(_ files: [String: String]) throws -> [String: FactValue] {
        try XtablesLockProbe().observe(ProbeParameters([:]), on: FileTreeHost(files)).facts
    }

    @Test func theHolderOfTheLockIsFound() throws {
        let facts = try lock(Self.held)
        #expect(facts["held"] == .boolean(true) && facts["pid"] == .integer(812))
        #expect(facts["process"] == .string("iptables-restore") && facts["seconds"] == .integer(340))
        var free = Self.held
        free["/proc/812/fd/4"] = nil
        #expect(try lock(free)["held"] == .boolean(false))
        #expect(throws: ObservationFailure.self) { try lock([:]) }
    }
}
