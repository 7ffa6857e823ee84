import Foundation
import TestSupport
import Testing

/// Programs of others that still run when the doctor that started them is dead.
@Suite(.serialized) struct FixOrphanTests {
    /// The guardian that would end lxc-net's start is held up: until then nobody repairs beside it, and the very next start
    /// of the doctor recovers. Before lxc-net's script has begun, and after it has come to its end.
    @Test(arguments: ["sed -i '/^ExecStart=/i ", "sed -i '/^ExecStart=/a "])
    func theNextStartWaitsForWhatTheDeadOneLeftRunning(insertion: String) throws {
        let isBefore = insertion.hasSuffix("i ")
        let ended = try Program.lab(
            ["--fault", "dnsmasq-not-running"],
            """
            printf '%s\\n' 'echo begin >>/tmp/log' 'sleep 2' 'echo end >>/tmp/log' >/root/slow
            \(insertion)ExecStart=/bin/sh /root/slow' /lib/systemd/system/lxc-net.service
            only="--only host.lxc-net-flag --proof off"
            lxc-doctor fix plan $only --format json=/tmp/plan >&2
            lxc-doctor fix apply --plan /tmp/plan --yes --quiet $only & doctor=$!
            while [ ! -s /tmp/log ]; do sleep 0.02; done
            guardian=$(pgrep -P $doctor); kill -STOP $guardian; kill -9 $doctor; wait $doctor
            (sleep 1; echo freed >>/tmp/log; kill -CONT $guardian) &
            lxc-doctor fix history --quiet; echo "history $?" >>/tmp/log
            lxc-doctor fix history --format json | grep -o '"status" : "[a-zA-Z]*"' >>/tmp/log
            ls /run/lxc/network_up >>/tmp/log
            cat /tmp/log
            """)
        // The first start dies with its guardian; recovery makes its own to the end, for only from there it leads back.
        let again = isBefore ? ["begin", "end"] : []
        #expect(
            ended.output.split(separator: "\n").map(String.init)
                == ["begin", "freed"] + again + ["history 0", "\"status\" : \"rolledBack\"", "/run/lxc/network_up"],
            "\(ended.output) \(ended.messages)")
    }

    /// As many in a second as the machine can: the one to be taken back is the one that was made last.
    @Test func runsOfOneSecondKeepTheirOrder() throws {
        let ended = try Program.lab(
            ["--fault", "ip-forward-off"],
            """
            for _ in $(seq 12); do
                lxc-doctor fix apply --yes --quiet --only forwarding.global --proof off >&2
                ls -t /var/lib/lxc-doctor/journal | head -n 1 >>/tmp/made
                sysctl -q -w net.ipv4.ip_forward=0
            done
            ls /var/lib/lxc-doctor/journal | diff /tmp/made - && wc -l </tmp/made
            """)
        #expect(ended.output == "12\n", "\(ended.output) \(ended.messages)")
    }
}
