import Foundation
import TestSupport
import Testing

/// Flows that are older than the rule which would translate them: forgotten by the repair, and no others.
@Suite("Flows from before a repair", .serialized) struct FixFlowsTests {
    /// A sender that never pauses, a far side that listens, and the flows as the kernel lists them.
    private static let tools = """
        ip netns add sender
        ip link add vethsend type veth peer name eth0 netns sender
        ip link set vethsend master lxcbr1 up
        ip -n sender addr add 10.5.0.77/16 dev eth0; ip -n sender link set eth0 up
        ip -n sender route add default via 10.5.0.1
        nft 'add table inet tracks; add chain inet tracks forward { type filter hook forward priority 0; }'
        nft add rule inet tracks forward ct state established accept
        # From one port all the time: one flow.
        talk() { ip netns exec sender perl -e 'use Socket; socket(my $s, AF_INET, SOCK_DGRAM, 17) or die;
            bind($s, sockaddr_in($ARGV[1], INADDR_ANY)) or die; my $to = sockaddr_in(514, inet_aton($ARGV[0]));
            for (1 .. $ARGV[2]) { send($s, "x", 0, $to); select(undef, undef, undef, 0.05) }' "$@"; }
        heard() {
            rm -f /tmp/dump*
            ip netns exec internet tcpdump -lni isp0 --immediate-mode -c 1 udp port 514 and dst "$1" \
                2>/tmp/dump.err >/tmp/dump & dump=$!
            until grep -q listening /tmp/dump.err; do sleep 0.02; done
            for i in $(seq 40); do [ -s /tmp/dump ] && break; sleep 0.05; done
            kill $dump 2>/dev/null; wait $dump 2>/dev/null
            sed -E 's/.*IP ([0-9.]+)\\.[0-9]+ > .*/\\1/' /tmp/dump
        }

        """

    /// While the rule is gone, a stream begins that never ends: the repair gets it translated at once, in one command, and
    /// the host is healthy.
    @Test(arguments: ["nft", "iptables-nft", "iptables-legacy"])
    func areForgottenByTheRepair(backend: String) throws {
        let ended = try Program.lab(
            ["--backend", backend, "--fault", "masq-missing"],
            Self.tools + """
                talk 198.51.100.7 5000 600 &
                heard 198.51.100.7
                lxc-doctor fix apply --yes --format json 2>/dev/null >/tmp/report; echo "fixed $?"
                \(Self.steps)
                heard 198.51.100.7; ls /var/lib/lxc-doctor/journal | wc -l
                lxc-doctor fix undo --yes --format json | grep -o '"outcome" : "[a-z]*"'
                kill %1 2>/dev/null; wait
                """)
        #expect(
            ended.output.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) } == [
                "10.5.0.77", "fixed 0",
                "1 tracked flow | untranslated: udp 10.5.0.77:5000 > 198.51.100.7:514 | none | applied",
                "203.0.113.2", "1", "\"outcome\" : \"undone\"",
            ], "\(ended.output) \(ended.messages)")
    }

    /// A stream to an exempt site is just as old and just as untranslated, and is let alone.
    @Test(arguments: ["iptables-nft", "iptables-legacy"])
    func exemptOnesAreLetAlone(backend: String) throws {
        let ended = try Program.lab(
            ["--backend", backend, "--fault", "masq-missing"],
            Self.tools + """
                iptables -t nat -I POSTROUTING -s 10.5.0.0/16 -d 192.168.77.5/32 -j ACCEPT
                ip netns exec internet ip address add 192.168.77.5/32 dev isp0
                kept() { grep -c 'src=10.5.0.77 dst=192.168.77.5 .* mark=7' /proc/net/nf_conntrack; }
                # The mark of a flow goes with it.
                nft add rule inet tracks forward ip daddr 192.168.77.5 ct mark set 7
                talk 192.168.77.5 5001 5
                nft delete chain inet tracks forward
                nft 'add chain inet tracks forward { type filter hook forward priority 0; }'
                nft add rule inet tracks forward ct state established accept
                kept; talk 198.51.100.7 5000 600 & talk 192.168.77.5 5001 600 & heard 192.168.77.5
                lxc-doctor fix apply --yes --format json 2>/dev/null >/tmp/report; echo "fixed $?"
                \(Self.steps)
                heard 192.168.77.5; kept; heard 198.51.100.7
                kill %1 %2 2>/dev/null; wait
                """)
        #expect(
            ended.output.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) } == [
                "1", "10.5.0.77", "fixed 0",
                "1 tracked flow | untranslated: udp 10.5.0.77:5000 > 198.51.100.7:514 | none | applied",
                "10.5.0.77", "1", "203.0.113.2",
            ], "\(ended.output) \(ended.messages)")
    }

    /// What the report says of the step that forgets flows.
    private static let steps = """
        python3 -c 'import json
        for step in json.load(open("/tmp/report"))["fixes"]["steps"]:
            if step["remedy"] == "stale-flows":
                print(step["target"], "|", step["before"], "|", step["reversal"], "|", step["state"])'
        """
}
