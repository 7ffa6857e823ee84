import TestSupport
import Testing

/// What a repair must not cost, tried with the real programs.
@Suite("A repair that could end worse", .serialized) struct FixDecisionTests {
    /// lxc-net takes away what it has made where its dnsmasq does not start.
    @Test(arguments: ["bridge-wrong-address-or-mask=settings", "lxc-net-stale-network-up"])
    func lxcNetIsNotStoppedWhereItWouldNotStartAgain(fault: String) throws {
        let ended = try FixLab.run(
            [fault],
            """
            echo dhcp-hosts=/x >/etc/lxc/dnsmasq.conf
            echo LXC_DHCP_CONFILE=/etc/lxc/dnsmasq.conf >>/etc/default/lxc-net
            state >/tmp/before; lxc-doctor --auto-remediate --yes >/tmp/report; echo "fix $?"
            state >/tmp/now; diff /tmp/before /tmp/now && echo SAME
            grep -o 'bad option at line 1' /tmp/report | head -1
            """)
        #expect(ended.lines == ["fix 2", "SAME", "bad option at line 1"], "\(ended.output) \(ended.messages)")
    }

    @Test func aStaleContainerTakesNothingFromLxcNet() throws {
        let ended = try FixLab.run(
            [], options: ["--profile", "lxc-net"],
            """
            mkdir -p /var/lib/lxc/old /var/lib/lxc/web/rootfs/sbin
            printf 'lxc.net.0.type = veth\\nlxc.net.0.link = lxcbr1\\n' >/var/lib/lxc/old/config
            printf 'lxc.net.0.type = veth\\nlxc.net.0.link = lxcbr0\\n' >/var/lib/lxc/web/config
            systemctl stop lxc-net; state >/tmp/before; cp -a /var/lib/lxc /etc/default/lxc-net /tmp
            lxc-doctor --auto-remediate --yes >/dev/null; echo "fix $?"; state >/tmp/now
            diff /tmp/before /tmp/now && echo SAME
            lxc-doctor --profile makina --auto-remediate --yes >/dev/null
            cmp /tmp/lxc-net /etc/default/lxc-net && diff -r /tmp/lxc /var/lib/lxc && echo KEPT
            """)
        #expect(ended.lines == ["fix 2", "SAME", "KEPT"], "\(ended.output) \(ended.messages)")
    }
}
