import Foundation
import HostAccess
import HostModel
import Testing

@testable import Remedies

/// The committed examples of this room's documents are what it writes. `RECORD_EXAMPLES=1` writes them anew, and then
/// fails. That they keep their schemas is judged with all other examples.
@Suite("The examples of repairs' documents")
struct DocumentExampleTests {
    private static let examples = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("reports/examples")

    private func compare(_ value: some Encodable, with name: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try compare(String(decoding: try encoder.encode(value), as: UTF8.self) + "\n", with: name)
    }

    private func compare(_ text: String, with name: String) throws {
        let file = Self.examples.appendingPathComponent(name)
        if ProcessInfo.processInfo.environment["RECORD_EXAMPLES"] == "1" {
            try Data(text.utf8).write(to: file)
            Issue.record("recorded \(name): look at the difference, then run again without RECORD_EXAMPLES")
            return
        }
        #expect(try String(contentsOf: file, encoding: .utf8) == text)
    }

    private func scenario(_ remedy: String) throws -> Scenario {
        try #require(Scenario.all.first { $0.remedy == remedy })
    }

    @Test("A plan, in every format")
    func plan() throws {
        let scenario = try scenario("bridge-create")
        let host = scenario.host
        host.state.paths["/etc/sysctl.conf"] = Fixture.file("# top\nnet/ipv4/ip_forward = 0\n")
        let causes =
            scenario.causes + [
                Fixture.cause("ip-forward-reset", remedy: "forwarding-persistent"),
                Fixture.cause("masq-shadowed", remedy: "none"),
            ]
        var made = Remedies.plan(for: causes, profile: Fixture.chosen, facts: try Fixture.facts(host))
        made.hostname = "vm7"
        try compare(made, with: "plan.full.json")
        try compare(shellScript(made), with: "plan.sh")
        try compare(ansiblePlaybook(made), with: "plan.ansible.yaml")
    }

    @Test("A journal, the history and an undo that is refused")
    func past() throws {
        let run = Repair(try scenario("forwarding-persistent"), try scenario("forwarding-persistent").host)
        _ = run.apply(try run.plan())
        let text = String(decoding: try run.store.load(Fixture.identity.run), as: UTF8.self) + "\n"
        try compare(text, with: "journal.json")
        try compare(try History.read(from: run.store), with: "history.json")
        var content = try #require(run.host.state.file("/etc/sysctl.conf"))
        content.bytes = ByteString(content.bytes.text + "\n# added later\n")
        run.host.state.paths["/etc/sysctl.conf"] = .file(content)
        try compare(run.applier.undo(nil), with: "undo.json")
    }
}
