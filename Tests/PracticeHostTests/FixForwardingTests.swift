import Testing

/// Forwarding that stays on, and what goes with it.
@Suite(.serialized) struct FixForwardingTests {
    /// procps applies /etc/sysctl.conf once more at the end; systemd-sysctl knows it by a link that sorts earlier.
    @Test(arguments: ["other-spelling", "same-key", "sysctl-conf"])
    func winsInTheOrderOfBothTools(variant: String) throws {
        let ended = try FixLab.run(
            ["ip-forward-reset=\(variant)"],
            """
            off() { sysctl -q -w net.ipv4.ip_forward=0; }
            off; sysctl --system >/dev/null 2>&1; first=$(cat /proc/sys/net/ipv4/ip_forward)
            off; /lib/systemd/systemd-sysctl --prefix=/net/ipv4; second=$(cat /proc/sys/net/ipv4/ip_forward)
            [ "$first$second" = 11 ] || echo broken
            sysctl -q -w net.ipv4.ip_forward=1; applied
            off; sysctl --system >/dev/null 2>&1; cat /proc/sys/net/ipv4/ip_forward
            off; /lib/systemd/systemd-sysctl --prefix=/net/ipv4; cat /proc/sys/net/ipv4/ip_forward
            """)
        #expect(ended.lines == ["broken", "1", "1"], "\(ended.output) \(ended.messages)")
    }

    /// The same of one interface's own switch, which a name or a wildcard sets.
    @Test func anInterfacesSwitchWinsInBothOrders() throws {
        let ended = try FixLab.run(
            ["per-interface-forwarding-off=hardened"],
            """
            cd /proc/sys/net/ipv4/conf
            off() { echo 0 >up0/forwarding; echo 0 >lxcbr1/forwarding; }
            values() { cat up0/forwarding lxcbr1/forwarding | tr '\\n' ' '; echo; }
            applied
            off; sysctl --system >/dev/null 2>&1; values
            off; /lib/systemd/systemd-sysctl --prefix=/net/ipv4/conf; values
            grep -c '^# lxc-doctor: was' /etc/sysctl.conf
            """)
        #expect(ended.lines == ["1 1 ", "1 1 ", "1"], "\(ended.output) \(ended.messages)")
    }

    @Test func thePlanSaysThatEverythingIsRoutedAndWhatIsOverridden() throws {
        let ended = try FixLab.run(
            ["ip-forward-off", "ip-forward-reset=other-spelling"],
            "lxc-doctor fix plan --format json | python3 -c 'import json, sys\n"
                + "for step in json.load(sys.stdin)[\"steps\"]: print(step[\"target\"], step[\"risk\"])'")
        #expect(ended.lines.count == 2, "\(ended.output) \(ended.messages)")
        #expect(ended.lines.allSatisfy { $0.contains("ALL its interfaces") })
        #expect(ended.lines.last?.contains("; it overrides /etc/sysctl.d/") == true, "\(ended.output)")
    }

    /// lxc-net switches IPv6 forwarding on for its own IPv6 network; the uplink must not lose its default route by it.
    @Test func ipv6ForwardingTakesNoRouteAway() throws {
        let ended = try FixLab.run(
            ["bridge-missing"],
            """
            printf 'LXC_IPV6_ADDR="fc42::1"\\nLXC_IPV6_MASK="64"\\nLXC_IPV6_NETWORK="fc42::/64"\\n' >>/etc/default/lxc-net
            values() { (cd /proc/sys/net/ipv6/conf; cat all/forwarding up0/accept_ra | tr '\\n' ' '; echo); }
            state >/tmp/before; values
            lxc-doctor fix plan --format json | grep -o '"target" : "[^"]*accept_ra"\\|"target" : "lxc-net"'
            applied; values; tail -n 1 /etc/sysctl.d/99-zz-lxc-doctor.conf
            lxc-doctor fix undo --yes --quiet; values; state >/tmp/now; diff /tmp/before /tmp/now && echo SAME
            """)
        let target = "\"target\" : \"/proc/sys/net/ipv6/conf/up0/accept_ra\""
        // The changes come first in the document, and the steps repeat them.
        #expect(ended.lines.first == "0 1 ", "\(ended.output) \(ended.messages)")
        #expect(ended.lines.dropFirst().first == target, "\(ended.output)")
        #expect(ended.lines.contains("\"target\" : \"lxc-net\""))
        #expect(
            ended.lines.suffix(4) == ["1 2 ", "net.ipv6.conf.up0.accept_ra = 2", "0 1 ", "SAME"],
            "\(ended.output) \(ended.messages)")
    }
}
