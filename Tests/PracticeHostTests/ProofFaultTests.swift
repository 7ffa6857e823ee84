import Foundation
import HostModel
import TestSupport
import Testing

/// Faults of every kind on practice hosts, and what the proof says of each: the verdict, and who did it.
@Suite(.serialized) struct ProofFaultTests {
    struct Row: Sendable {
        var name: String
        var setup: String
        var undo = "true"
        var options = "--proof fence"
        var verdict: ProofVerdict
        /// Of the worst probe.
        var hook: String?
        /// `ip filter FORWARD`.
        var place: String?
        var backend: String?
        /// A part of the killer's text.
        var text: String?
        /// A part of the reason.
        var reason: String?
        var delivery: ProofDelivery?
    }

    /// Runs all rows on one practice host, each from a healthy ruleset.
    /// Where one family is named, the other is healthy all the time.
    static func check(
        _ rows: [Row], backend: String = "nft", lab: [String] = [], family: IPFamily? = nil, prepare: String = "true"
    ) throws {
        var script = "\(prepare)\nnft list ruleset >/tmp/rules\n"
        for row in rows {
            script += """
                { \(row.setup)
                } >&2
                lxc-doctor prove --format json \(row.options); echo SPLIT
                { \(row.undo)
                nft flush ruleset; nft -f /tmp/rules; } >&2

                """
        }
        let ended = try Program.lab(["--backend", backend] + lab, script)
        let documents = ended.output.components(separatedBy: "SPLIT\n").dropLast()
        try #require(documents.count == rows.count, "\(ended.messages)")
        for (row, document) in zip(rows, documents) {
            var report = try JSONDecoder().decode(ProofReport.self, from: Data(document.utf8))
            if let family {
                let others = report.probes.filter { $0.family != family }
                #expect(others.count == 6 && others.allSatisfy { $0.verdict == .masqueraded }, "\(row.name): \(others)")
                report.probes.removeAll { $0.family != family }
            }
            judge(row, report, ended.messages)
        }
    }

