private let iptables: [PracticeBackend] = [.iptablesNft, .iptablesLegacy]

/// Puts lxc-net's rule back.
private let ruleAgain: [FaultStep] = [
    .only([.nft], [.nft("add rule ip lxc postrouting ip saddr {network} ip daddr != {network} counter masquerade")]),
    .only(
        iptables,
        [
            .run([
                "iptables", "-w", "-t", "nat", "-A", "POSTROUTING", "-s", "{network}", "!", "-d", "{network}", "-j",
                "MASQUERADE",
            ])
        ]),
]

/// A namespace with an address of the network.
private let sender: [FaultStep] =
    [
        .run(["ip", "netns", "add", "sender"]),
        .run(["ip", "link", "add", "vethsend", "type", "veth", "peer", "name", "eth0", "netns", "sender"]),
        .run(["ip", "link", "set", "vethsend", "master", "{bridge}", "up"]),
        .run(["ip", "-n", "sender", "addr", "add", "{otherAddress}/{prefix}", "dev", "eth0"]),
        .run(["ip", "-n", "sender", "link", "set", "eth0", "up"]),
        .run(["ip", "-n", "sender", "route", "add", "default", "via", "{address}"]),
    ]

/// Without a rule that asks for it the kernel tracks nothing; most hosts have one.
private let tracking: FaultStep = .nft(
    """
    add table inet tracks
    add chain inet tracks forward { type filter hook forward priority 0; }
    add rule inet tracks forward ct state established accept
    """)

/// Resets that belong to no connection. Their checksum is left out, which is invalid to connection tracking as well.
private let strayResets = """
    use Socket;
    socket(my $socket, AF_INET, SOCK_RAW, 6) or die;
    my $to = sockaddr_in(0, inet_aton("{target}"));
    for my $port (1 .. 150) {
        my $reset = pack("nnNNnnnn", 443, 40000 + $port, 1, 0, 0x5004, 0, 0, 0);
        send($socket, $reset, 0, $to) or die;
    }
    """

/// Holds every packet of queue 7 until all have come, then lets them go: two packets of one flow, each new to connection
/// tracking, as when two processors meet. Source: linux/netfilter/nfnetlink_queue.h; netlink(7).
private let heldTogether = """
    use Socket;
    socket(my $queue, 16, SOCK_RAW, 12) or die "netlink: $!";
    my $kernel = pack("SSLL", 16, 0, 0, 0);
    bind($queue, $kernel) or die "bind: $!";
    sub order {
        my ($kind, $attribute, $body) = @_;
        my $payload = pack("CCnSS", 0, 0, 7, 4 + length $body, $attribute) . $body;
        $payload .= "\\0" x (-length($payload) % 4);
        my $header = pack("LSSLL", 16 + length $payload, 0x300 | $kind, 1, 1, 0);
        send($queue, $header . $payload, 0, $kernel) or die "send: $!";
    }
    order(2, 1, pack("CCn", 1, 0, 0));
    order(2, 2, pack("NC", 0, 1));
    system("ip", "netns", "exec", "sender", "perl", "-e", $ARGV[0]) == 0 or die "no sender";
    order(3, 2, pack("NN", 1, 100000));
    """

/// Every opening twice, from one port.
private let twins = """
    use Socket;
    socket(my $socket, AF_INET, SOCK_RAW, 6) or die;
    my $to = sockaddr_in(0, inet_aton("{target}"));
    for my $port (1 .. 120) {
        my $opening = pack("nnNNnnnn", 41000 + $port, 443, 1, 0, 0x5002, 64000, 0, 0);
        send($socket, $opening, 0, $to) or die for 1 .. 2;
    }
    """

private let queueRule = [
    "FORWARD", "-i", "{bridge}", "-p", "tcp", "--dport", "443", "-j", "NFQUEUE", "--queue-num", "7",
]

