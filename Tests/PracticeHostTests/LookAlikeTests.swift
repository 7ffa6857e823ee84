import Foundation
import HostModel
import TestSupport
import Testing

/// Hosts that look odd and are healthy: a doctor that cries wolf is not listened to at three in the morning.
@Suite("A healthy look-alike", .serialized) struct LookAlikeTests {
    struct LookAlike: Sendable, CustomTestStringConvertible {
        var name: String
        var options: [String] = []
        var setup: String
        /// Notices that may be given.
        var notices: Set<String> = []

        var testDescription: String { name }
    }

    private static func nft(_ lines: String...) -> String {
        "nft -f - <<'END'\n" + lines.joined(separator: "\n") + "\nEND"
    }

    private static func iptables(_ program: String, _ lines: String...) -> String {
        lines.map { "\(program) \($0)" }.joined(separator: "\n")
    }

    private static let withoutTranslation = ["--fault", "masq-missing"]

    static let translations = [
        LookAlike(
            name: "translation by mark", options: withoutTranslation,
            setup: nft(
                "add table ip look", "add chain ip look pre { type filter hook prerouting priority mangle; }",
                "add rule ip look pre iifname lxcbr1 meta mark set 0x7",
                "add chain ip look post { type nat hook postrouting priority srcnat; }",
                "add rule ip look post meta mark 0x7 oifname != lxcbr1 masquerade")),
        LookAlike(
            name: "translation by set, in another table", options: withoutTranslation,
            setup: nft(
                "add table inet look",
                "add set inet look inside { type ipv4_addr; flags interval; elements = { 10.5.0.0/17, 10.5.128.0/17 }; }",
                "add chain inet look post { type nat hook postrouting priority 90; }",
                "add rule inet look post ip saddr @inside ip daddr != @inside masquerade")),
        LookAlike(
            name: "SNAT to the host's address", options: withoutTranslation,
            setup: nft(
                "add table ip look", "add chain ip look post { type nat hook postrouting priority srcnat; }",
                "add rule ip look post ip saddr 10.5.0.0/16 oifname up0 snat to 203.0.113.2")),
        LookAlike(
            name: "translation in the legacy tables, beside nft",
            options: ["--backend", "iptables-legacy"],
            setup: nft("add table inet look", "add chain inet look onward { type filter hook forward priority 5; }")),
        LookAlike(
            name: "the same rule twice", options: ["--backend", "iptables-nft"],
            setup: "iptables-nft -t nat -A POSTROUTING -s 10.5.0.0/16 ! -d 10.5.0.0/16 -j MASQUERADE",
            notices: ["masq-duplicated"]),
        LookAlike(
            name: "translation of another network, beside tables that lxc-net made with nft",
            setup: "iptables-nft -t nat -A POSTROUTING -s 192.168.122.0/24 ! -d 192.168.122.0/24 -j MASQUERADE"),
        LookAlike(
            name: "an accept in another nat chain",
            setup: nft(
                "add table ip look", "add chain ip look post { type nat hook postrouting priority 50; }",
                "add rule ip look post accept")),
    ]

