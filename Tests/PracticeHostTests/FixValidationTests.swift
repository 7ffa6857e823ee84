import TestSupport
import Testing

/// What a repair writes counts only once the owner's own checker has found it well. Here that checker refuses, whatever
/// it is shown: then everything is taken back.
@Suite(.serialized) struct FixValidationTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var fault: String
        var backend = "nft"
        /// The checker, and the word by which it is told to look only.
        var program: String
        var word: String

        var testDescription: String { "\(program) \(word): \(fault)" }
    }

    @Test(arguments: [
        Case(fault: "forward-policy-drop=nftables-conf", program: "nft", word: "-c"),
        Case(fault: "masq-shadowed=exempt-conf", program: "nft", word: "-c"),
        Case(fault: "masq-not-persistent=networkd", program: "nft", word: "-c"),
        Case(
            fault: "masq-shadowed=rules-v4", backend: "iptables-nft", program: "iptables-nft-restore", word: "--test"),
        Case(
            fault: "forward-policy-drop=rules-v4", backend: "iptables-legacy", program: "iptables-legacy-restore",
            word: "--test"),
        Case(fault: "ufw-forward-drop=other-rules", program: "iptables-nft-restore", word: "--test"),
        Case(fault: "firewalld-zone=default", program: "firewall-offline-cmd", word: "--check-config"),
        Case(fault: "shorewall-misconfig=no-zone", program: "shorewall", word: "check"),
        Case(fault: "bridge-not-persistent=netplan-mask", program: "netplan", word: "generate"),
        Case(fault: "bridge-not-persistent=ifupdown-not-auto", program: "ifup", word: "--no-act"),
        Case(fault: "bridge-not-persistent=networkmanager-mask", program: "nmcli", word: "--offline"),
        Case(fault: "docker-forward-drop=started", program: "systemd-analyze", word: "verify"),
        Case(fault: "config-legacy-keys", program: "lxc-info", word: "-s"),
    ])
    func whatTheCheckerRefusesIsTakenBack(item: Case) throws {
        let ended = try FixLab.run(
            [item.fault], options: ["--backend", item.backend],
            RemedyLoop.functions + """

                program=$(command -v \(item.program)); real=$(readlink -f "$program")
                if [ "$real" = "$program" ]; then real=$program.real; mv "$program" "$real"; else rm "$program"; fi
                cat >"$program" <<END
                #!/bin/bash
                case " \\$* " in *" \(item.word) "*) echo asked >>/tmp/asked; echo 'as the test wants' >&2; exit 1;; esac
                exec -a "$program" "$real" "\\$@"
                END
                chmod 755 "$program"
                state >/tmp/before
                lxc-doctor fix apply --yes --format json 2>/dev/null >/tmp/report; echo "apply $?"
                [ -s /tmp/asked ] && echo asked
                python3 -c 'import json; fixes = json.load(open("/tmp/report"))["fixes"]; print(fixes["outcome"], "as the test wants" in fixes["reason"])'
                state >/tmp/now; diff /tmp/before /tmp/now && echo SAME
                """)
        #expect(
            ended.lines == ["apply 2", "asked", "rolledBack True", "SAME"], "\(ended.output) \(ended.messages)")
    }
}