    private static func judge(_ row: Row, _ report: ProofReport, _ messages: String) {
        guard let worst = report.probes.min(by: { $0.verdict < $1.verdict }) else {
            Issue.record("\(row.name): no probes\n\(messages)")
            return
        }
        let seen: Comment = "\(row.name): \(worst)\n\(messages)"
        #expect(worst.verdict == row.verdict, seen)
        let killer = worst.killer
        if let hook = row.hook { #expect(killer?.hook == hook, seen) }
        if let place = row.place {
            #expect(
                [killer?.family, killer?.table, killer?.chain].compactMap { $0 }.joined(separator: " ") == place, seen)
        }
        if let backend = row.backend { #expect(killer?.backend == backend, seen) }
        if let text = row.text { #expect(killer?.text.contains(text) == true, seen) }
        if let reason = row.reason { #expect(worst.reason?.contains(reason) == true, seen) }
        if let delivery = row.delivery { #expect(worst.delivery == delivery, seen) }
    }

    private static func chain(_ table: String, _ hook: String, _ rule: String) -> String {
        """
        nft add table \(table)
        nft 'add chain \(table) c { \(hook); }'
        nft 'add rule \(table) c \(rule)'
        """
    }

    @Test func whatTranslatesWrongly() throws {
        let nat = "type nat hook postrouting priority 90"
        try Self.check([
            Row(name: "no rule", setup: "nft delete table ip lxc", verdict: .leaked, reason: "untranslated"),
            Row(
                name: "another subnet",
                setup: "nft delete table ip lxc\n"
                    + Self.chain("ip other", nat, "ip saddr 10.6.0.0/16 masquerade"), verdict: .leaked),
            Row(name: "accepted before", setup: "nft insert rule ip lxc postrouting accept", verdict: .leaked),
            Row(
                name: "not tracked",
                setup: Self.chain("ip raw", "type filter hook prerouting priority -300", "iifname lxcbr1 notrack"),
                verdict: .leaked),
            Row(
                name: "a foreign address", setup: Self.chain("ip foreign", nat, "oifname up0 snat to 192.0.2.99"),
                verdict: .wrongSource, reason: "no address of this host"),
            Row(
                name: "an uplink without an address",
                setup: "ip addr del 203.0.113.2/24 dev up0; ip route replace default dev up0",
                undo: "ip addr add 203.0.113.2/24 dev up0; ip route replace default via 203.0.113.1",
                verdict: .wrongSource, reason: "the containers' own subnet"),
            Row(
                name: "another uplink by policy, with an address of its own",
                setup: """
                    ip link add up1 type veth peer name far1; ip addr add 192.0.2.2/24 dev up1; ip link set up1 up
                    ip link set far1 up; ip route add default via 192.0.2.1 dev up1 table 50
                    ip rule add from 10.5.0.0/16 lookup 50
                    """,
                undo: "ip rule del from 10.5.0.0/16 lookup 50; ip link del up1", verdict: .masqueraded),
            Row(
                name: "a second way out that leaks",
                setup: """
                    nft delete table ip lxc
                    \(Self.chain("ip one", nat, "oifname up0 masquerade"))
                    ip link add up1 type veth peer name far1; ip addr add 192.0.2.2/24 dev up1; ip link set up1 up
                    ip link set far1 up; ip route add default via 192.0.2.1 dev up1 table 50
                    ip rule add to 8.0.0.0/7 lookup 50
                    """,
                undo: "ip rule del to 8.0.0.0/7 lookup 50; ip link del up1", verdict: .leaked,
                reason: "leaves up1 untranslated"),
            Row(
                name: "half of the subnet",
                setup: "nft delete table ip lxc\n" + Self.chain("ip half", nat, "ip saddr 10.5.0.0/17 masquerade"),
                verdict: .leaked, reason: "as 10.5.255."),
            Row(
                name: "two protocols of three",
                setup: "nft delete table ip lxc\n" + Self.chain("ip two", nat, "meta l4proto { tcp, udp } masquerade"),
                verdict: .leaked),
            Row(
                name: "redirected",
                setup: Self.chain(
                    "ip rd", "type nat hook prerouting priority -100", "iifname lxcbr1 udp dport 33434 redirect to :53"),
                verdict: .redirected, hook: "prerouting", place: "ip rd c", backend: "nft", text: "redir",
                reason: "delivered to this host"),
            Row(
                name: "redirected by iptables",
                setup: "iptables-nft -t nat -A PREROUTING -i lxcbr1 -p tcp -j DNAT --to-destination 203.0.113.9",
                verdict: .redirected, place: "ip nat PREROUTING", backend: "iptables-nft", text: "-A PREROUTING",
                reason: "sent to 203.0.113.9"),
        ])
    }

    @Test func whatDropsInNetfilter() throws {
        let forward = "type filter hook forward priority 10"
        try Self.check([
            Row(
                name: "nft behind iptables",
                setup: Self.chain("inet fw", forward, "ip daddr 198.51.100.7 counter drop"),
                verdict: .dropped, hook: "forward", place: "inet fw c", backend: "nft",
                text: "ip daddr 198.51.100.7 counter drop"),
            Row(
                name: "an nft policy",
                setup: Self.chain("inet fw", forward + "; policy drop", "ip saddr 10.9.0.1 accept"),
                verdict: .dropped, hook: "forward", place: "inet fw c", text: "policy drop"),
            Row(
                name: "reject", setup: Self.chain("ip fw", forward, "reject with icmp type admin-prohibited"),
                verdict: .dropped, place: "ip fw c", text: "reject", reason: "administratively prohibited"),
            Row(
                name: "iptables-nft",
                setup: "iptables-nft -A FORWARD -p sctp -j ACCEPT; iptables-nft -A FORWARD -s 10.5.0.0/16 -j DROP",
                verdict: .dropped, hook: "forward", place: "ip filter FORWARD", backend: "iptables-nft",
                text: "-A FORWARD -s 10.5.0.0/16 -j DROP"),
            Row(
                name: "an extension of xtables",
                setup: "iptables-nft -A FORWARD -m u32 --u32 '12=0x0a050000:0x0a05ffff' -j DROP", verdict: .dropped,
                place: "ip filter FORWARD", text: "-m u32 --u32 \"0xc=0xa050000:0xa05ffff\" -j DROP"),
            Row(
                name: "a policy of iptables-nft", setup: "iptables-nft -P FORWARD DROP",
                undo: "iptables-nft -P FORWARD ACCEPT", verdict: .dropped, place: "ip filter FORWARD",
                text: "-P FORWARD DROP"),
            Row(
                name: "raw", setup: "iptables-nft -t raw -A PREROUTING -i lxcbr1 -j DROP", verdict: .dropped,
                hook: "prerouting", place: "ip raw PREROUTING", text: "-A PREROUTING -i lxcbr1 -j DROP"),
            Row(
                name: "the bridge's family",
                setup: Self.chain("bridge filt", "type filter hook prerouting priority 0", "ip saddr 10.5.0.0/16 drop"),
                verdict: .dropped, hook: "bridge", place: "bridge filt c", text: "ip saddr 10.5.0.0/16 drop"),
            Row(
                name: "ebtables-nft", setup: "ebtables-nft -A INPUT -p IPv4 -j DROP", verdict: .dropped, hook: "bridge",
                place: "bridge filter INPUT"),
            Row(
                name: "the bridge's ingress",
                setup: Self.chain(
                    "netdev nd", "type filter hook ingress device lxcbr1 priority 0", "ip saddr 10.5.0.0/16 drop"),
                verdict: .dropped, hook: "ingress", place: "netdev nd c"),
        ])
    }

    @Test func whatDropsAtRouting() throws {
        try Self.check([
            Row(
                name: "ip_forward", setup: "sysctl -qw net.ipv4.ip_forward=0", undo: "sysctl -qw net.ipv4.ip_forward=1",
                verdict: .dropped, hook: "routing", text: "net.ipv4.ip_forward = 0"),
            Row(
                name: "the bridge's forwarding", setup: "sysctl -qw net.ipv4.conf.lxcbr1.forwarding=0",
                undo: "sysctl -qw net.ipv4.conf.lxcbr1.forwarding=1", verdict: .dropped, hook: "routing",
                text: "net.ipv4.conf.lxcbr1.forwarding = 0"),
            Row(
                name: "reverse path filter",
                setup: """
                    sysctl -qw net.ipv4.conf.lxcbr1.rp_filter=1
                    ip route add 10.5.0.0/17 dev up0; ip route add 10.5.128.0/17 dev up0
                    """,
                undo: """
                    ip route del 10.5.0.0/17 dev up0; ip route del 10.5.128.0/17 dev up0
                    sysctl -qw net.ipv4.conf.lxcbr1.rp_filter=0
                    """,
                verdict: .dropped, hook: "routing", text: "reverse path filter (net.ipv4.conf.lxcbr1.rp_filter = 1)"),
            Row(
                name: "reverse path filter of iptables",
                setup: """
                    ip route add 10.5.0.0/17 dev up0; ip route add 10.5.128.0/17 dev up0
                    iptables-nft -t raw -A PREROUTING -i lxcbr1 -m rpfilter --invert -j DROP
                    """,
                undo: "ip route del 10.5.0.0/17 dev up0; ip route del 10.5.128.0/17 dev up0",
                verdict: .dropped, hook: "prerouting", place: "ip raw PREROUTING", text: "-m rpfilter"),
            Row(
                name: "a time to live that is over",
                setup: "iptables-nft -t mangle -A PREROUTING -i lxcbr1 -j TTL --ttl-set 1", verdict: .dropped,
                hook: "routing", text: "time to live", reason: "time to live exceeded"),
            Row(
                name: "blackhole", setup: "ip route add blackhole 198.51.100.0/24",
                undo: "ip route del blackhole 198.51.100.0/24", verdict: .dropped, hook: "routing",
                text: "blackhole 198.51.100.0/24"),
            Row(
                name: "unreachable", setup: "ip route add unreachable 198.51.100.0/24",
                undo: "ip route del unreachable 198.51.100.0/24", verdict: .dropped, hook: "routing",
                text: "unreachable 198.51.100.0/24"),
            Row(
                name: "prohibit", setup: "ip rule add from 10.5.0.0/16 prohibit",
                undo: "ip rule del from 10.5.0.0/16 prohibit", verdict: .dropped, hook: "routing",
                text: "from 10.5.0.0/16 prohibit"),
            Row(
                name: "a mark's own table",
                setup: Self.chain(
                    "ip mk", "type filter hook prerouting priority -150", "iifname lxcbr1 meta mark set 7")
                    + "\nip rule add fwmark 7 lookup 107; ip route add blackhole default table 107",
                undo: "ip rule del fwmark 7; ip route flush table 107", verdict: .dropped, hook: "routing",
                text: "for its mark 0x7: blackhole default table 107"),
            Row(
                name: "uplink down", setup: "ip link set up0 down",
                undo: "ip link set up0 up; ip route add default via 203.0.113.1", verdict: .dropped, hook: "routing",
                text: "there is no route"),
        ])
    }

    /// On a host of its own: the kernel tells one address of no more than a few errors within seconds (`ip_error` in
    /// net/ipv4/route.c), and the rows above would use them up.
    @Test func theContainerIsToldThatThereIsNoRoute() throws {
        try Self.check([
            Row(
                name: "no default route", setup: "ip route del default", undo: "ip route add default via 203.0.113.1",
                verdict: .dropped, hook: "routing", text: "there is no route", reason: "network unreachable")
        ])
    }

    @Test func whatLegacyTablesDrop() throws {
        let rows = [
            Row(
                name: "filter",
                setup:
                    "iptables-legacy -I FORWARD -p sctp -j ACCEPT; iptables-legacy -I FORWARD 2 -s 10.5.0.0/16 -j DROP",
                undo: "iptables-legacy -D FORWARD 1; iptables-legacy -D FORWARD 1", verdict: .dropped, hook: "forward",
                place: "ip filter FORWARD", backend: "iptables-legacy", text: "-A FORWARD -s 10.5.0.0/16 -j DROP"),
            Row(
                name: "a chain of the user's",
                setup: "iptables-legacy -N U; iptables-legacy -I FORWARD -j U; iptables-legacy -A U -j REJECT",
                undo: "iptables-legacy -D FORWARD 1; iptables-legacy -F U; iptables-legacy -X U", verdict: .dropped,
                place: "ip filter U", text: "-A U -j REJECT"),
            Row(
                name: "mangle", setup: "iptables-legacy -t mangle -I POSTROUTING -o up0 -j DROP",
                undo: "iptables-legacy -t mangle -D POSTROUTING 1", verdict: .dropped, hook: "postrouting",
                place: "ip mangle POSTROUTING", text: "-A POSTROUTING -o up0 -j DROP"),
            Row(
                name: "raw", setup: "iptables-legacy -t raw -A PREROUTING -i lxcbr1 -j DROP",
                undo: "iptables-legacy -t raw -F", verdict: .dropped, hook: "prerouting", place: "ip raw PREROUTING"),
            Row(
                name: "nft on the same host",
                setup: Self.chain("inet fw", "type filter hook forward priority 10", "ip daddr 198.51.100.7 drop"),
                verdict: .dropped, place: "inet fw c", backend: "nft"),
            Row(
                name: "redirect",
                setup: "iptables-legacy -t nat -A PREROUTING -i lxcbr1 -p udp -j REDIRECT --to-ports 53",
                undo: "iptables-legacy -t nat -F PREROUTING", verdict: .redirected, place: "ip nat PREROUTING",
                backend: "iptables-legacy", text: "-A PREROUTING -i lxcbr1 -p udp -j REDIRECT"),
            Row(
                name: "a policy",
                setup:
                    "iptables-legacy-save -t filter >/tmp/filter; iptables-legacy -F FORWARD; iptables-legacy -P FORWARD DROP",
                undo: "iptables-legacy-restore /tmp/filter", verdict: .dropped, place: "ip filter FORWARD",
                text: "-P FORWARD DROP"),
            // Somebody else reads the group that the rules are told to: then the window between two stations is known.
            Row(
                name: "without a reader",
                setup: "tcpdump -i nflog:0 -w /dev/null 2>/dev/null & sleep 0.4; iptables-legacy -I FORWARD -j DROP",
                undo: "iptables-legacy -D FORWARD 1", verdict: .dropped, hook: "forward", text: "iptables-legacy filter"
            ),
        ]
        try Self.check(rows, backend: "iptables-legacy", prepare: "iptables-legacy -t raw -S >/dev/null")
    }

    @Test func whatDropsBehindTheFence() throws {
        let permanent =
            "ip neigh replace 203.0.113.1 lladdr $(ip -n internet -br link show isp0 | awk '{print $3}') dev up0 nud permanent"
        let wire = "--proof wire"
        let forget = "ip neigh del 203.0.113.1 dev up0"
        try Self.check([
            Row(name: "healthy", setup: "true", options: wire, verdict: .masqueraded, delivery: .confirmed),
            Row(
                name: "a silent router that answers echo",
                setup: """
                    for p in udp tcp; do ip netns exec internet iptables-nft -A INPUT -p $p -j DROP; done
                    ip netns exec internet iptables-nft -A INPUT -d 198.51.100.7 -j DROP
                    """,
                undo: "ip netns exec internet iptables-nft -F", options: wire, verdict: .masqueraded,
                reason: "the gateway 203.0.113.1 answers echo requests", delivery: .unknown),
            Row(
                name: "egress of the uplink",
                setup: Self.chain(
                    "netdev nd", "type filter hook egress device up0 priority 0", "ip daddr 198.51.100.7 drop"),
                options: wire, verdict: .dropped, hook: "uplink", place: "netdev nd c", delivery: .failed),
            Row(
                name: "tc",
                setup:
                    "tc qdisc add dev up0 clsact; tc filter add dev up0 egress protocol ip bpf da bytecode '1,6 0 0 2'",
                undo: "tc qdisc del dev up0 clsact", options: wire, verdict: .dropped, hook: "uplink",
                text: "tc filter show dev up0 egress", delivery: .failed),
            Row(
                name: "queue", setup: "\(permanent); tc qdisc add dev up0 root tbf rate 8bit burst 10 limit 10",
                undo: "tc qdisc del dev up0 root; \(forget)", options: wire, verdict: .dropped, hook: "uplink",
                text: "queue of up0", delivery: .failed),
            Row(
                name: "tc at the bridge",
                setup:
                    "tc qdisc add dev lxcbr1 clsact; tc filter add dev lxcbr1 ingress protocol ip bpf da bytecode '1,6 0 0 2'",
                undo: "tc qdisc del dev lxcbr1 clsact", options: wire, verdict: .dropped, hook: "ingress",
                text: "tc filter show dev lxcbr1 ingress"),
            Row(
                name: "a gateway that is not there",
                setup: "ip -n internet link set isp0 arp off; ip neigh flush dev up0",
                undo: "ip -n internet link set isp0 arp on; ip neigh flush dev up0", options: wire, verdict: .dropped,
                hook: "uplink", text: "nobody answers ARP for the gateway 203.0.113.1", delivery: .failed),
            Row(
                name: "no carrier", setup: "ip -n internet link set isp0 down",
                undo: "ip -n internet link set isp0 up; ip neigh flush dev up0", options: wire, verdict: .dropped,
                hook: "uplink", text: "up0 has no carrier", delivery: .failed),
            Row(
                name: "answers are dropped", setup: "iptables-nft -I FORWARD 1 -i up0 -j DROP", options: wire,
                verdict: .masqueraded, reason: "an answer came back to up0", delivery: .failed),
            Row(
                name: "reverse path of the answers",
                setup: """
                    \(Self.chain("ip mk", "type filter hook prerouting priority -150", "iifname lxcbr1 meta mark set 9"))
                    sysctl -qw net.ipv4.conf.up0.rp_filter=1; ip rule add fwmark 9 lookup 99
                    ip route add default via 203.0.113.1 dev up0 table 99; ip route add 198.51.100.7 dev lxcbr1
                    """,
                undo: """
                    ip rule del fwmark 9 lookup 99; ip route del 198.51.100.7
                    sysctl -qw net.ipv4.conf.up0.rp_filter=0
                    """,
                options: wire,
                verdict: .masqueraded, reason: "reverse path filter (net.ipv4.conf.up0.rp_filter)", delivery: .failed),
            Row(
                name: "length", setup: "ip -n internet link set isp0 mtu 600",
                undo: "ip -n internet link set isp0 mtu 1500", options: wire, verdict: .masqueraded,
                reason: "gets no answer from 203.0.113.1 where a short one does", delivery: .failed),
            Row(
                name: "a smaller uplink that says so", setup: "ip link set up0 mtu 600",
                undo: "ip link set up0 mtu 1500",
                options: wire, verdict: .masqueraded, delivery: .confirmed),
        ])
    }

    @Test func whatCouldLetACopyEscapeIsReadFirst() throws {
        let set = "nft add table ip m; nft 'add set ip m s { type ipv4_addr; flags dynamic; timeout 1m; }'"
        try Self.check([
            Row(
                name: "dup", setup: Self.chain("ip m", "type filter hook forward priority 0", "dup to 203.0.113.9"),
                verdict: .unknown, reason: "would copy a probe"),
            Row(
                name: "TEE", setup: "iptables-nft -t mangle -A PREROUTING -j TEE --gateway 203.0.113.9",
                verdict: .unknown, reason: "would copy a probe"),
            Row(
                name: "fwd",
                setup: Self.chain("netdev m", "type filter hook ingress device lxcbr1 priority 0", "fwd to up0"),
                verdict: .unknown, reason: "would send a probe to another link"),
            Row(
                name: "a set filled behind a jump",
                setup: """
                    \(set); nft add chain ip m u; nft 'add chain ip m c { type filter hook forward priority 0; }'
                    nft add rule ip m c jump u; nft 'add rule ip m u add @s { ip saddr }'
                    """,
                verdict: .unknown, reason: "would remember the address"),
            Row(
                name: "a set that no probe comes to",
                setup: "\(set); \(Self.chain("ip m", "type filter hook input priority 0", "add @s { ip saddr }"))",
                verdict: .masqueraded),
            Row(
                name: "recent", setup: "iptables-nft -A FORWARD -m recent --set --name x", verdict: .unknown,
                reason: "would remember the address"),
            Row(
                name: "legacy recent", setup: "iptables-legacy -A FORWARD -m recent --set --name x",
                undo: "iptables-legacy -F FORWARD", verdict: .unknown, reason: "iptables-legacy filter FORWARD"),
            Row(
                name: "a program of tc",
                setup: "tc qdisc add dev lxcbr1 clsact; tc filter add dev lxcbr1 ingress bpf da bytecode '1,6 0 0 0'",
                undo: "tc qdisc del dev lxcbr1 clsact", verdict: .unknown, reason: "a BPF program of tc on lxcbr1"),
            Row(
                name: "spanning tree", setup: "ip link set lxcbr1 type bridge stp_state 1",
                undo: "ip link set lxcbr1 type bridge stp_state 0", verdict: .unknown, reason: "spanning tree"),
            Row(
                name: "an idle bridge that is managed",
                setup: """
                    mkdir -p /run/systemd/netif/links
                    echo ADMIN_STATE=configured >/run/systemd/netif/links/$(cat /sys/class/net/lxcbr1/ifindex)
                    """,
                undo: "rm -r /run/systemd/netif", verdict: .unknown, reason: "systemd-networkd manages it"),
        ])
    }
}
