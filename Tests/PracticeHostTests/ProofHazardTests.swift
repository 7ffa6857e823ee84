import Foundation
import HostModel
import TestSupport
import Testing

/// What is read before a packet is sent, because it could let a copy escape or keep an address: beside the rules that
/// `ProofFaultTests` has.
@Suite("The hazards of the proof", .serialized) struct ProofHazardTests {
    private typealias Row = ProofFaultTests.Row

    /// `attach.py KIND LINK`: attaches a BPF program that lets everything pass, says so in /tmp/attached, and holds it.
    /// Source: bpf(2), linux/bpf.h.
    static let attach = """
        cat >/root/attach.py <<'END'
        import ctypes, os, socket, struct, sys, time
        kind, link = sys.argv[1], socket.if_nametoindex(sys.argv[2])
        libc = ctypes.CDLL(None, use_errno=True)
        number = {"x86_64": 321, "aarch64": 280}[os.uname().machine]
        def bpf(command, attributes):
            buffer = ctypes.create_string_buffer(attributes, 128)
            result = libc.syscall(number, command, buffer, 128)
            if result < 0: sys.exit("bpf %d: %s" % (command, os.strerror(ctypes.get_errno())))
            return result
        # program type, expected type of attachment, what it returns, type of attachment, what follows
        types = {
            "tcx": (3, 0, -1, 46, struct.pack("<IIIIQ", link, 46, 0, 0, 0)),
            "xdp": (6, 0, 2, 37, struct.pack("<III", link, 37, 2)),
            "netfilter": (32, 45, 1, 45, struct.pack("<IIIIIiI", 0, 45, 0, 2, 3, 5, 0)),
        }
        program, expected, result, _, rest = types[kind]
        code = ctypes.create_string_buffer(struct.pack("<BBhiBBhi", 0xb7, 0, 0, result, 0x95, 0, 0, 0))
        licence = ctypes.create_string_buffer(b"GPL")
        descriptor = bpf(5, struct.pack(
            "<IIQQIIQII16sII", program, 2, ctypes.addressof(code), ctypes.addressof(licence), 0, 0, 0, 0, 0, b"pass", 0,
            expected))
        held = bpf(28, struct.pack("<I", descriptor) + rest)
        open("/tmp/attached", "w").close()
        time.sleep(60)
        END
        attach() { python3 /root/attach.py "$@" & echo $! >/tmp/holder; until [ -e /tmp/attached ]; do sleep 0.02; done; }
        release() { kill "$(cat /tmp/holder)"; rm /tmp/attached; sleep 0.1; }
        """

    @Test func programsThatNoRuleTellsOfAreFound() throws {
        try ProofFaultTests.check(
            [
                Row(
                    name: "tcx", setup: "attach tcx lxcbr1", undo: "release", verdict: .unknown,
                    reason: "a BPF program of tcx ingress on lxcbr1"),
                Row(
                    name: "tcx, with consent", setup: "attach tcx lxcbr1", undo: "release", options: "--proof wire",
                    verdict: .masqueraded, delivery: .confirmed),
                Row(
                    name: "tcx elsewhere", setup: "attach tcx up0", undo: "release", verdict: .masqueraded),
                Row(
                    name: "xdp", setup: "attach xdp lxcbr1", undo: "release", verdict: .unknown,
                    reason: "an XDP program on lxcbr1"),
                Row(name: "nothing of it is left", setup: "true", verdict: .masqueraded),
            ], prepare: Self.attach)
    }

