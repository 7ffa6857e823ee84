import Foundation
import HostModel
import TestSupport
import Testing

/// Hosts with unusual ways out, tables and firewalls, on which everything works.
@Suite("A healthy way out that looks odd", .serialized) struct PathLookAlikeTests {
    struct LookAlike: Sendable, CustomTestStringConvertible {
        var name: String
        var options: [String] = []
        var setup: String

        var testDescription: String { name }
    }

    private static let secondUplink = """
        ip link add up1 type veth peer name isp1 netns internet
        ip address add 192.0.2.2/24 dev up1; ip link set up1 up
        ip -n internet address add 192.0.2.1/24 dev isp1; ip -n internet link set isp1 up
        """

    private static let tunnel = """
        ip link add vpn0 type veth peer name vpn1; ip address add 100.64.0.9/32 dev vpn0
        ip link set vpn0 up; ip link set vpn1 up
        """

    static let routing = [
        LookAlike(
            name: "containers leave by a second line and are translated there",
            setup: """
                \(secondUplink)
                ip route add default via 192.0.2.1 dev up1 table 100
                ip rule add priority 90 to 10.5.0.0/16 lookup main
                ip rule add priority 100 from 10.5.0.0/16 lookup 100
                sysctl -q -w net.ipv4.conf.up1.rp_filter=2
                """),
        LookAlike(
            name: "a spare line, and a translation for both",
            setup: "\(secondUplink)\nip route add default via 192.0.2.1 dev up1 metric 200"),
        LookAlike(
            name: "strict filtering of the reverse path where there is one way",
            setup: "sysctl -q -w net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.up0.rp_filter=1"),
        LookAlike(
            name: "a rule that looks for the way back where there is one",
            setup: """
                nft 'add table inet antispoof; add chain inet antispoof p { type filter hook prerouting priority raw; }; \
                add rule inet antispoof p iifname "up0" fib saddr . iif oif missing drop'
                """),
        LookAlike(
            name: "Tailscale's rules and its empty table",
            setup: """
                ip rule add priority 5210 fwmark 0x80000/0xff0000 lookup main
                ip rule add priority 5230 fwmark 0x80000/0xff0000 lookup default
                ip rule add priority 5270 lookup 52
                """),
        LookAlike(
            name: "Tailscale's rules, and the private ranges of others in its table",
            setup: """
                \(tunnel)
                ip route add 100.64.0.0/10 dev vpn0 table 52; ip route add 10.6.0.0/16 dev vpn0 table 52
                ip route add 10.5.0.0/16 dev lxcbr1 table 52
                ip rule add priority 5250 fwmark 0x80000/0xff0000 unreachable; ip rule add priority 5270 lookup 52
                """),
        LookAlike(
            name: "wg-quick leads everything but what the main table knows into its tunnel",
            setup: """
                \(tunnel)
                ip route add default dev vpn0 table 51820
                ip rule add priority 90 lookup main suppress_prefixlength 0
                ip rule add priority 100 not fwmark 0xca6c lookup 51820
                sysctl -q -w net.ipv4.conf.all.src_valid_mark=1
                """),
        LookAlike(
            name: "a table for what comes from containers, and not for what the host sends from its address there",
            setup: """
                ip route add default via 203.0.113.1 dev up0 table 100
                ip rule add priority 100 from 10.5.0.0/16 iif lxcbr1 lookup 100
                """),
        LookAlike(
            name: "tables for the host's own addresses, and for a neighbour's network",
            setup: """
                ip route add default via 203.0.113.1 dev up0 table 100
                ip rule add priority 100 from 203.0.113.2 lookup 100
                ip rule add priority 101 from 192.168.50.0/24 lookup 100
                ip rule add priority 102 iif nobody0 lookup 100
                """),
        LookAlike(
            name: "routes into nothing that are behind the bridge's own, or for nobody",
            setup: """
                ip route add blackhole 10.5.0.0/16 metric 1000; ip route add blackhole 10.0.0.0/8
                ip route add blackhole 10.5.250.7; ip rule add priority 100 to 10.5.250.8 prohibit
                """),
        LookAlike(
            name: "a bridge without containers, whose route waits for a carrier", options: ["--containers", "0"],
            setup: "sysctl -q -w net.ipv4.conf.lxcbr1.ignore_routes_with_linkdown=1"),
        LookAlike(
            name: "private destinations that are routed on purpose",
            setup: """
                ip route add 192.168.50.0/24 via 203.0.113.1
                nft insert rule ip lxc postrouting ip daddr 192.168.0.0/16 accept
                """),
        LookAlike(
            name: "a lone address with its gateway on the link",
            setup: """
                ip address flush dev up0; ip address add 203.0.113.2/32 dev up0
                ip route add default via 203.0.113.1 dev up0 onlink
                """),
        LookAlike(
            name: "networkd, told to leave the rules of others alone",
            setup: """
                mkdir -p /run/systemd/netif /etc/systemd/networkd.conf.d; echo OPER_STATE=routable > /run/systemd/netif/state
                printf '[Network]\\nManageForeignRoutingPolicyRules=no\\n' > /etc/systemd/networkd.conf.d/keep.conf
                ip rule add priority 90 to 10.5.0.0/16 lookup main
                """),
        LookAlike(
            name: "networkd, and no rules but the kernel's",
            setup: "mkdir -p /run/systemd/netif; echo OPER_STATE=routable > /run/systemd/netif/state"),
        LookAlike(
            name: "a forwarding host that hears advertisements all the same",
            setup: """
                ip -6 address add 2001:db8:1::2/64 dev up0 nodad; ip -6 address add fd42:5::1/64 dev lxcbr1 nodad
                sysctl -q -w net.ipv6.conf.up0.accept_ra=2 net.ipv6.conf.all.forwarding=1
                """),
        LookAlike(
            name: "a static default route of IPv6",
            setup: """
                ip -6 address add 2001:db8:1::2/64 dev up0 nodad; ip -6 route add default via 2001:db8:1::1 dev up0
                sysctl -q -w net.ipv6.conf.up0.accept_ra=1 net.ipv6.conf.all.forwarding=1
                """),
        LookAlike(
            name: "an uplink that takes larger packets",
            setup: "ip link set up0 mtu 9000; ip -n internet link set isp0 mtu 9000"),
        LookAlike(
            name: "an uplink that takes smaller packets, and a clamp",
            setup: """
                ip link set up0 mtu 1400
                iptables -w -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
                """),
    ]

