import Foundation
import TestSupport
import Testing

/// A power failure at any moment: what is renamed was written through before, and a change never outruns its journal.
/// What is looked at stands in `Tests/Tools/durable-writes`, which runs on the practice host.
@Suite(.serialized) struct FixDurabilityTests {
    @Test(arguments: [
        ["bridge-not-persistent", "ip-forward-reset"], ["lxc-net-not-enabled=masked", "masq-missing"],
        ["masq-not-persistent=networkd"], ["config-legacy-keys"],
    ])
    func whatIsWrittenLasts(faults: [String]) throws {
        let tool = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Tools/durable-writes")
        let script = try String(contentsOf: tool, encoding: .utf8)
        let ended = try FixLab.run(
            faults,
            """
            cat >/tmp/durable-writes <<'END-OF-TOOL'
            \(script)
            END-OF-TOOL
            try() { python3 /tmp/durable-writes "$@" || echo "not durable: $*"; }
            try fix apply --yes --quiet --proof off; try fix undo --yes --quiet
            for at in 12 30; do
                LXC_DOCTOR_CRASH_AT=$at lxc-doctor fix apply --yes --quiet --proof off; try fix history --quiet
            done 2>&1 | grep -v Killed
            """)
        // The repair, the undo, and two rollbacks: names changed by directory.
        #expect(ended.lines.count == 4, "\(ended.output) \(ended.messages)")
        for line in ended.lines {
            let named = try JSONDecoder().decode([String: Int].self, from: Data(line.utf8))
            #expect(named["/var/lib/lxc-doctor/journal", default: 0] >= 2, "\(line)")
        }
    }
}
