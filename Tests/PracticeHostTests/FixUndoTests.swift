import Foundation
import TestSupport
import Testing

/// `fix undo`, `fix history`, interrupted repairs and saved plans, on practice hosts.
@Suite(.serialized) struct FixUndoTests {
    @Test func undoBringsBackTheHostAsItWas() throws {
        let ended = try FixLab.run(
            ["ip-forward-off", "masq-missing", "ip-forward-reset"],
            """
            state >/tmp/before; applied; lxc-doctor --quiet; echo "healthy $?"
            lxc-doctor fix apply --yes --format json >/tmp/twice 2>/dev/null; echo "twice $?"
            grep -c '"fixes"' /tmp/twice
            ls /var/lib/lxc-doctor/journal | wc -l
            lxc-doctor fix undo </dev/null 2>/dev/null; echo "unasked $?"
            lxc-doctor fix undo --yes --format json >/tmp/undo; echo "undo $?"
            state >/tmp/now; diff /tmp/before /tmp/now && echo SAME
            lxc-doctor fix undo --yes 2>/dev/null; echo "again $?"
            lxc-doctor fix history --format json >/tmp/history; lxc-doctor fix history | head -1
            echo SPLIT; cat /tmp/undo; echo SPLIT; cat /tmp/history; echo SPLIT; cat /var/lib/lxc-doctor/journal/*
            """)
        let parts = ended.output.components(separatedBy: "SPLIT\n")
        try #require(parts.count == 4, "\(ended.output) \(ended.messages)")
        #expect(
            parts[0].split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") } == [
                "healthy 0", "twice 0", "0", "1", "unasked 64", "undo 0", "SAME", "again 64", "RUN STATE WHAT",
            ], "\(ended.output) \(ended.messages)")
        try FixLab.validate(parts[1], schema: "undo")
        try FixLab.validate(parts[2], schema: "history")
        try FixLab.validate(parts[3], schema: "journal")
        #expect(parts[1].contains("\"outcome\" : \"undone\""))
        #expect(parts[2].contains("\"status\" : \"undone\""))
    }

    /// By `fix undo`, and by the commands that the plan names for a person to type.
    @Test(arguments: [
        "10.5.0.1/24 brd 10.5.0.255 label lxcbr1:x", "10.5.0.1/24", "10.5.0.1/24 scope link",
        "10.5.0.1/24 brd + metric 7", "10.5.0.254/16 brd 10.5.9.9 label lxcbr1:y",
        "10.5.0.1/24 brd + autojoin",
    ])
    func anAddressComesBackAsItWas(address: String) throws {
        let ended = try Program.lab(
            [],
            """
            look() { ip -4 addr show dev lxcbr1 | grep -v mtu; ip -4 route show table all dev lxcbr1 | sed "s, linkdown,,; s, *$,,"; }
            ip addr del 10.5.0.1/16 dev lxcbr1; ip addr add \(address) dev lxcbr1 noprefixroute; look >/tmp/before
            for way in undo typed; do
                lxc-doctor fix apply --yes --format json 2>/dev/null >/tmp/report; echo "applied $?"
                ip -4 -o addr show dev lxcbr1 | awk '{ print $4 }'
                if [ $way = undo ]; then lxc-doctor fix undo --yes --quiet; else sh -c "$(python3 -c '
            import json
            steps = json.load(open("/tmp/report"))["fixes"]["steps"]
            print("\\n".join(s["reversal"] for s in reversed(steps) if s["state"] == "applied"))')"; fi
                look >/tmp/now; diff /tmp/before /tmp/now && echo SAME
            done
            """)
        #expect(
            ended.output.split(separator: "\n") == [
                "applied 0", "10.5.0.1/16", "SAME", "applied 0", "10.5.0.1/16", "SAME",
            ], "\(ended.output) \(ended.messages)")
    }

    /// The commands of a plan's steps do what the steps do, and those of their reversals lead back.
    @Test(arguments: [
        "forward-policy-drop=nftables-conf", "forward-return-missing", "masq-shadowed=exempt", "nft-other-table-drop",
        "bridge-wrong-address-or-mask", "masq-missing=table",
    ])
    func aPlanCanBeTyped(fault: String) throws {
        let ended = try FixLab.run(
            [fault],
            """
            state >/tmp/before; lxc-doctor fix plan --format json >/tmp/plan
            words() { python3 -c 'import json, sys
            steps = json.load(open("/tmp/plan"))["steps"]
            print("\\n".join(s[sys.argv[1]] for s in steps[:: int(sys.argv[2])] if s[sys.argv[1]] != "none needed"))' $@; }
            words command 1 >/tmp/do; words reversal -1 >/tmp/undo
            sh -e /tmp/do >/dev/null; lxc-doctor --quiet; echo "typed $?"
            sh -e /tmp/undo; state >/tmp/now; diff /tmp/before /tmp/now && echo SAME
            """)
        #expect(ended.lines == ["typed 0", "SAME"], "\(ended.output) \(ended.messages)")
    }

    /// What loads the same rule again has not changed it.
    @Test func whatItsOwnerLoadsAgainIsTakenBack() throws {
        let ended = try FixLab.run(
            ["bridge-not-persistent=netplan-mask", "masq-missing=table", "forward-policy-drop=nftables-conf"],
            """
            state >/tmp/before; applied; nft -f /etc/nftables.conf; lxc-doctor fix undo --yes --quiet; echo "undo $?"
            state >/tmp/now; diff /tmp/before /tmp/now && echo SAME
            """)
        #expect(ended.lines == ["undo 0", "SAME"], "\(ended.output) \(ended.messages)")
    }

    /// A table of iptables-nft that the first rule made goes with it.
    @Test func aTableThatWasNotThereIsGoneAgain() throws {
        let ended = try FixLab.run(
            [], options: ["--backend", "iptables-nft"],
            """
            nft flush ruleset; applied; nft list tables; lxc-doctor fix undo --yes --quiet; echo "undo $?"
            nft list ruleset
            """)
        #expect(ended.lines == ["table ip nat", "undo 0"], "\(ended.output) \(ended.messages)")
    }

    /// The files of the repair have brought its rules back by then.
    @Test(arguments: ["forward-policy-drop=nftables-conf", "docker-forward-drop=dockerd", "firewalld-zone=default"])
    func rulesAreTakenBackAfterABootToo(fault: String) throws {
        let ended = try FixLab.run(
            [fault],
            RemedyLoop.functions + """

                rules() {
                    nft -s list ruleset | sed '/^\\tchain [A-Za-z_]*_trusted.*{$/,/^\\t}$/d; /^$/d'
                    firewall-cmd --get-zone-of-interface=lxcbr1 2>&1
                }
                applied; reboot >&2; echo another-boot >/tmp/boot
                mount --bind /tmp/boot /proc/sys/kernel/random/boot_id; rules >/tmp/booted
                lxc-doctor fix undo --yes --quiet; echo "undo $?"
                rules >/tmp/now; cmp -s /tmp/now /tmp/booted || echo CLOSED
                reboot >&2; rules | diff - /tmp/now && echo SAME
                """)
        #expect(ended.lines == ["undo 0", "CLOSED", "SAME"], "\(ended.output) \(ended.messages)")
    }

    /// What somebody changed while a repair waited to be confirmed is left, is said to be left, and can be undone later.
    @Test func whatARollBackLeftCanBeUndone() throws {
        let ended = try FixLab.run(
            ["lxc-net-not-enabled=switched-off"],
            """
            state >/tmp/before
            { sleep 1; echo '# mine' >>/etc/default/lxc-net; } &
            lxc-doctor fix apply --yes --confirm-within 3 2>/dev/null | grep -o 'ROLLED BACK, except what says DONE or FAILED'
            lxc-doctor fix history | grep -o 'partly rolled back'
            lxc-doctor fix undo --yes | grep -Fo '+# mine'
            sed -i '/# mine/d' /etc/default/lxc-net; lxc-doctor fix undo --yes --quiet; echo "undo $?"
            state >/tmp/now; diff /tmp/before /tmp/now && echo SAME
            """)
        #expect(
            ended.lines == [
                "ROLLED BACK, except what says DONE or FAILED", "partly rolled back", "+# mine", "undo 0", "SAME",
            ], "\(ended.output) \(ended.messages)")
    }

    /// Only its server was dead, and nobody wants that back.
    @Test func whatHasNoReversalIsSaidToStay() throws {
        let ended = try Program.lab(
            ["--fault", "dnsmasq-not-running"],
            """
            lxc-doctor fix apply --yes --quiet >&2; echo "fixed $?"
            lxc-doctor fix undo --yes | sed '1d; /journal/d'
            lxc-doctor fix history --format json | grep -o '"status" : "[a-z]*"'
            pgrep -c -x dnsmasq
            """)
        #expect(
            ended.output.split(separator: "\n").map(String.init) == [
                "fixed 0", "  lxc-net (started) stays: this step has no reversal",
                "  TAKEN BACK  /run/lxc/network_up", "  LEFT        lxc-net", "\"status\" : \"undone\"", "1",
            ], "\(ended.output) \(ended.messages)")
    }

    @Test func undoRefusesWhatSomeoneHasChangedSince() throws {
        let ended = try FixLab.run(
            ["ip-forward-off", "ip-forward-reset"],
            """
            applied; echo '# mine' >>/etc/sysctl.d/zz-lxc-doctor.conf; state >/tmp/before
            lxc-doctor fix undo --yes >/tmp/words; echo "undo $?"; grep -F '+# mine' /tmp/words
            lxc-doctor fix undo --yes --format json >/tmp/undo
            state >/tmp/now; diff /tmp/before /tmp/now && echo SAME
            sed -i '/# mine/d' /etc/sysctl.d/zz-lxc-doctor.conf; lxc-doctor fix undo --yes --quiet; echo "undo $?"
            cat /proc/sys/net/ipv4/ip_forward; ls /etc/sysctl.d/zz-lxc-doctor.conf 2>&1
            echo SPLIT; cat /tmp/undo
            """)
        let parts = ended.output.components(separatedBy: "SPLIT\n")
        try #require(parts.count == 2, "\(ended.output) \(ended.messages)")
        let lines = parts[0].split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        #expect(lines.prefix(5) == ["undo 2", "+# mine", "SAME", "undo 0", "0"], "\(ended.output)")
        #expect(lines.last?.contains("No such file") == true)
        try FixLab.validate(parts[1], schema: "undo")
        #expect(parts[1].contains("\"outcome\" : \"refused\""))
    }

    @Test func theDoctorMentionsAnInterruptedRepairAndTheNextStartTakesItBack() throws {
        let ended = try FixLab.run(
            ["ip-forward-off", "masq-missing"],
            """
            state >/tmp/before
            for verb in "fix history --quiet" "fix plan --quiet" "fix apply" "fix undo --yes --quiet" \
                "--auto-remediate --quiet"; do
                LXC_DOCTOR_CRASH_AT=20 lxc-doctor fix apply --yes --quiet 2>/dev/null; echo "killed $?"
                state >/tmp/half; lxc-doctor --quiet 2>/tmp/words; grep -c 'is not finished' /tmp/words
                state >/tmp/now; diff /tmp/half /tmp/now && echo UNTOUCHED
                lxc-doctor $verb </dev/null 2>/tmp/words >/dev/null; grep -c 'was rolled back first' /tmp/words
                state >/tmp/now; diff /tmp/before /tmp/now && echo SAME
            done 2>/dev/null
            """)
        #expect(
            ended.lines == Array(repeating: ["killed 137", "1", "UNTOUCHED", "1", "SAME"], count: 5).flatMap { $0 },
            "\(ended.output) \(ended.messages)")
    }

    /// The runtime part of a repair is gone with the boot it belongs to; files are taken back all the same.
    @Test func aPowerFailureIsARollback() throws {
        let ended = try FixLab.run(
            ["ip-forward-off", "ip-forward-reset"],
            """
            find /etc -type f -exec sha256sum {} + | sort >/tmp/before
            LXC_DOCTOR_CRASH_AT=30 lxc-doctor fix apply --yes --quiet; echo "killed $?"
            ls /etc/sysctl.d/zz-lxc-doctor.conf
            echo another-boot >/tmp/boot; mount --bind /tmp/boot /proc/sys/kernel/random/boot_id
            echo 1 >/proc/sys/net/ipv4/ip_forward
            lxc-doctor fix history --quiet 2>/dev/null; echo "history $?"; cat /proc/sys/net/ipv4/ip_forward
            find /etc -type f -exec sha256sum {} + | sort >/tmp/now; diff /tmp/before /tmp/now && echo SAME
            """)
        // The switch that the new boot has set is not the repair's to take back.
        #expect(
            ended.lines == ["killed 137", "/etc/sysctl.d/zz-lxc-doctor.conf", "history 0", "1", "SAME"],
            "\(ended.output) \(ended.messages)")
    }

    @Test func aSavedPlanIsAppliedOrRefused() throws {
        let ended = try FixLab.run(
            ["ip-forward-off", "masq-missing"],
            """
            lxc-doctor fix plan --format json=/tmp/plan; cp /tmp/plan /root/plan; state >/tmp/before
            chmod 666 /tmp/plan; lxc-doctor fix apply --plan /tmp/plan --yes 2>/dev/null; echo "writable $?"
            chown 65534 /tmp/plan; chmod 600 /tmp/plan
            lxc-doctor fix apply --plan /tmp/plan --yes 2>/dev/null; echo "foreign $?"
            sed 's/"hostname" : .*/"hostname" : "other",/' /root/plan >/root/other
            lxc-doctor fix apply --plan /root/other --yes 2>/dev/null; echo "other host $?"
            sed 's/"to" : "1"/"to" : "2"/' /root/plan >/root/lie
            lxc-doctor fix apply --plan /root/lie --yes 2>/dev/null; echo "lie $?"
            nft 'add table ip lxc { chain mine { }; }'
            lxc-doctor fix apply --plan /root/plan --yes --format json 2>/dev/null >/tmp/report; echo "stale $?"
            grep -o '"outcome" : "refused"' /tmp/report; nft delete table ip lxc
            state >/tmp/now; diff /tmp/before /tmp/now && echo SAME
            lxc-doctor fix apply --plan /root/plan --yes --quiet; echo "applied $?"; state >/tmp/after
            lxc-doctor fix apply --plan /root/plan --yes --format json 2>/dev/null >/tmp/report; echo "twice $?"
            grep -c '"state" : "unchanged"' /tmp/report
            state >/tmp/now; diff /tmp/after /tmp/now && echo SAME; ls /var/lib/lxc-doctor/journal | wc -l
            echo SPLIT; cat /root/plan
            """)
        let parts = ended.output.components(separatedBy: "SPLIT\n")
        try #require(parts.count == 2, "\(ended.output) \(ended.messages)")
        #expect(
            parts[0].split(separator: "\n").map(String.init) == [
                "writable 65", "foreign 65", "other host 65", "lie 65", "stale 2", "\"outcome\" : \"refused\"", "SAME",
                "applied 0", "twice 0", "2", "SAME", "1",
            ], "\(ended.output) \(ended.messages)")
        try FixLab.validate(parts[1], schema: "plan")
    }

    @Test func whatDoesNotHelpIsRolledBack() throws {
        // The switch is thrown again as fast as it is set: the check still fails.
        let again = try FixLab.run(
            ["ip-forward-off", "masq-missing"],
            """
            while :; do echo 0 >/proc/sys/net/ipv4/ip_forward; done & spoiler=$!
            lxc-doctor fix apply --yes --format json 2>/dev/null >/tmp/report; echo "apply $?"
            kill $spoiler; grep -o '"outcome" : "[a-zA-Z]*"' /tmp/report
            cat /proc/sys/net/ipv4/ip_forward; nft list table ip lxc 2>/dev/null; lxc-doctor fix history --format json | grep '"status"'
            """)
        #expect(
            again.lines.map { $0.trimmingCharacters(in: .whitespaces) }
                == ["apply 2", "\"outcome\" : \"rolledBack\"", "0", "\"status\" : \"rolledBack\","],
            "\(again.output) \(again.messages)")
        // The persistent part fails: the runtime part, which worked, goes as well.
        let readOnly = try FixLab.run(
            ["ip-forward-off", "ip-forward-reset"],
            """
            mount --bind /etc/sysctl.d /etc/sysctl.d && mount -o remount,ro,bind /etc/sysctl.d; state >/tmp/before
            lxc-doctor fix apply --yes --format json 2>/dev/null >/tmp/report; echo "apply $?"
            grep -o '"outcome" : "[a-zA-Z]*"' /tmp/report
            umount /etc/sysctl.d; state >/tmp/now; diff /tmp/before /tmp/now && echo SAME
            """)
        #expect(
            readOnly.lines == ["apply 2", "\"outcome\" : \"rolledBack\"", "SAME"],
            "\(readOnly.output) \(readOnly.messages)")
    }
}