    static let neighbours = [
        LookAlike(
            name: "a tunnel of IPsec whose far end is left alone",
            setup: """
                ip xfrm policy add src 10.5.0.0/16 dst 192.168.50.0/24 dir out tmpl src 203.0.113.2 dst 198.51.100.7 \
                    proto esp mode tunnel
                nft insert rule ip lxc postrouting ip daddr 192.168.50.0/24 accept
                """),
        LookAlike(
            name: "a tunnel of IPsec between others",
            setup: """
                ip xfrm policy add src 203.0.113.2/32 dst 192.168.50.0/24 dir out tmpl src 203.0.113.2 \
                    dst 198.51.100.7 proto esp mode tunnel
                """),
        LookAlike(
            name: "ufw's chains after it was switched off, beside firewalld",
            setup: """
                mkdir -p /etc/ufw; echo ENABLED=no > /etc/ufw/ufw.conf
                iptables -w -N ufw-before-forward; iptables -w -A FORWARD -j ufw-before-forward
                nft 'add table inet firewalld; add chain inet firewalld filter_FORWARD \
                { type filter hook forward priority 10; policy accept; }'
                """),
        LookAlike(
            name: "iptables-legacy and nft side by side",
            setup: "iptables-legacy -w -A FORWARD -i lxcbr1 -j ACCEPT; iptables-legacy -w -t mangle -S >/dev/null"),
        LookAlike(
            name: "OUTPUT closed but for what containers need",
            setup: """
                nft 'add table inet out; add chain inet out o { type filter hook output priority 0; policy drop; }; \
                add rule inet out o oifname { "lo", "up0", "lxcbr1" } accept'
                """),
        LookAlike(
            name: "a firewall bridge of Proxmox with its zone",
            setup: """
                ip link add fwbr100i0 type bridge; ip link add fwpr100p0 type veth peer name fwln100i0
                ip link set fwpr100p0 master lxcbr1 up; ip link set fwln100i0 master fwbr100i0 up
                ip link set fwbr100i0 up; sysctl -q -w net.bridge.bridge-nf-call-iptables=1
                iptables -w -t raw -I PREROUTING -i fwbr+ -j CT --zone 1
                """),
        LookAlike(
            name: "rules of Docker before routing that guard a whole network of others",
            setup: """
                ip link add docker0 type bridge; ip address add 172.17.0.1/16 dev docker0; ip link set docker0 up
                iptables -w -t raw -A PREROUTING -d 172.17.0.2/32 -i up0 -j DROP
                """),
    ]

    @Test(arguments: routing + neighbours)
    func isHealthy(item: LookAlike) throws {
        let ended = try Program.lab(
            item.options, "set -e; exec 3>&1 >&2\n\(item.setup)\nset +e; lxc-doctor --format json >&3")
        let report = try JSONDecoder().decode(Report.self, from: Data(ended.output.utf8))
        let open = report.findings.filter { [.fail, .unknown, .blocked].contains($0.verdict) }
        #expect(open.isEmpty, "\(open.map { "\($0.check): \($0.verdict) \($0.observed ?? $0.reason ?? "")" })")
        #expect(report.causes.isEmpty, "\(report.causes.map(\.id))")
        #expect(report.verdict == .healthy, "\(ended.messages)")
    }
}
