import Testing

@Suite("A container of a practice host", .serialized, .enabled(if: BuiltProgram.isRoot))
struct ContainerTests {
    @Test(
        "gets an address by DHCP, and its packets arrive with the host's address",
        arguments: ["nft", "iptables-nft", "iptables-legacy"])
    func translated(backend: String) {
        let result = BuiltProgram.lab(
            ["--backend", backend, "--containers", "1"],
            [
                "sh", "-c",
                """
                cut -d' ' -f2,3 /var/lib/misc/dnsmasq.lxcbr1.leases
                lxc-info -n c1 -iH
                lxc-attach -n c1 -- ip route | grep default
                ip netns exec internet tcpdump -lni isp0 --immediate-mode -c 1 icmp 2> /tmp/dump.err > /tmp/dump &
                until grep -q listening /tmp/dump.err; do sleep 0.02; done
                lxc-attach -n c1 -- ping -c 1 -W 2 198.51.100.7 | grep -o '1 packets received'
                wait
                grep -o 'IP .* ICMP echo request' /tmp/dump
                """,
            ])
        #expect(result.status == 0, "\(result.errors)")
        let lines = result.output.split(separator: "\n").map(String.init)
        #expect(lines.count == 5, "\(result.output) \(result.errors)")
        guard lines.count == 5 else { return }
        #expect(lines[0] == "00:16:3e:00:01:01 \(lines[1])")
        #expect(lines[1].hasPrefix("10.5."))
        #expect(lines[2] == "default via 10.5.0.1 dev eth0 ")
        #expect(lines[3] == "1 packets received")
        #expect(lines[4] == "IP 203.0.113.2 > 198.51.100.7: ICMP echo request")
    }

    @Test("is one of as many as were asked for")
    func several() {
        let result = BuiltProgram.lab(
            ["--profile", "lxc-net", "--containers", "3"], ["sh", "-c", "lxc-ls --running; lxc-info -n c3 -iH"])
        #expect(
            result.output.split(whereSeparator: \.isWhitespace).prefix(3) == ["c1", "c2", "c3"], "\(result.errors)")
        #expect(result.output.contains("10.0.3."))
    }
}
