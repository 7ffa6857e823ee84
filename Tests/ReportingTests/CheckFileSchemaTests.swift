import Foundation
import Testing

/// What editors hold against the YAML of checks and waivers: it must say what the reader says.
struct CheckFileSchemaTests {
    @Test func everyCheckFileIsValid() throws {
        let folder = Workplace.root.appendingPathComponent("checks")
        let files = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".yaml") && !$0.hasPrefix("causes/") && !$0.hasPrefix("profiles/") }
        #expect(files.count > 30)
        let contents = try files.reduce(into: [String: Data]()) { contents, name in
            contents[name.replacing("/", with: ".")] = try Data(contentsOf: folder.appendingPathComponent(name))
        }
        let judgement = try Workplace.withFiles(contents) { try Workplace.validate($0, schema: "check") }
        #expect(judgement.invalid == [:])
    }

    private static let good = """
        id: nat.mine
        title: Something holds
        severity: warning
        rationale: It matters.
        observe: { sysctl: { key: net.ipv4.ip_forward } }
        expect: { value: { equals: "1" } }

        """

    @Test(arguments: [
        ("severity: warning", "severity: fatal"), ("id: nat.mine", "id: dns.mine"), ("rationale: It matters.\n", ""),
        ("equals: \"1\"", "is: 1"), ("observe: { sysctl: ", "observe: { link: {}, sysctl: "), ("title:", "titel:"),
        ("{ key: net.ipv4.ip_forward }", "net.ipv4.ip_forward"),
    ])
    func aWrongCheckFileIsNot(part: String, other: String) throws {
        #expect(Self.good.contains(part))
        let files = [
            "good.yaml": Data(Self.good.utf8), "bad.yaml": Data(Self.good.replacing(part, with: other).utf8),
        ]
        let judgement = try Workplace.withFiles(files) { try Workplace.validate($0, schema: "check") }
        #expect(judgement.valid == ["good.yaml"])
    }

    @Test func waivers() throws {
        func file(_ entry: String) -> Data { Data("waivers:\n  - { \(entry) }\n".utf8) }
        let files = [
            "good.yaml": file("id: masq-missing, reason: a test host, expires: 2030-01-31"),
            "subject.yaml": file("id: nat.proof, subject: lxcbr1, reason: a test host, expires: 2030-01-31"),
            "no-reason.yaml": file("id: masq-missing, expires: 2030-01-31"),
            "blank-reason.yaml": file("id: masq-missing, reason: ' ', expires: 2030-01-31"),
            "no-expiry.yaml": file("id: masq-missing, reason: a test host"),
            "never.yaml": file("id: masq-missing, reason: a test host, expires: never"),
            "more.yaml": file("id: masq-missing, reason: a test host, expires: 2030-01-31, by: me"),
        ]
        let judgement = try Workplace.withFiles(files) { try Workplace.validate($0, schema: "waivers") }
        #expect(judgement.valid == ["good.yaml", "subject.yaml"])
    }
}
