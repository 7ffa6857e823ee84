import Testing

@Suite("A practice host", .serialized, .enabled(if: BuiltProgram.isRoot))
struct HealthyStartTests {
    @Test("starts in less than three seconds and leaves the machine as it was")
    func start() {
        _ = BuiltProgram.layers
        let before = BuiltProgram.machineState()
        let result = BuiltProgram.lab([], ["cat", "/proc/sys/net/ipv4/ip_forward", "/etc/sysctl.d/99_custom.conf"])
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output == "1\nnet.ipv4.ip_forward = 1\n")
        #expect(result.milliseconds < 3000)
        #expect(BuiltProgram.machineState() == before)
    }

    @Test(
        "has the network of its profile", arguments: ["makina", "lxc-net"], ["nft", "iptables-nft", "iptables-legacy"])
    func network(profile: String, backend: String) {
        let makina = profile == "makina"
        let result = BuiltProgram.lab(
            ["--profile", profile, "--backend", backend],
            [
                "sh", "-c",
                """
                ip -br -4 addr show dev $1
                nft list ruleset | grep -c 'counter packets .* masquerade'
                iptables-save -t nat | grep -- '-A POSTROUTING'
                iptables -V
                cat /proc/net/ip_tables_names
                test -e /run/lxc/network_up && pgrep -x dnsmasq > /dev/null && echo up
                """, "sh", makina ? "lxcbr1" : "lxcbr0",
            ])
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.contains(makina ? "10.5.0.1/16" : "10.0.3.1/24"))
        #expect(result.output.hasSuffix("up\n"))
        let rule =
            "-A POSTROUTING -s \(makina ? "10.5.0.0/16 ! -d 10.5.0.0/16" : "10.0.3.0/24 ! -d 10.0.3.0/24") -j MASQUERADE"
        #expect(result.output.contains(rule) == (backend != "nft"))
        #expect(result.output.contains(backend == "iptables-legacy" ? "(legacy)" : "(nf_tables)"))
        #expect(result.output.contains("\nnat\n") == (backend == "iptables-legacy"))
    }

    @Test("has a far side that answers, and that knows no way to the containers")
    func stubInternet() {
        let result = BuiltProgram.lab(
            [],
            [
                "sh", "-c",
                """
                busybox ping -c 1 -W 2 198.51.100.7 > /dev/null && echo answered
                busybox ping -c 1 -W 1 -I 10.5.0.1 198.51.100.7 > /dev/null && echo translated
                ip netns exec internet ip route get 10.5.0.9 || echo no way back
                """,
            ])
        #expect(result.output == "answered\ntranslated\nno way back\n", "\(result.errors)")
    }

    @Test("keeps what belongs to the machine out of reach")
    func isolation() {
        let result = BuiltProgram.lab(
            [],
            [
                "sh", "-c",
                """
                echo 1 > /proc/sys/kernel/panic && echo wrote kernel
                echo 1 > /sys/kernel/mm/transparent_hugepage/khugepaged/defrag && echo wrote sys
                test -b /dev/vda -o -b /dev/sda -o -e /dev/loop-control && echo sees disks
                hwclock --systohc 2>/dev/null && echo set clock
                grep -q 'CapBnd:.*' /proc/self/status
                capabilities=$(sed -n 's/^CapBnd:\\t*//p' /proc/self/status)
                for bit in 16 17 22 25; do
                    [ $((0x$capabilities >> bit & 1)) = 0 ] || echo capability $bit
                done
                echo changed > /etc/hostname
                stat -c %u:%a /run/lxc-doctor-practice-host
                [ "$(ls /proc | grep -c '^[0-9]')" -lt 12 ] && echo few processes
                """,
            ])
        #expect(result.output == "0:444\nfew processes\n", "\(result.errors)")
        #expect(BuiltProgram.shell("cat /etc/hostname").output != "changed\n")
    }

    @Test("has the program on the PATH, which sees that host")
    func program() {
        let result = BuiltProgram.lab(
            [], ["sh", "-c", "cmp \"$(command -v lxc-doctor)\" \"$1\" && echo same", "sh", BuiltProgram.path])
        #expect(result.output == "same\n", "\(result.errors)")
    }

    @Test("is enabled for its next boot")
    func persistence() {
        let result = BuiltProgram.lab(
            [],
            [
                "sh", "-c",
                "systemctl is-enabled lxc-net; systemctl is-active lxc-net; systemctl restart lxc-net; echo $?",
            ])
        #expect(result.output == "enabled\nactive\n0\n", "\(result.errors)")
    }
}
