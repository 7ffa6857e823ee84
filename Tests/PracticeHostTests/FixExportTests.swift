import Foundation
import TestSupport
import Testing

/// Exported plans, run by what they were exported for.
@Suite(.serialized) struct FixExportTests {
    static let faults: [[String]] = [
        ["bridge-missing=removed", "ip-forward-reset"], ["ip-forward-off", "masq-missing"],
        ["bridge-wrong-address-or-mask"], ["bridge-not-persistent"], ["lxc-net-not-enabled=masked"],
        ["masq-not-persistent"],
    ]

    /// In the chains and files of others.
    static let owned: [[String]] = [
        ["masq-shadowed=exempt"], ["masq-shadowed=exempt-conf"], ["forward-policy-drop=nftables-conf"],
        ["docker-forward-drop=operators-drops"], ["ufw-forward-drop=other-rules"], ["firewalld-zone=default"],
        ["shorewall-misconfig=no-zone"], ["config-legacy-keys"],
    ]

    @Test(arguments: faults + owned)
    func theScriptRepairs(faults: [String]) throws {
        let ended = try FixLab.run(
            faults,
            """
            state >/tmp/before; lxc-doctor fix plan --format shell=/tmp/script; state >/tmp/now
            diff /tmp/before /tmp/now && echo UNTOUCHED; sh -n /tmp/script && echo readable
            sh /tmp/script >/tmp/first; echo "script $?"; lxc-doctor --quiet; echo "doctor $?"
            state >/tmp/after; sh /tmp/script >/tmp/second; echo "again $?"
            # Checks of others' programs only look: what they find is well already.
            grep -c '^done' /tmp/second; grep -q '^done' /tmp/first || echo idle
            state >/tmp/now; diff /tmp/after /tmp/now && echo SAME
            setpriv --reuid 65534 --clear-groups sh </tmp/script 2>/dev/null; echo "nobody $?"
            """)
        #expect(
            ended.lines == ["UNTOUCHED", "readable", "script 0", "doctor 0", "again 0", "0", "SAME", "nobody 77"],
            "\(ended.output) \(ended.messages)")
    }

    /// Rules go where `fix apply` would put them: behind what is dropped on purpose, ahead of what drops the rest.
    @Test(arguments: ["iptables-nft", "iptables-legacy"])
    func theScriptKeepsDeliberateDrops(backend: String) throws {
        let ended = try FixLab.run(
            ["forward-policy-drop"], options: ["--backend", backend],
            """
            iptables -P FORWARD ACCEPT; iptables -A FORWARD -s 10.5.0.66 -j DROP; iptables -A FORWARD -j DROP
            lxc-doctor fix plan --format shell=/tmp/script
            sh /tmp/script >/dev/null; echo "script $?"; lxc-doctor --quiet; echo "doctor $?"; iptables -S FORWARD
            sh /tmp/script | grep -v '^already'; echo "again ${PIPESTATUS[0]}"
            """)
        #expect(
            ended.lines == [
                "script 0", "doctor 0", "-P FORWARD ACCEPT", "-A FORWARD -s 10.5.0.66/32 -j DROP",
                "-A FORWARD -o lxcbr1 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
                "-A FORWARD -i lxcbr1 -j ACCEPT", "-A FORWARD -j DROP", "again 0",
            ], "\(ended.output) \(ended.messages)")
    }

    @Test func theScriptRefusesAStaleHostAndTakesBackWhatFails() throws {
        let ended = try FixLab.run(
            ["ip-forward-off", "ip-forward-reset"],
            """
            lxc-doctor fix plan --format shell=/tmp/script; echo other >/etc/sysctl.d/zz-lxc-doctor.conf
            state >/tmp/before; sh /tmp/script 2>/tmp/words; echo "stale $?"; grep -c 'nothing was changed' /tmp/words
            state >/tmp/now; diff /tmp/before /tmp/now && echo SAME; rm /etc/sysctl.d/zz-lxc-doctor.conf
            mount --bind /etc/sysctl.d /etc/sysctl.d && mount -o remount,ro,bind /etc/sysctl.d
            state >/tmp/before; sh /tmp/script >/dev/null 2>&1; echo "failed $?"
            state >/tmp/now; diff /tmp/before /tmp/now && echo SAME
            """)
        #expect(
            ended.lines == ["stale 2", "1", "SAME", "failed 1", "SAME"], "\(ended.output) \(ended.messages)")
    }

    /// By Ansible itself, as Debian packages it.
    @Test(arguments: faults + owned.prefix(5))
    func thePlaybookRepairs(faults: [String]) throws {
        let ended = try FixLab.run(
            faults, options: ["--layer", "ansible"],
            """
            export HOME=/root LC_ALL=C.UTF-8 ANSIBLE_NOCOLOR=1
            play() {
                ansible-playbook -i "$(hostname)," -c local -e ansible_python_interpreter=/usr/bin/python3 /root/playbook \
                    >/tmp/played 2>&1 || cat /tmp/played >&2
                grep -o 'changed=0' /tmp/played || echo changed
            }
            state >/tmp/before; lxc-doctor fix plan --format ansible=/root/playbook; state >/tmp/now
            diff /tmp/before /tmp/now && echo UNTOUCHED
            play; lxc-doctor --quiet; echo "doctor $?"; play
            """)
        #expect(
            ended.lines == ["UNTOUCHED", "changed", "doctor 0", "changed=0"], "\(ended.output) \(ended.messages)")
    }

    @Test func whatIsLeftToAPersonIsSaidWithTheReason() throws {
        let ended = try FixLab.run(
            ["bridge-addr-duplicated"],
            "lxc-doctor fix plan --format json=/tmp/plan --format shell=/tmp/script --format ansible; cat /tmp/plan >&2;"
                + " grep -c '^# By hand' /tmp/script")
        #expect(ended.lines.contains { $0.hasPrefix("# By hand: bridge-addr-duplicated") })
        #expect(ended.lines.last == "1")
        try FixLab.validate(ended.messages, schema: "plan")
        let plan = try #require(
            try JSONSerialization.jsonObject(with: Data(ended.messages.utf8)) as? [String: Any])
        let byHand = try #require(plan["byHand"] as? [[String: Any]])
        #expect(byHand.map { $0["cause"] as? String } == ["bridge-addr-duplicated"])
        #expect((byHand.first?["why"] as? String)?.isEmpty == false)
        #expect((byHand.first?["what"] as? [String])?.isEmpty == false)
    }
}
