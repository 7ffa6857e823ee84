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
                "-A FORWARD -i lxcbr1 -j ACCEPT", "-A FORWARD -j DROP",
                "re-checked: repaired, and nothing else is wrong", "again 0",
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

    /// What breaks a plan that was exported already: its steps go through all the same.
    private static let elsewhere = """
        foreign() {
            nft 'add table ip foreign; add chain ip foreign post { type nat hook postrouting priority 90; };
                add rule ip foreign post ip saddr 10.5.0.0/16 ip daddr != 10.5.0.0/16 snat to 203.0.113.99'
        }
        legacy() {
            mkdir -p /var/lib/lxc/old; printf 'lxc.network.type = veth\nlxc.network.link = lxcbr1\n' >/var/lib/lxc/old/config
        }
        wish() {
            mkdir -p /etc/lxc-doctor/checks.d
            printf '%s\\n' 'id: host.no-forwarding' 'title: Nothing is forwarded' 'severity: warning' 'subject: host' 'rationale: It was so.' \
                'observe: { sysctl: { key: net.ipv4.ip_forward } }' 'expect: { value: { equals: "0" } }' \
                >/etc/lxc-doctor/checks.d/mine.yaml
        }
        ran() {
            state >/tmp/before; sh /tmp/script >/tmp/out 2>/tmp/words; echo "script $?"; cat /tmp/words >&2
            state >/tmp/now; diff /tmp/before /tmp/now >&2 && echo SAME
            grep -q '^done' /tmp/out && echo changed; ls /tmp/tmp.* 2>/dev/null
        }

        """

    /// Where the doctor is installed, it has the last word: what did not help, or broke something, is taken back.
    @Test(arguments: [
        ("masq-missing", "foreign", "still fails"),
        ("ip-forward-off", "wish", "host.no-forwarding passed before and fails now"),
    ]) func theScriptTakesBackWhatDidNotHelp(fault: String, meanwhile: String, words: String) throws {
        let ended = try FixLab.run(
            [fault],
            Self.elsewhere + """
                lxc-doctor fix plan --format shell=/tmp/script; \(meanwhile); ran
                grep -q '\(words)' /tmp/words && echo why; grep -c 'it did not help, or something else broke' /tmp/words
                grep -c 'what was done is taken back' /tmp/words
                """)
        #expect(
            ended.lines == ["script 1", "SAME", "changed", "why", "1", "1"], "\(ended.output) \(ended.messages)")
    }

    /// What else is wrong, or shows only now, wants another plan: the script keeps what it did, and claims no more.
    @Test func theScriptSaysThatMoreIsWrong() throws {
        let ended = try FixLab.run(
            ["ip-forward-off"],
            Self.elsewhere + """
                lxc-doctor fix plan --format shell=/tmp/script; legacy; ran; cat /proc/sys/net/ipv4/ip_forward
                grep -c 'lxc-doctor fix plan --profile makina' /tmp/words; grep -c '^re-checked' /tmp/out
                """)
        #expect(ended.lines == ["script 3", "changed", "1", "1", "0"], "\(ended.output) \(ended.messages)")
        #expect(ended.messages.contains("lxc-doctor: config-legacy-keys (container old)"), "\(ended.messages)")
    }

    /// A cause that the missing bridge hid: one round each.
    @Test func whatShowsOnlyNowWantsAnotherScript() throws {
        let ended = try FixLab.run(
            ["bridge-missing=removed", "forward-policy-drop"],
            """
            round() {
                lxc-doctor fix plan --format shell=/tmp/script; sh /tmp/script >/tmp/out 2>/tmp/words; echo "script $?"
                cat /tmp/words >&2; grep -o '^lxc-doctor: forward-policy-drop' /tmp/words
            }
            round; [ -d /sys/class/net/lxcbr1/bridge ] && echo kept; round; lxc-doctor --quiet; echo "doctor $?"
            """)
        #expect(
            ended.lines == ["script 3", "lxc-doctor: forward-policy-drop", "kept", "script 0", "doctor 0"],
            "\(ended.output) \(ended.messages)")
    }

    /// Without it nothing is re-checked, which is said; one that cannot look lets nothing be changed.
    @Test func theScriptSaysWhereNothingIsReChecked() throws {
        let ended = try FixLab.run(
            ["masq-missing"],
            Self.elsewhere + """
                printf 'name: mine\nnetworks:\n  - { bridge: lxcbr1, address: 10.5.0.1/16 }\n' >/root/mine.yaml
                cd /root; lxc-doctor fix plan --profile mine.yaml --format shell=/tmp/script; mv mine.yaml yours.yaml; cd /
                ran; grep -c 'could not look at this host; nothing was changed' /tmp/words
                mv /root/yours.yaml /root/mine.yaml; rm $(command -v lxc-doctor); foreign; ran
                grep '^not re-checked' /tmp/out; wc -l </tmp/words
                """)
        #expect(
            ended.lines == [
                "script 2", "SAME", "1", "script 0", "changed",
                "not re-checked: lxc-doctor is not installed here; where it is, run: lxc-doctor --profile /root/mine.yaml",
                "0",
            ], "\(ended.output) \(ended.messages)")
    }

    /// A play takes nothing back, but it does not claim success either.
    @Test func thePlaybookFailsWhereItDidNotHelp() throws {
        let ended = try FixLab.run(
            ["masq-missing"], options: ["--layer", "ansible"],
            Self.elsewhere + Self.play + """
                lxc-doctor fix plan --format ansible=/root/playbook; foreign
                play >/dev/null 2>&1; grep -o 'failed=1' /tmp/played; grep -o 'still fails' /tmp/played | head -n 1
                grep -o 're-checked: it did not help, or something else broke' /tmp/played | head -n 1; ls /run/lxc-doctor*json
                nft delete table ip foreign; rm $(command -v lxc-doctor); play
                grep -o 'recheck.stdout": "not re-checked' /tmp/played
                """)
        #expect(
            ended.lines == [
                "failed=1", "still fails", "re-checked: it did not help, or something else broke", "changed=0",
                "recheck.stdout\": \"not re-checked",
            ], "\(ended.output) \(ended.messages)")
    }

    private static let play = """
        export HOME=/root LC_ALL=C.UTF-8 ANSIBLE_NOCOLOR=1
        play() {
            ansible-playbook -i "$(hostname)," -c local -e ansible_python_interpreter=/usr/bin/python3 /root/playbook \
                >/tmp/played 2>&1 || cat /tmp/played >&2
            grep -o 'changed=0' /tmp/played || echo changed
        }

        """

    /// By Ansible itself, as Debian packages it.
    @Test(arguments: faults + owned.prefix(5))
    func thePlaybookRepairs(faults: [String]) throws {
        let ended = try FixLab.run(
            faults, options: ["--layer", "ansible"],
            Self.play + """
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
