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

    /// A file of the operator's keeps an interface closed, and forwarding is switched on after it: by a file of theirs,
    /// by ours, or by lxc-net alone. Each tool as at boot, where nothing is forwarded yet.
    @Test(arguments: ["theirs", "ours", "lxc-net", "sysctl-conf"])
    func whatAFileKeepsClosedStaysClosed(opener: String) throws {
        let ended = try FixLab.run(
            [],
            """
            ip link add mgmt type bridge; ip link set mgmt up; ip link add side type bridge
            printf 'net.ipv4.conf.mgmt.forwarding = 0\\n' >/etc/sysctl.d/50-mgmt.conf
            case \(opener) in
            lxc-net) rm /etc/sysctl.d/99_custom.conf;;
            ours) echo net.ipv4.conf.all.forwarding=0 >/etc/sysctl.d/99_hardening.conf;;
            sysctl-conf) echo net.ipv4.ip_forward=0 >/etc/sysctl.conf;;
            esac
            switches() { (cd /proc/sys/net/ipv4; cat ip_forward conf/{mgmt,side,up0,lxcbr1}/forwarding | tr -d '\\n'); }
            boots() {
                for tool in 'sysctl --system' '/lib/systemd/systemd-sysctl --prefix=/net/ipv4'; do
                    systemctl stop lxc-net; sysctl -qw net.ipv4.ip_forward=0; $tool >/dev/null 2>&1
                    systemctl start lxc-net; echo "$1 $(switches)"
                done
            }
            [ "$(boots before | grep -c ' 11111')" != 0 ] && echo opened
            sysctl -qw net.ipv4.ip_forward=0; state >/tmp/before
            lxc-doctor --auto-remediate --yes --quiet; echo "repaired $? $(switches)"; state >/tmp/repaired
            lxc-doctor fix undo --yes --quiet; state >/tmp/now; diff /tmp/before /tmp/now && echo SAME
            lxc-doctor --auto-remediate --yes --quiet; state >/tmp/now; diff /tmp/repaired /tmp/now && echo AGAIN
            lxc-doctor --auto-remediate --yes --quiet; state >/tmp/now; diff /tmp/repaired /tmp/now && echo IDLE
            boots booted; lxc-doctor --quiet; echo "doctor $?"; cat /etc/sysctl.d/50-mgmt.conf
            """)
        #expect(
            ended.lines == [
                "opened", "repaired 0 10111", "SAME", "AGAIN", "IDLE", "booted 10111", "booted 10111", "doctor 0",
                "net.ipv4.conf.mgmt.forwarding = 0",
            ], "\(ended.output) \(ended.messages)")
    }

    /// The same of IPv6, whose switch opens every interface whenever it is written.
    @Test(arguments: ["/etc/sysctl.d/99_hardening.conf", "/etc/sysctl.conf"])
    func whatAFileKeepsClosedToIPv6StaysClosed(file: String) throws {
        let ended = try FixLab.run(
            ["ipv6-forward-off"],
            """
            ip link add mgmt type bridge; ip link set mgmt up; ip link add side type bridge; ip link set side up
            printf 'net.ipv6.conf.mgmt.forwarding=0\\n' >/etc/sysctl.d/50-mgmt.conf
            echo net.ipv6.conf.all.forwarding=0 >\(file)
            switches() { (cd /proc/sys/net/ipv6/conf; cat {all,mgmt,side,lxcbr1}/forwarding | tr -d '\\n'); }
            lxc-doctor fix apply --only forwarding.ipv6 --proof off --yes --quiet; echo "$? $(switches)"
            off() { sysctl -qw net.ipv6.conf.all.forwarding=0; }
            off; sysctl --system >/dev/null 2>&1; switches; echo
            off; /lib/systemd/systemd-sysctl --prefix=/net/ipv6/conf; switches; echo
            """)
        #expect(ended.lines == ["0 1011", "1011", "1011"], "\(ended.output) \(ended.messages)")
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
