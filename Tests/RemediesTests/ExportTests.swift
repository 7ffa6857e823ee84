import Foundation
import HostAccess
import HostModel
import Testing

@testable import Remedies

@Suite("A plan as a document")
struct ExportTests {
    private func plan(_ scenario: Scenario) throws -> Plan {
        let host = scenario.host
        return Remedies.plan(for: scenario.causes, profile: Fixture.chosen, facts: try Fixture.facts(host))
    }

    private func json(_ plan: Plan) throws -> [UInt8] {
        Array(try JSONEncoder().encode(plan))
    }

    @Test("is read back as it was written", arguments: Scenario.all)
    func roundTrip(_ scenario: Scenario) throws {
        var made = try plan(scenario)
        made.hostname = "somewhere"
        let read = try Plan(saved: json(made))
        #expect(read == made)
    }

    @Test("is refused where a step says something else than it does")
    func lies() throws {
        let made = try plan(Scenario.all[0])
        let changes: [(inout PlannedChange) -> Void] = [
            { $0.step.after = "nothing at all" }, { $0.step.target = "link harmless" },
            { $0.step.reversal = "none" }, { $0.undo = [] },
            { $0.change = .file(path: "/etc/shadow", before: nil, after: nil) },
        ]
        for change in changes {
            var lying = made
            change(&lying.changes[0])
            let text = try json(lying)
            #expect(throws: SavedPlanError.self) { try Plan(saved: text) }
        }
        var disordered = made
        disordered.changes[0].phase = .persistent
        let text = try json(disordered)
        #expect(throws: SavedPlanError.self) { try Plan(saved: text) }
        for text in ["", "{}", "[]", "{\"schema\": \"lxc-doctor/plan/2\"}"] {
            #expect(throws: SavedPlanError.self) { try Plan(saved: Array(text.utf8)) }
        }
    }

    /// What comes from a host must stay data: in comments, in words, in YAML.
    private var hostile: Plan {
        let path = "/etc/x'y\n$(touch pwned)"
        let before = FileContent(bytes: ByteString("a'b\\n%s `id` $(id)\nlast without end"))
        let after = FileContent(bytes: ByteString([0x00, 0xff, 0x27, 0x25, 0x5c, 0x0a, 0x7b, 0x7b, 0x7d, 0x7d]))
        let change = Change.file(path: path, before: before, after: after)
        let wording = ChangeWording(change)
        let step = FixStep(
            id: "x.1", remedy: "x", subject: Fixture.subject, target: wording.target, before: wording.before,
            after: wording.after, reversal: wording.reversal, risk: "line one\nrm -rf / {{ x }}", command: "")
        let cause = ServedCause(
            id: "c", check: "x", subject: Subject(kind: .container, name: "o'ld\nreboot\n$(reboot)"))
        return Plan(
            profile: "m\n$(reboot)", causes: [cause],
            changes: [
                PlannedChange(step: step, change: change, undo: [change.inverse], phase: .persistent, serves: [cause])
            ],
            byHand: [ByHand(cause: "c", subject: Fixture.subject, why: "because\nreboot", what: ["a\nreboot"])])
    }

    private func run(_ program: String, _ arguments: [String], input: String) throws -> (Int32, String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        let (standardInput, output) = (Pipe(), Pipe())
        process.standardInput = standardInput
        process.standardOutput = output
        process.standardError = output
        try process.run()
        try standardInput.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try standardInput.fileHandleForWriting.close()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, text)
    }

    @Test("is a shell script that a shell understands", arguments: Scenario.all)
    func shell(_ scenario: Scenario) throws {
        let script = shellScript(try plan(scenario))
        let (status, text) = try run("/bin/sh", ["-n"], input: script)
        #expect(status == 0, "\(text)")
        #expect(script.hasPrefix("#!/bin/sh\n"))
        #expect(script.contains("\nlook 1\n"))
    }

    @Test("is a playbook that is YAML", arguments: Scenario.all)
    func ansible(_ scenario: Scenario) throws {
        let made = try plan(scenario)
        let (status, text) = try run(
            "/usr/bin/python3",
            ["-c", "import sys, yaml; print(len(yaml.safe_load(sys.stdin)[0]['tasks']))"], input: ansiblePlaybook(made))
        #expect(status == 0, "\(text)")
        let tasks = try #require(Int(text.split(separator: "\n").first ?? ""))
        #expect(tasks > made.changes.count)
    }

    /// Each check that led to it must hold afterwards, of the same subject, and the doctor is asked as for the plan.
    @Test("asks the doctor once more", arguments: Scenario.all)
    func recheck(_ scenario: Scenario) throws {
        let made = try plan(scenario)
        let doctor = ExportedDoctor(options: ["--profile", "it's mine"])
        let served = made.causes.map { "'\($0.check) network lxcbr1'" }.joined(separator: " \\\n        ")
        let asked = "fix recheck --profile 'it'\\''s mine' --before \"$report\" >/dev/null \\\n        \(served)\n"
        #expect(shellScript(made, doctor: doctor).contains(asked), "\(asked) \(shellScript(made, doctor: doctor))")
        #expect(shellScript(made, doctor: doctor).hasSuffix("\nrecheck\n"))
        #expect(ansiblePlaybook(made).contains("'\(made.causes[0].check) network lxcbr1'"))
        var nothing = made
        nothing.changes = []
        #expect(!shellScript(nothing).contains("recheck") && !ansiblePlaybook(nothing).contains("recheck"))
    }

    @Test("keeps what comes from a host as data")
    func quoting() throws {
        let made = hostile
        let script = shellScript(made)
        // Every line outside the quotes is ours: a shell that runs nothing sees no foreign command.
        let (status, text) = try run("/bin/sh", ["-n"], input: script)
        #expect(status == 0, "\(text)")
        #expect(!script.contains("\nrm -rf") && !script.contains("\nreboot") && !script.contains("\n$(reboot)"))
        // What printf makes of it is the content, byte for byte.
        let line = try #require(script.components(separatedBy: "&& printf ").dropFirst().first)
        let literal = try #require(line.components(separatedBy: " | cmp").first)
        let (_, bytes) = try run("/bin/sh", ["-c", "printf \(literal) | od -An -tx1 | tr -d ' \\n'"], input: "")
        let contents = [made.changes[0].change, made.changes[0].change.inverse].compactMap { change in
            if case .file(_, let content?, _) = change {
                content.bytes.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            } else {
                nil
            }
        }
        #expect(contents.contains(bytes), "\(bytes)")
        let playbook = ansiblePlaybook(made)
        let reader = """
            import sys, yaml
            yaml.SafeLoader.add_constructor('!unsafe', lambda loader, node: loader.construct_scalar(node))
            play = yaml.safe_load(sys.stdin)[0]
            print(sorted(play), [t['name'] for t in play['tasks']])
            """
        let (yaml, answer) = try run("/usr/bin/python3", ["-c", reader], input: playbook)
        #expect(yaml == 0, "\(answer)")
        #expect(answer.contains("['become', 'gather_facts', 'hosts', 'name', 'tasks']"))
    }
}
