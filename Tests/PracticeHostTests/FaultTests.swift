import Testing

@Suite("A fault", .serialized, .enabled(if: BuiltProgram.isRoot))
struct FaultTests {
    struct Expectation: Sendable, CustomTestStringConvertible {
        var fault: String
        var script: String
        var wanted: String
        var testDescription: String { fault }
    }

    /// What can be seen from outside the fault's own definition.
    static let expectations: [Expectation] = [
        Expectation(
            fault: "bridge-missing", script: "ls -d /sys/class/net/lxcbr1 /run/lxc/network_up; nft list tables",
            wanted: ""),
        Expectation(
            fault: "bridge-missing=removed", script: "ls -d /sys/class/net/lxcbr1; nft list tables",
            wanted: "table inet lxc\ntable ip lxc\n"),
        Expectation(fault: "bridge-down", script: "ip link show lxcbr1 | grep -c '[<,]UP[,>]'", wanted: "0\n"),
        Expectation(
            fault: "bridge-wrong-address-or-mask=mask", script: "ip -o -4 addr show lxcbr1 | awk '{print $4}'",
            wanted: "10.5.0.1/24\n"),
        Expectation(
            fault: "bridge-wrong-address-or-mask=address", script: "ip -o -4 addr show lxcbr1 | awk '{print $4}'",
            wanted: "10.5.0.2/16\n"),
        Expectation(fault: "bridge-address-lost", script: "ip -o -4 addr show lxcbr1", wanted: ""),
        Expectation(fault: "bridge-addr-duplicated", script: "ip -o -4 addr | grep -c 10.5.0.1/16", wanted: "2\n"),
        Expectation(fault: "subnet-overlap", script: "ip route get 10.5.7.9 | grep -o 'dev up0'", wanted: "dev up0\n"),
        Expectation(fault: "ip-forward-off", script: "cat /proc/sys/net/ipv4/ip_forward", wanted: "0\n"),
        Expectation(
            fault: "per-interface-forwarding-off=uplink",
            script: "cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/conf/{lxcbr1,up0}/forwarding",
            wanted: "1\n1\n0\n"),
        Expectation(fault: "masq-missing", script: "nft list tables", wanted: "table inet lxc\n"),
        Expectation(fault: "lxc-net-not-enabled", script: "systemctl is-enabled lxc-net", wanted: "disabled\n"),
        Expectation(fault: "lxc-net-not-enabled=masked", script: "systemctl is-enabled lxc-net", wanted: "masked\n"),
        Expectation(
            fault: "lxc-net-stale-network-up", script: "ls -d /run/lxc/network_up /sys/class/net/lxcbr1",
            wanted: "/run/lxc/network_up\n"),
        Expectation(fault: "dnsmasq-not-running", script: "pgrep -c -x dnsmasq -r DRS", wanted: "0\n"),
        Expectation(fault: "lxc-not-installed", script: "command -v lxc-start lxc-create", wanted: ""),
        Expectation(fault: "lxcpath-missing", script: "ls -d /var/lib/lxc", wanted: ""),
        Expectation(
            fault: "lxcpath-wrong-owner-or-mode=owner", script: "stat -c %u:%a /var/lib/lxc", wanted: "1000:755\n"),
        Expectation(
            fault: "veth-not-in-bridge", script: "lxc-ls -1 --running; bridge link | grep -c master", wanted: "c1\n0\n"),
        Expectation(
            fault: "config-no-link=running", script: "lxc-ls -1 --running; bridge link | grep -c master",
            wanted: "c1\n0\n"),
        Expectation(
            fault: "config-links-other-bridge=running",
            script: "lxc-ls -1 --running; bridge link | grep -c master; ls -d /sys/class/net/virbr9", wanted: "c1\n0\n"),
        Expectation(
            fault: "config-address-without-prefix",
            script: "lxc-attach -n c1 -- ip -o addr show dev eth0 | grep -o '10.5.0.2/8'", wanted: "10.5.0.2/8\n"),
        Expectation(
            fault: "duplicate-container-mac",
            script: "for c in c1 c2; do lxc-attach -n $c -- ip link show dev eth0 | grep -o '00:16:3e:..:..:..'; done",
            wanted: "00:16:3e:00:01:01\n00:16:3e:00:01:01\n"),
        Expectation(
            fault: "config-legacy-keys", script: "lxc-info -n stray 2>&1 | grep -o Failed.to.load",
            wanted: "Failed to load\n"),
    ]

    @Test("is there when the command runs", arguments: expectations)
    func present(expectation: Expectation) {
        let result = BuiltProgram.lab(
            ["--fault", expectation.fault], ["bash", "-c", "{ \(expectation.script); } 2>/dev/null"])
        #expect(result.output == expectation.wanted, "\(result.errors)")
    }

    @Test(
        "of the translation stops a container's packets in every backend",
        arguments: [
            "masq-missing", "masq-wrong-subnet=other", "masq-shadowed", "masq-wrong-oif", "forward-policy-drop",
        ],
        ["nft", "iptables-nft", "iptables-legacy"])
    func stopsPackets(fault: String, backend: String) {
        let ping = "busybox ping -c 1 -W 1 -I 10.5.0.1 198.51.100.7 | grep -o '[01] packets received'"
        let container = "lxc-attach -n c1 -- ping -c 1 -W 1 198.51.100.7 | grep -o '[01] packets received'"
        let result = BuiltProgram.lab(
            ["--backend", backend, "--containers", "1", "--fault", fault], ["sh", "-c", container])
        #expect(result.output == "0 packets received\n", "\(result.errors)")
        if fault == "masq-missing" {
            let healthy = BuiltProgram.lab(["--backend", backend], ["sh", "-c", ping])
            #expect(healthy.output == "1 packets received\n", "\(healthy.errors)")
        }
    }

    @Test("comes together with others")
    func several() {
        let result = BuiltProgram.lab(
            ["--fault", "ip-forward-off", "--fault", "masq-missing"],
            ["sh", "-c", "cat /proc/sys/net/ipv4/ip_forward; nft list tables"])
        #expect(result.output == "0\ntable inet lxc\n", "\(result.errors)")
    }
}