    /// Such a program is seen from every namespace, so this one is at a hook that no probe comes to: other tests run
    /// meanwhile. `RuleHazardsTests` has those that count.
    @Test func aProgramOfNetfilterIsSeen() throws {
        let ended = try Program.lab(
            [],
            """
            { \(Self.attach)
            attach netfilter lxcbr1; lxc-doctor prove --quiet --record /tmp/r; } >&2; echo "$?"
            grep -o 'netfilter ip OUTPUT at priority 5 (program [0-9]*)' /tmp/r | sed 's/[0-9]*)$//'; release
            lxc-doctor prove --quiet --record /tmp/r >&2; grep -c 'netfilter ip OUTPUT' /tmp/r
            """)
        #expect(
            ended.output == "0\nnetfilter ip OUTPUT at priority 5 (program \n0\n", "\(ended.output)\(ended.messages)")
    }

    @Test func trafficControlThatMirrorsIsFound() throws {
        try ProofFaultTests.check([
            Row(
                name: "a mirror of the bridge",
                setup: """
                    tc qdisc add dev lxcbr1 clsact
                    tc filter add dev lxcbr1 ingress protocol ip u32 match u32 0 0 action mirred egress mirror dev up0
                    """,
                undo: "tc qdisc del dev lxcbr1 clsact", verdict: .unknown,
                reason: "a tc filter on lxcbr1 copies packets to another link"),
            Row(
                name: "a mirror of the old kind of discipline",
                setup: """
                    tc qdisc add dev lxcbr1 ingress
                    tc filter add dev lxcbr1 parent ffff: protocol ip u32 match u32 0 0 action mirred egress redirect dev up0
                    """,
                undo: "tc qdisc del dev lxcbr1 ingress", verdict: .unknown,
                reason: "a tc filter on lxcbr1 copies packets to another link"),
            Row(
                name: "netdev dup",
                setup: """
                    nft add table netdev m; nft 'add chain netdev m c { type filter hook ingress device lxcbr1 priority 0; }'
                    nft add rule netdev m c dup to up0
                    """,
                verdict: .unknown, reason: "would copy a probe"),
            Row(
                name: "a SET target",
                setup: "ipset create s hash:ip; iptables-nft -A FORWARD -j SET --add-set s src",
                undo: "iptables-nft -F FORWARD; ipset destroy s", verdict: .unknown,
                reason: "would remember the address"),
            Row(
                name: "a limit for each address, forgotten in seconds",
                setup:
                    "iptables-nft -A FORWARD -m hashlimit --hashlimit-name x --hashlimit-mode srcip --hashlimit-above 99/s -j DROP",
                verdict: .masqueraded),
            Row(
                name: "a limit of connections for each address",
                setup: "iptables-nft -A FORWARD -m connlimit --connlimit-above 99 -j DROP", verdict: .unknown,
                reason: "would remember the address"),
            Row(
                name: "a queue", setup: "iptables-nft -A FORWARD -j NFQUEUE --queue-num 7 --queue-bypass",
                verdict: .unknown, reason: "would hand a probe to a program"),
            Row(
                name: "NetworkManager manages an idle bridge",
                setup: """
                    mkdir -p /run/NetworkManager/devices
                    echo connection-uuid=1 >/run/NetworkManager/devices/$(cat /sys/class/net/lxcbr1/ifindex)
                    """,
                undo: "rm -r /run/NetworkManager", verdict: .unknown, reason: "NetworkManager manages it"),
        ])
    }

    /// A real port may have what a throw-away one has not: then nothing is sent from its container.
    @Test func aRealPortIsReadAsWell() throws {
        let ended = try Program.lab(
            ["--containers", "1"],
            """
            { \(Self.attach)
            attach tcx $(ip -br link show master lxcbr1 | cut -d@ -f1); } >&2
            lxc-doctor --format json; echo SPLIT; lxc-doctor prove --container c1 --format json
            """)
        let parts = ended.output.components(separatedBy: "SPLIT\n")
        try #require(parts.count == 2, "\(ended.messages)")
        let report = try JSONDecoder().decode(Report.self, from: Data(parts[0].utf8))
        #expect(report.findings.first { $0.check == "nat.proof" }?.verdict == .pass)
        let finding = try #require(report.findings.first { $0.check == "nat.container-proof" })
        #expect(finding.verdict == .unknown)
        #expect(finding.reason?.contains("a BPF program of tcx ingress on veth") == true, "\(finding)")
        let own = try JSONDecoder().decode(ProofReport.self, from: Data(parts[1].utf8))
        #expect(own.verdict == .unknown)
    }

    /// Rules that remember who speaks to the host keep DHCP and DNS back, and nothing else; not where they are about
    /// another port.
    @Test(arguments: [
        ("iptables-nft -I INPUT -p tcp --dport 22 -m recent --set --name x", Arrival.arrived),
        ("iptables-nft -I INPUT -m recent --set --name x", .unknown),
        ("iptables-legacy -I INPUT -p udp --dport 53 -m recent --set --name x", .unknown),
        (
            """
            nft add table ip m; nft 'add set ip m s { type ipv4_addr; flags dynamic; timeout 1m; }'
            nft 'add chain ip m c { type filter hook input priority 0; }'
            nft 'add rule ip m c tcp dport 22 add @s { ip saddr }'
            """, .arrived
        ),
    ])
    func rulesOfInputThatRemember(setup: String, arrival: Arrival) throws {
        let ended = try Program.lab([], "{ \(setup); } >&2; lxc-doctor prove --format json")
        let report = try JSONDecoder().decode(ProofReport.self, from: Data(ended.output.utf8))
        #expect(report.verdict == .masqueraded)
        let local = report.local ?? []
        let intoHost = local.filter { $0.kind != .eastWest }
        #expect(!intoHost.isEmpty && intoHost.allSatisfy { $0.arrival == arrival }, "\(intoHost)")
        #expect(arrival == .arrived || intoHost[0].reason?.contains("would remember the address") == true)
        #expect(local.filter { $0.kind == .eastWest }.allSatisfy { $0.arrival == .arrived })
        #expect(ended.status == (arrival == .arrived ? 0 : 3))
    }
}