    static let filters = [
        LookAlike(
            name: "a closed policy whose accepts suffice", options: ["--backend", "iptables-legacy"],
            setup: iptables(
                "iptables-legacy", "-A FORWARD -i lxcbr1 -j ACCEPT",
                "-A FORWARD -o lxcbr1 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "-P FORWARD DROP")),
        LookAlike(
            name: "a closed native table whose accepts suffice",
            setup: nft(
                "add table inet look",
                "add chain inet look onward { type filter hook forward priority 10; policy drop; }",
                "add rule inet look onward ct state established,related accept",
                "add rule inet look onward iifname lxcbr1 accept")),
        LookAlike(
            name: "a closed table of the bridge's family whose accepts suffice",
            setup: nft(
                "add table bridge look",
                "add chain bridge look forward { type filter hook forward priority 0; policy drop; }",
                "add rule bridge look forward ether type { ip, arp, ip6 } accept")),
        LookAlike(
            name: "a closed table of the arp family whose accepts suffice",
            setup: nft(
                "add table arp look",
                "add chain arp look in { type filter hook input priority 0; policy drop; }",
                "add rule arp look in arp saddr ip 10.5.9.9 drop", "add rule arp look in iifname lxcbr1 accept",
                "add chain arp look out { type filter hook output priority 0; policy drop; }",
                "add rule arp look out oifname { lxcbr1, up0 } accept")),
        LookAlike(
            name: "answers to ARP only for addresses of the link that was asked",
            setup: "sysctl -q -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2"),
        LookAlike(
            name: "a redirect of what comes from the outside",
            setup: nft(
                "add table ip look", "add chain ip look pre { type nat hook prerouting priority dstnat; }",
                "add rule ip look pre iifname up0 tcp dport { 80, 443 } redirect to :3128")),
        LookAlike(
            name: "a time to live that is set high",
            setup: nft(
                "add table ip look", "add chain ip look pre { type filter hook prerouting priority mangle; }",
                "add rule ip look pre iifname lxcbr1 ip ttl set 64")),
        LookAlike(
            name: "a local script at boot that flushes nothing",
            setup: """
                printf '#!/bin/sh\\nnft -f /etc/firewall.nft\\n' > /etc/rc.local; chmod 755 /etc/rc.local
                printf 'table inet mine {\\n}\\n' > /etc/firewall.nft
                """),
        LookAlike(
            name: "strict reverse path filtering on a symmetric host",
            setup: "sysctl -q -w net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.up0.rp_filter=1"),
        LookAlike(
            name: "systemd-resolved's stub",
            setup: """
                busybox nc -u -l -p 53 -s 127.0.0.53 </dev/null >/dev/null 2>&1 &
                printf 'nameserver 127.0.0.53\\n' >/etc/resolv.conf
                """),
        LookAlike(
            name: "an overlapping route that nobody uses", setup: "ip route add 10.5.200.0/24 dev up0",
            notices: ["subnet-overlap"]),
    ]

    static let owners = [
        LookAlike(
            name: "a second bridge with its own translation",
            setup: bridge("br9", "10.9.0.1/24")
                + nft(
                    "add table ip nine", "add chain ip nine post { type nat hook postrouting priority srcnat; }",
                    "add rule ip nine post ip saddr 10.9.0.0/24 masquerade")),
        LookAlike(
            name: "Docker",
            setup: bridge("docker0", "172.17.0.1/16")
                + iptables(
                    "iptables-nft", "-N DOCKER", "-N DOCKER-USER", "-N DOCKER-FORWARD", "-A FORWARD -j DOCKER-USER",
                    "-A FORWARD -j DOCKER-FORWARD",
                    "-A DOCKER-FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
                    "-A DOCKER-FORWARD -o docker0 -j DOCKER", "-A DOCKER-FORWARD -i docker0 -j ACCEPT",
                    "-A DOCKER ! -i docker0 -o docker0 -j DROP", "-t nat -N DOCKER",
                    "-t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER",
                    "-t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE")),
        LookAlike(
            name: "libvirt",
            setup: bridge("virbr0", "192.168.122.1/24")
                + iptables(
                    "iptables-nft", "-N LIBVIRT_INP", "-N LIBVIRT_FWO", "-N LIBVIRT_FWI", "-N LIBVIRT_FWX",
                    "-A INPUT -j LIBVIRT_INP", "-A FORWARD -j LIBVIRT_FWX", "-A FORWARD -j LIBVIRT_FWI",
                    "-A FORWARD -j LIBVIRT_FWO", "-A LIBVIRT_INP -i virbr0 -p udp --dport 53 -j ACCEPT",
                    "-A LIBVIRT_FWO -s 192.168.122.0/24 -i virbr0 -j ACCEPT", "-A LIBVIRT_FWO -i virbr0 -j REJECT",
                    "-A LIBVIRT_FWI -o virbr0 -j REJECT", "-A LIBVIRT_FWX -i virbr0 -o virbr0 -j ACCEPT",
                    "-t nat -N LIBVIRT_PRT", "-t nat -A POSTROUTING -j LIBVIRT_PRT",
                    "-t nat -A LIBVIRT_PRT -s 192.168.122.0/24 -d 224.0.0.0/24 -j RETURN",
                    "-t nat -A LIBVIRT_PRT -s 192.168.122.0/24 ! -d 192.168.122.0/24 -j MASQUERADE")),
        LookAlike(
            name: "Incus",
            setup: bridge("incusbr0", "10.77.0.1/24")
                + nft(
                    "add table inet incus",
                    "add chain inet incus pstrt.incusbr0 { type nat hook postrouting priority 100; }",
                    "add rule inet incus pstrt.incusbr0 ip saddr 10.77.0.0/24 ip daddr != 10.77.0.0/24 masquerade",
                    "add chain inet incus fwd.incusbr0 { type filter hook forward priority 0; }",
                    "add rule inet incus fwd.incusbr0 oifname incusbr0 accept",
                    "add rule inet incus fwd.incusbr0 iifname incusbr0 accept")),
    ]

    private static func bridge(_ name: String, _ address: String) -> String {
        "ip link add \(name) type bridge; ip address add \(address) dev \(name); ip link set \(name) up\n"
    }

    static let containers = [
        LookAlike(
            name: "a container that a script connects", options: ["--containers", "2"],
            setup: """
                lxc-stop -k c2; printf '#!/bin/sh\nexit 0\n' >/etc/lxc/own-switch; chmod 755 /etc/lxc/own-switch
                sed -i 's,^lxc.net.0.link = lxcbr1,lxc.net.0.script.up = /etc/lxc/own-switch,' /var/lib/lxc/c2/config
                """),
        LookAlike(
            name: "a service's own address in a container", options: ["--containers", "1"],
            setup: "lxc-attach -n c1 -- ip addr add 10.5.200.7/32 dev eth0"),
    ]

    @Test(arguments: translations + filters + owners + layers + containers)
    func isHealthy(item: LookAlike) throws {
        let ended = try Program.lab(
            item.options, "set -e; exec 3>&1 >&2\n\(item.setup)\nset +e; lxc-doctor --format json >&3")
        let report = try JSONDecoder().decode(Report.self, from: Data(ended.output.utf8))
        let open = report.findings.filter { [.fail, .unknown, .blocked].contains($0.verdict) }
        #expect(report.verdict == .healthy, "\(open.map { "\($0.check): \($0.verdict)" }) \(ended.messages)")
        #expect(report.exitCode == 0 && ended.status == 0)
        #expect(report.proof?.verdict == .masqueraded)
        #expect(Set(report.causes.map(\.id)).isSubset(of: item.notices), "\(report.causes.map(\.id))")
        #expect(report.causes.allSatisfy { $0.severity == .notice })
    }
}
