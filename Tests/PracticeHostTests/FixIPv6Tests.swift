import Foundation
import TestSupport
import Testing

/// IPv6 forwarding on a host whose own IPv6 comes from a router: one in the namespace of the far side advertises itself.
@Suite(.serialized) struct FixIPv6Tests {
    /// `advertise`: one router advertisement with a prefix, from the far side; `heard`: how many default routes there are
    /// of such. Source: RFC 4861, sections 4.2 and 4.6.2.
    private static let router = #"""
        cat >/root/advertise <<'END'
        import socket, struct
        s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex("isp0"))
        prefix = socket.inet_pton(socket.AF_INET6, "2001:db8:aa::")
        s.sendto(struct.pack("!BBHBBHIIBBBBIII", 134, 0, 0, 64, 0, 1800, 0, 0, 3, 4, 64, 0xc0, 3600, 3600, 0) + prefix,
                 ("ff02::1", 0))
        END
        until_true() { for _ in $(seq 100); do eval "$1" && return; sleep 0.05; done; echo "in vain: $1"; }
        heard() { ip -6 route show default proto ra | grep -c via; }
        settled() { ! ip $1 -6 -o addr show dev $2 | grep -q tentative && ip $1 -6 -o addr show dev $2 | grep -q fe80; }
        advertise() {
            until_true 'settled "" up0'; until_true 'settled "-n internet" isp0'
            ip netns exec internet python3 /root/advertise
        }
        switches() { (cd /proc/sys/net/ipv6/conf; echo "$(cat all/forwarding) $(cat up0/accept_ra)"); }
        """#

    private static let begin =
        "\n" + router + #"""

            { ip -6 route del default; sysctl -q -w net.ipv6.conf.all.forwarding=0 net.ipv6.conf.up0.accept_ra=1; } >&2
            advertise; until_true '[ "$(heard)" = 1 ]'

            """#

    /// Without accept_ra the kernel forgets the route when forwarding goes on.
    @Test func forwardingTakesNoAdvertisedRouteAway() throws {
        let ended = try Program.lab(
            ["--ipv6", "nat66"],
            RemedyLoop.functions + Self.begin + #"""
                sysctl -q -w net.ipv6.conf.all.forwarding=1; echo "alone $(heard)"
                sysctl -q -w net.ipv6.conf.all.forwarding=0; advertise; until_true '[ "$(heard)" = 1 ]'
                state >/tmp/before
                verdict() { python3 -c 'import json, sys; print(json.load(sys.stdin)["verdict"])'; }
                lxc-doctor --only forwarding.ipv6 --proof off --format json | grep -o '"id" : "ipv6-forward-off"' | head -n 1
                lxc-doctor --auto-remediate --yes --format json 2>/dev/null | verdict
                echo "repaired $(heard) $(switches)"
                lxc-doctor fix undo --yes --quiet >&2
                state >/tmp/undone; diff /tmp/before /tmp/undone && echo SAME
                lxc-doctor --auto-remediate --yes --quiet >&2
                reboot >&2
                advertise; until_true '[ "$(heard)" = 1 ]'
                lxc-doctor --format json | verdict
                echo "booted $(heard) $(switches)"
                """#)
        #expect(
            ended.output.split(separator: "\n") == [
                "alone 0", "\"id\" : \"ipv6-forward-off\"", "healthy", "repaired 1 1 2", "SAME", "healthy",
                "booted 1 1 2",
            ], "\(ended.output) \(ended.messages)")
        TestResults.note(.repaired, ["ipv6-forward-off"])
    }

    /// The route is back with the next advertisement.
    @Test func aDeafUplinkHearsAgain() throws {
        let ended = try Program.lab(
            ["--ipv6", "nat66"],
            RemedyLoop.functions + Self.begin + #"""
                sysctl -q -w net.ipv6.conf.all.forwarding=1
                state >/tmp/before
                advertise; sleep 0.2; echo "deaf $(heard)"
                lxc-doctor --only path.ipv6-advertisements --proof off --format json | grep -o '"id" : "ipv6-accept-ra-lost"' \
                    | head -n 1
                lxc-doctor fix apply --only path.ipv6-advertisements --proof off --yes --quiet; echo "$? $(switches)"
                state >/tmp/repaired
                lxc-doctor fix undo --yes --quiet
                state >/tmp/undone; diff /tmp/before /tmp/undone && echo SAME
                lxc-doctor fix apply --only path.ipv6-advertisements --proof off --yes --quiet
                state >/tmp/again; diff /tmp/repaired /tmp/again && echo SAME
                advertise; until_true '[ "$(heard)" = 1 ]'
                lxc-doctor --quiet; echo "healthy $?"
                reboot >&2
                advertise; until_true '[ "$(heard)" = 1 ]'
                lxc-doctor --quiet; echo "booted $? $(switches)"
                """#)
        #expect(
            ended.output.split(separator: "\n") == [
                "deaf 0", "\"id\" : \"ipv6-accept-ra-lost\"", "0 1 2", "SAME", "SAME", "healthy 0", "booted 0 1 2",
            ], "\(ended.output) \(ended.messages)")
        TestResults.note(.reproduced, ["ipv6-accept-ra-lost"])
        TestResults.note(.repaired, ["ipv6-accept-ra-lost"])
    }

    /// Where lxc-net does not forward IPv6 at boot, a file does: last in the order of both tools, whatever others say.
    @Test(arguments: ["/etc/sysctl.d/99_hardening.conf", "/etc/sysctl.conf"])
    func staysOnInTheOrderOfBothTools(file: String) throws {
        let ended = try Program.lab(
            ["--fault", "ipv6-forward-off"],
            """
            printf 'net.ipv6.conf.all.forwarding=0\\nnet.ipv6.conf.up0.accept_ra=0\\n' >\(file)
            off() { sysctl -q -w net.ipv6.conf.all.forwarding=0 net.ipv6.conf.up0.accept_ra=1; }
            values() { (cd /proc/sys/net/ipv6/conf; echo "$(cat all/forwarding) $(cat up0/accept_ra)"); }
            lxc-doctor fix apply --only forwarding.ipv6 --proof off --yes --quiet; echo "$? $(values)"
            off; sysctl --system >/dev/null 2>&1; values
            off; /lib/systemd/systemd-sysctl --prefix=/net/ipv6/conf; values
            """)
        #expect(
            ended.output.split(separator: "\n") == ["0 1 2", "1 2", "1 2"], "\(ended.output) \(ended.messages)")
    }
}
