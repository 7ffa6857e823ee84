import Foundation
import HostModel
import TestSupport
import Testing

/// Firewalls as their packages set them up, told of the containers as their manuals say: everything is proven, and a rule
/// too many is found.
@Suite(.serialized) struct FirewallVerifyTests {
    /// With what its two-interface sample sets: tcpflags, nosmurfs, and what is INVALID dropped.
    private static let shorewall = """
        cd /etc/shorewall
        printf 'fw firewall\nnet ipv4\nlxc ipv4\n' >zones
        printf '?FORMAT 2\nnet up0 dhcp,tcpflags,nosmurfs,sourceroute=0\nlxc lxcbr1 dhcp,tcpflags,nosmurfs,routeback,bridge\n' \
            >interfaces
        printf '$FW all ACCEPT\nlxc net ACCEPT\nlxc lxc ACCEPT\nnet all DROP\nall all REJECT\n' >policy
        printf '?SECTION NEW\nInvalid(DROP) net all tcp\nSSH(ACCEPT) net $FW\nDNS(ACCEPT) lxc $FW\n' >rules
        printf 'MASQUERADE\t10.5.0.0/16\tup0\n' >snat
        sed -i 's/^IP_FORWARDING=.*/IP_FORWARDING=On/' shorewall.conf
        shorewall start >&2
        iptables -S tcpflags | grep -c tcp-flags

        """

    @Test(arguments: ["iptables-nft", "iptables-legacy"]) func shorewallIsProven(backend: String) throws {
        let ended = try Program.lab(
            ["--backend", backend, "--layer", "shorewall", "--containers", "0"],
            Self.shorewall + "lxc-doctor verify; echo $?; "
                + "iptables -I tcpflags -p tcp --tcp-flags SYN,ACK SYN,ACK -j DROP; lxc-doctor verify; echo $?")
        let parts = ended.output.components(separatedBy: "10.5.0.0/16 behind")
        try #require(parts.count == 3, "\(ended.output)\(ended.messages)")
        // Seven rules on flags that nobody's answers have.
        #expect(parts[0] == "7\n")
        #expect(parts[1].hasSuffix("\n0\n") && !parts[1].contains("UNDECIDED"), "\(parts[1])")
        #expect(parts[1].components(separatedBy: "PROVEN").count == 8, "\(parts[1])")
        #expect(parts[2].hasSuffix("\n2\n") && parts[2].contains("flags 18"), "\(parts[2])")
    }

    @Test(arguments: ["nft", "iptables-nft", "iptables-legacy"]) func ufwIsProven(backend: String) throws {
        let ended = try Program.lab(
            ["--backend", backend, "--layer", "ufw", "--containers", "0"],
            "{ ufw --force enable; ufw allow in on lxcbr1; ufw route allow in on lxcbr1; } >&2; "
                + "lxc-doctor verify; echo $?; ufw route delete allow in on lxcbr1 >&2; lxc-doctor verify -q; echo $?")
        // In the other two lxc-net's own accepts stand before ufw's chains.
        let after = backend == "nft" ? 2 : 0
        #expect(ended.output.hasSuffix("\n0\n\(after)\n"), "\(ended.output)\(ended.messages)")
        #expect(ended.output.components(separatedBy: "PROVEN").count == 8, "\(ended.output)")
    }

    @Test func firewalldIsProven() throws {
        let ended = try Program.lab(
            ["--fault", "firewalld-zone=default", "--containers", "0"],
            "firewall-cmd --zone=trusted --change-interface=lxcbr1 >&2; "
                + "lxc-doctor verify; echo $?; firewall-cmd --zone=block --change-interface=lxcbr1 >&2; "
                + "lxc-doctor verify -q; echo $?")
        #expect(ended.output.hasSuffix("\n0\n2\n"), "\(ended.output)\(ended.messages)")
        #expect(ended.output.components(separatedBy: "PROVEN").count == 8, "\(ended.output)")
    }

    /// The same flags as nft has them: one by one, in a set and in a verdict map.
    @Test(
        arguments: [
            ("tcp flags & (fin|syn) == (fin|syn) drop; tcp flags & (fin|syn|rst|psh|ack|urg) == 0x0 drop", 0),
            ("tcp flags { fin|psh|urg, fin, syn|fin, syn|rst } drop", 0),
            ("tcp flags vmap { fin : drop, syn|fin : drop, 0x0 : drop, ack : accept }", 0),
            ("tcp flags { fin|psh|urg, syn|ack } drop", 2), ("tcp flags vmap { fin : drop, rst|ack : drop }", 2),
            ("tcp flags != syn ct state new drop", 2), ("tcp flags & (fin|syn|rst|ack) != syn ct state new drop", 0),
        ])
    func flagsAsNftHasThem(rules: String, status: Int) throws {
        let ended = try Program.lab(
            ["--containers", "0"],
            "nft 'add table inet f; add chain inet f c { type filter hook forward priority 0; }'; "
                + rules.split(separator: ";").map { "nft 'add rule inet f c \($0)'; " }.joined()
                + "lxc-doctor verify -q; echo $?")
        #expect(ended.output == "\(status)\n", "\(ended.messages)")
    }

    /// A transparent proxy for the containers, a SYN proxy for a server behind the host: only what they may take is not known.
    @Test(
        arguments: [
            (
                "iptables -t mangle -A PREROUTING -i lxcbr1 ! -d 10.5.0.0/16 -p tcp --dport 80 -j TPROXY"
                    + " --on-port 3129 --tproxy-mark 1/1", "target TPROXY"
            ),
            (
                "nft 'add table ip t; add chain ip t p { type filter hook prerouting priority mangle; };"
                    + " add rule ip t p iifname lxcbr1 ip daddr != 10.5.0.0/16 tcp dport 80 tproxy to :3129"
                    + " meta mark set 1 accept'", "tproxy"
            ),
            (
                "iptables -I FORWARD -i lxcbr1 ! -d 10.5.0.0/16 -p tcp --dport 80 -j SYNPROXY --mss 1460",
                "target SYNPROXY"
            ),
            (
                "iptables -t raw -A PREROUTING -i up0 -p tcp --dport 80 --syn -j CT --notrack; iptables -I FORWARD"
                    + " -i up0 -p tcp --dport 80 -m conntrack --ctstate INVALID,UNTRACKED -j SYNPROXY --mss 1460", nil
            ),
        ] as [(String, String?)])
    func proxies(rules: String, what: String?) throws {
        for bridged in [0, 1] {
            let ended = try Program.lab(
                ["--backend", "iptables-nft", "--containers", "0"],
                "sysctl -qw net.bridge.bridge-nf-call-iptables=\(bridged); ip rule add fwmark 1 lookup 100;"
                    + " ip route add local default dev lo table 100; \(rules); lxc-doctor verify --format json")
            let report = try JSONDecoder().decode(VerifyReport.self, from: Data(ended.output.utf8))
            let answers = try #require(report.networks.first?.answers)
            let open = answers.filter { $0.verdict != .proven }
            #expect(open.map(\.question) == (what == nil ? [] : ["forwarded"]), "\(open)")
            guard let what else { continue }
            #expect(open.first?.verdict == .undecided)
            #expect(open.first?.packet == "tcp 10.5.0.2:40000 > 198.51.100.7:80 iif lxcbr1")
            #expect(open.first?.dependsOn?.map(\.what) == [what])
        }
    }
}
