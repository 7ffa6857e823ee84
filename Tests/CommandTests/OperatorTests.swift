import TestSupport
import Testing

/// What an operator is told at the moments at which something else than a whole run happens.
@Suite(.serialized) struct OperatorTests {
    /// The second plan of a run is declined: what the first one did is done, and the report says so.
    @Test func decliningTheSecondPlanDoesNotDenyTheFirst() throws {
        let ended = try Program.lab(
            ["--fault", "masq-missing", "--fault", "ip-forward-off", "--fault", "forward-policy-drop"],
            "printf 'y\\nn\\n' | NO_COLOR=1 script -qec 'lxc-doctor --auto-remediate' /dev/null; echo \"exit $?\"; "
                + "cat /proc/sys/net/ipv4/ip_forward")
        let text = ended.output.replacing("\r\n", with: "\n")
        #expect(text.contains("Nothing has been changed yet."), "\(text)")
        #expect(text.contains("NEXT PLAN ") && text.contains(" been made, and stay"), "\(text)")
        #expect(text.contains("REPAIR APPLIED\n  nothing more was changed; what says DONE stays\n  DONE "), "\(text)")
        #expect(!text.contains("lxc-doctor: nothing was changed"))
        // What was not repaired is still wrong.
        #expect(text.contains("CRITICAL on ") && text.hasSuffix("exit 2\n1\n"))
    }

    @Test func decliningTheFirstPlanChangesNothing() throws {
        let ended = try Program.lab(
            ["--fault", "ip-forward-off"],
            "printf 'n\\n' | script -qec 'lxc-doctor --auto-remediate' /dev/null; echo \"exit $?\"; "
                + "cat /proc/sys/net/ipv4/ip_forward")
        #expect(ended.output.contains("lxc-doctor: nothing was changed"))
        #expect(ended.output.hasSuffix("exit 64\n0\n"), "\(ended.output)")
    }

    /// A probe that takes its time: the line goes on counting, and never wraps.
    @Test func theProgressTicksAndFitsTheTerminal() throws {
        let ended = try Program.lab(
            [],
            "rm /usr/bin/lxc-start; printf '%s\\n' '#!/bin/sh' 'sleep 1' 'echo 5.0.2' > /usr/local/bin/lxc-start; "
                + "chmod 755 /usr/local/bin/lxc-start; "
                + "script -qec 'stty cols 20; lxc-doctor --proof off' /dev/null")
        let drawn = ended.output.split(separator: "\r\u{1b}[K").dropFirst().dropLast()
        var seconds: [Substring: Set<Substring>] = [:]
        for line in drawn {
            let parts = line.split(separator: " s  ", maxSplits: 1)
            if parts.count == 2 { seconds[parts[1], default: []].insert(parts[0]) }
            #expect(line.count < 20, "\(line)")
        }
        // One and the same probe, at several moments.
        #expect(seconds.values.contains { $0.count >= 5 }, "\(seconds)")
    }

    @Test func aFullDiskIsNoSuccess() throws {
        let ended = try Program.lab(
            [],
            "lxc-doctor --proof off >/dev/full; echo \"exit $?\"; lxc-doctor list causes >/dev/full; echo \"exit $?\"; "
                + "{ lxc-doctor --proof off --format html; echo \"exit $?\" >/tmp/gone; } | true; cat /tmp/gone")
        #expect(ended.output == "exit 70\nexit 70\nexit 0\n")
        let lines = ended.messages.split(separator: "\n")
        #expect(lines.count == 2 && lines.allSatisfy { $0.contains("standard output") && $0.contains("no space left") })
    }

    /// Without root a plan cannot be made: that is neither a fault of the program nor of the host.
    @Test func aPlanWithoutRootIsUnknown() throws {
        let ended = try Program.lab(
            ["--fault", "masq-missing"],
            "cp \"$(command -v lxc-doctor)\" /tmp/doctor; chmod 755 /tmp/doctor; "
                + "setpriv --reuid 65534 --regid 65534 --clear-groups /tmp/doctor fix plan; echo \"exit $?\"")
        #expect(ended.output.hasSuffix("exit 3\n"), "\(ended.output)\(ended.messages)")
    }

    /// A saved plan brings its profile along; what is none is called what it is.
    @Test func aSavedPlanSaysWhoseItIs() throws {
        let ended = try Program.lab(
            ["--fault", "masq-missing"],
            "lxc-doctor --format json=/tmp/report; lxc-doctor fix plan --format json=/tmp/plan; "
                + "lxc-doctor fix apply --plan /tmp/report --yes 2>&1; echo \"exit $?\"; "
                + "lxc-doctor fix apply --plan /tmp/plan --yes 2>/dev/null")
        #expect(ended.output.contains("it is lxc-doctor/report/1, not lxc-doctor/plan/1\nexit 65\n"), "\(ended.output)")
        let line = ended.output.split(separator: "\n").first { $0.hasPrefix("lxc-doctor 0.") }
        #expect(line?.contains("HEALTHY") == true && line?.contains("profile makina (the plan's)") == true)
    }

    @Test func anExpiredWaiverOnAHealthyHostIsAWarning() throws {
        let ended = try Program.lab(
            [],
            "mkdir -p /etc/lxc-doctor; printf '%s\\n' 'waivers:' '  - id: masq-missing' '    reason: a test' "
                + "'    expires: 2020-01-01' >/etc/lxc-doctor/waivers.yaml; chmod 600 /etc/lxc-doctor/waivers.yaml; "
                + "for format in terminal json ndjson junit tap prometheus nagios markdown html; do "
                + "lxc-doctor --format $format >/tmp/out; echo \"$format $? $(grep -c 'expired' /tmp/out)\"; done; "
                + "lxc-doctor --format nagios | head -1")
        let lines = ended.output.split(separator: "\n")
        #expect(lines.count == 10, "\(ended.output)\(ended.messages)")
        for line in lines.dropLast() {
            let words = line.split(separator: " ")
            #expect(words.count == 3 && words[1] == "1" && words[2] != "0", "\(line)")
        }
        #expect(lines.last?.hasPrefix("LXC WARNING - a waiver expired: ") == true)
    }

    /// The same host, shown to others: no address of it gets out, and each stands for the same one every time.
    @Test func redactedReportsShowNoAddress() throws {
        let ended = try Program.lab(
            ["--containers", "1"],
            "test -s /etc/machine-id || tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id; "
                + "lxc-doctor --redact --format json >/tmp/a; lxc-doctor --redact --format json --format html=/tmp/h >/tmp/b; "
                + "lxc-doctor prove --redact >/tmp/p; lxc-doctor verify --redact >/tmp/v; lxc-doctor --redact -v >/tmp/t; "
                + "wc -c </tmp/v; grep -lE '10\\.5\\.0\\.|10\\.5\\.255\\.|203\\.0\\.113\\.|198\\.51\\.100\\.' /tmp/[abhpvt]; "
                + "for f in a b; do grep -o '\"address\" : \"[^\"]*\"' /tmp/$f | sort -u; done; "
                + "lxc-doctor report diff /tmp/a /tmp/b | head -1")
        let lines = ended.output.split(separator: "\n").map(String.init)
        #expect(lines.count == 4, "\(ended.output)\(ended.messages)")
        guard lines.count == 4 else { return }
        #expect(lines[0] != "0" && lines[1] == lines[2] && lines[1].contains("\"10."), "\(lines)")
        #expect(lines[3].hasPrefix("SAME") || lines[3].hasPrefix("NOT WORSE"), "\(lines[3])")
    }
}
