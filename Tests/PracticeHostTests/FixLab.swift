import Foundation
import TestSupport
import Testing

/// Shell scripts on practice hosts, with what tests of `fix` have in common.
enum FixLab {
    private static let top = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// `state`: everything that a repair may change, on standard output. `has NAME`: the marks that a script printed.
    private static let prelude = """
        set -u
        state() {
            # The kernel takes a proof's ports away a moment after the proof has ended.
            for _ in $(seq 100); do ip -br link | grep -q '^lxcdoc' || break; sleep 0.02; done
            ip -4 -o addr | sed -E 's/^[0-9]+: //; s/valid_lft.*//'; ip -o link | sed -E 's/^[0-9]+: ([^:@]*).*/\\1/'
            nft -s list ruleset; sysctl -a --pattern '^net.ipv4.(ip_forward$|conf)' 2>/dev/null
            find /etc /run/lxc -type f -exec sha256sum {} + | sort; find /etc /run/lxc -printf '%p %m %U %G %l\\n' | sort
        }
        applied() { lxc-doctor fix apply --yes --quiet "$@" || echo "apply failed: $?"; }

        """

    struct Ended {
        /// Lines of standard output.
        var lines: [String]
        var output: String
        var messages: String
        var status: Int32
    }

    static func run(_ faults: [String], options: [String] = [], _ script: String) throws -> Ended {
        let ended = try Program.run(
            Program.path,
            ["lab", "run"] + faults.flatMap { ["--fault", $0] } + options + ["--", "bash", "-c", prelude + script])
        return Ended(
            lines: ended.output.split(separator: "\n").map(String.init), output: ended.output,
            messages: ended.messages, status: ended.status)
    }

    /// Lets an outside validator judge a document, closed: with no field that the schema does not name.
    static func validate(_ json: String, schema: String) throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).json")
        try Data(json.utf8).write(to: file)
        defer {
            do { try FileManager.default.removeItem(at: file) } catch { Issue.record(error) }
        }
        let ended = try Program.run(
            top.appendingPathComponent("Tests/Tools/validate-schema").path,
            ["--closed", top.appendingPathComponent("reports/schema/\(schema).v1.schema.json").path, file.path])
        #expect(ended.status == 0, "\(ended.output)\(ended.messages)")
    }
}
