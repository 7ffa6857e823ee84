import Foundation
import TestSupport
import Testing

/// Every bad input ends in one clear line on standard error and the exit code of the design's table.
@Suite struct BadInputTests {
    private func expect(
        _ ended: Program.Ended, status: Int32, says words: String..., location: SourceLocation = #_sourceLocation
    ) {
        #expect(ended.status == status, "\(ended.messages)", sourceLocation: location)
        #expect(ended.output.isEmpty, sourceLocation: location)
        let lines = ended.messages.split(separator: "\n")
        #expect(lines.count == 1, "not one line: \(ended.messages)", sourceLocation: location)
        for word in words {
            #expect(ended.messages.contains(word), "\(word) is not in: \(ended.messages)", sourceLocation: location)
        }
    }

    @Test(arguments: [
        (["--no-such-flag"], "no-such-flag"), (["--profile", "makena"], "did you mean \"makina\""),
        (["--only", "nat.masqerade"], "did you mean \"nat.masquerade\""), (["--skip", "nosuchtag"], "nosuchtag"),
        (["--format", "xml"], "there are: terminal, json"), (["--format", "json="], "names no file"),
        (["--proof", "maybe"], "maybe"), (["--yes"], "--auto-remediate"), (["nosuchcommand"], "nosuchcommand"),
        (["explain", "masq-mising"], "did you mean \"masq-missing\""),
        (["list", "nothing"], "one of the following: checks, causes, remedies,"),
        (["--only", "bridge.address", "--skip", "bridge.address", "--proof", "off"], "leave no check"),
        (["--redact", "--record", "/tmp/x"], "--record and --evidence"),
        (["prove", "--redact", "--evidence", "/tmp/x"], "--record and --evidence"),
        (["--format", "json", "--format", "terminal"], "standard output"),
        (["--record", "/tmp/x", "--replay", "/tmp/y"], "exclude each other"), (["lab", "run"], "needs a command"),
        (["lab", "run", "--backend", "pf", "--", "true"], "pf"), (["prove", "--proof", "off"], "prove nothing"),
        (["fix", "recheck", "--before", "/x", "nat.masquerade"], "is not a check and its subject"),
    ])
    func usageIs64(arguments: [String], words: String) throws {
        expect(try Program.run(arguments), status: 64, says: words)
    }

    /// Writes a file only for this test and hands its path on.
    private func withFile(
        _ text: String, mode: Int = 0o600, named name: String = "profile.yaml", _ body: (String) throws -> Void
    ) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("bad-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer {
            do { try FileManager.default.removeItem(at: folder) } catch { Issue.record(error) }
        }
        let file = folder.appendingPathComponent(name)
        try Data(text.utf8).write(to: file)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file.path)
        try body(file.path)
    }

    static let network = "networks:\n  - bridge: lxcbr1\n    address: 10.5.0.1/16\n"

    @Test(arguments: [
        ("name: mine\nnetwork:\n  - bridge: lxcbr1\n", ":2:1:", "did you mean \"networks\""),
        ("name: mine\nnetworks:\n  - bridge: lxcbr1\n    address: 10.5.0.1/64\n", ":4:14:", "10.5.0.1/64"),
        ("name: mine\nnetworks:\n  - bridge: lxcbr1\n   address: 10.5.0.1/16\n", ":4:4:", "did not find"),
        ("name: mine\n\(network)    nat: masqerade\n", ":5:10:", "masquerade"),
        ("name: [mine]\n\(network)", ":1:7:", "name"),
        ("name: mine\nname: yours\n\(network)", ":2:1:", "name"),
        ("name: &a mine\n\(network)", ":1:7:", "anchors"),
        ("name: mine\n\(network)image: { name: base, source: /srv/base.tar }\n", ":5:30:", "sha256"),
        ("", ":1:1:", "empty"),
    ])
    func aBadProfileFileIs65(text: String, place: String, words: String) throws {
        try withFile(text) { path in
            expect(try Program.run(["--profile", path]), status: 65, says: path + place, words)
        }
    }

    @Test(arguments: [0o620, 0o602])
    func aProfileFileThatOthersMayWriteIs65(mode: Int) throws {
        try withFile("name: mine\n\(Self.network)", mode: mode) { path in
            expect(try Program.run(["--profile", path]), status: 65, says: path, "others may write to it")
        }
    }

    @Test func aMissingProfileFileIs65() throws {
        expect(
            try Program.run(["--profile", "/nonexistent/profile.yaml"]), status: 65, says: "/nonexistent/profile.yaml")
    }

    @Test(arguments: [
        ("{\"schema\": \"lxc-doctor/recording/1\", \"tool\": {", "truncated"), ("", "JSON"), ("[]", "recording"),
        ("{\"schema\": \"lxc-doctor/report/1\"}", "lxc-doctor/report/1"),
        ("{\"schema\": \"lxc-doctor/recording/1\"}", "lacks"),
    ])
    func aBadRecordingIs65(text: String, words: String) throws {
        try withFile(text, named: "recording.json") { path in
            expect(try Program.run(["--replay", path]), status: 65, says: path, words)
        }
    }

    @Test func aMissingRecordingIs65() throws {
        expect(try Program.run(["--replay", "/nonexistent"]), status: 65, says: "/nonexistent")
    }

    @Test func aRecordingCannotBeRepaired() throws {
        expect(
            try Program.run(["--replay", "/nonexistent", "--auto-remediate", "--yes"]), status: 64, says: "recording")
    }
}