/// Flows of UDP, TCP and ICMP from fixed ports, so that the next time they are the same.
private let oldFlows = """
    ip netns exec sender perl -e '
        use Socket;
        my $to = inet_aton("{target}");
        for my $port (5001, 5002) {
            socket(my $udp, AF_INET, SOCK_DGRAM, 17) or die;
            bind($udp, sockaddr_in($port, INADDR_ANY)) or die;
            send($udp, "old", 0, sockaddr_in(514, $to)) or die;
        }
        socket(my $tcp, AF_INET, SOCK_STREAM, 6) or die;
        bind($tcp, sockaddr_in(5003, INADDR_ANY)) or die;
        fcntl($tcp, 4, 2048) or die;
        connect($tcp, sockaddr_in(443, $to));
        socket(my $icmp, AF_INET, SOCK_RAW, 1) or die;
        my $echo = pack("CCnnn", 8, 0, 0, 77, 1);
        my $sum = unpack("%32n*", $echo);
        $sum = ~(($sum & 0xffff) + ($sum >> 16)) & 0xffff;
        send($icmp, pack("CCnnn", 8, 0, $sum, 77, 1), 0, sockaddr_in(0, $to)) or die;
        select(undef, undef, undef, 0.2);'
    # The first of them waits for an answer of ARP, and must be through before the rule is there.
    for i in $(seq 100); do
        [ "$(grep -c 'dst={target} ' /proc/net/nf_conntrack)" -lt 4 ] || break
        sleep 0.05
    done
    """

let trackingFaults: [Fault] = [
    Fault(
        "snat-port-race", "Packets of one flow are tracked at the same instant, and one of them is dropped",
        [
            FaultVariant(
                "twins", "A hundred times two packets of one port",
                sender + [
                    // The twins have no checksum.
                    .sysctl("net/netfilter/nf_conntrack_checksum", "0"),
                    .run(["iptables", "-w", "-I"] + queueRule), .run(["perl", "-e", heldTogether, twins]),
                    .run(["iptables", "-w", "-D"] + queueRule), .run(["ip", "netns", "del", "sender"]),
                    .sysctl("net/netfilter/nf_conntrack_checksum", "1"),
                ])
        ]),
    Fault(
        "stale-conntrack", "A flow is older than the rule that would translate it",
        [
            FaultVariant(
                "udp", "It began while the rule was gone",
                [
                    .sysctl("net/netfilter/nf_conntrack_udp_timeout", "15"), tracking,
                ] + sender + withoutRule + [
                    .run(["ip", "netns", "exec", "sender", "bash", "-c", "echo old > /dev/udp/{target}/514"])
                ] + ruleAgain),
            FaultVariant(
                "several", "Several of several protocols, which the kernel keeps for long",
                [
                    .sysctl("net/netfilter/nf_conntrack_udp_timeout", "900"),
                    .sysctl("net/netfilter/nf_conntrack_icmp_timeout", "900"),
                    .sysctl("net/netfilter/nf_conntrack_tcp_timeout_syn_sent", "900"), tracking,
                ] + sender + withoutRule + [.write("/root/old-flows", oldFlows), .run(["sh", "/root/old-flows"])]
                    + ruleAgain),
        ]),
    Fault(
        "nat-invalid-leak", "Packets of no known connection leave untranslated",
        [
            FaultVariant(
                "resets", "A container sends resets that nobody asked for",
                sender + [.run(["ip", "netns", "exec", "sender", "perl", "-e", strayResets])])
        ]),
    Fault(
        "masq-borrowed-source", "The uplink has no address, and the kernel takes the bridge's",
        [
            FaultVariant(
                "unnumbered", "Its address is gone",
                [
                    .run(["ip", "addr", "flush", "dev", "{uplink}"]),
                    .run(["ip", "route", "add", "default", "via", "{gateway}", "dev", "{uplink}", "onlink"]),
                ])
        ]),
    Fault(
        "ipsec-masqueraded", "An IPsec policy names the network, which is translated before",
        [
            FaultVariant(
                "tunnel", "A tunnel to a network far away",
                [
                    .run([
                        "ip", "xfrm", "policy", "add", "src", "{network}", "dst", "192.168.50.0/24", "dir", "out",
                        "tmpl",
                        "src", StubInternet.address, "dst", "{target}", "proto", "esp", "mode", "tunnel",
                    ])
                ])
        ]),
    Fault(
        "conntrack-zone-needed", "Packets are tracked on a firewall bridge before they are routed",
        [
            FaultVariant(
                "proxmox", "The firewall of a guest is on",
                [
                    .run(["ip", "link", "add", "fwbr100i0", "type", "bridge"]),
                    .run(["ip", "link", "add", "fwpr100p0", "type", "veth", "peer", "name", "fwln100i0"]),
                    .run(["ip", "link", "set", "fwpr100p0", "master", "{bridge}", "up"]),
                    .run(["ip", "link", "set", "fwln100i0", "master", "fwbr100i0", "up"]),
                    .run(["ip", "link", "set", "fwbr100i0", "up"]),
                    .sysctl("net/bridge/bridge-nf-call-iptables", "1"),
                ])
        ]),
]
