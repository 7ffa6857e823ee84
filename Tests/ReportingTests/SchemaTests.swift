import Foundation
import HostAccess
import HostModel
import Testing

@testable import Reporting

/// An independent validator judges what we write by `reports/schema/`. Where the validator is missing, these fail.
struct SchemaTests {
    @Test func everyExampleIsValid() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Workplace.examples.path)
            .filter { $0.hasSuffix(".json") || $0.hasSuffix(".ndjson") }
        var bySchema: [String: [URL]] = [:]
        for name in files {
            let file = Workplace.examples.appendingPathComponent(name)
            let first = String(name.prefix { $0 != "." })
            let own = Workplace.otherSchemas.contains(first) ? first : "report"
            let schema = name.hasSuffix(".ndjson") ? "ndjson" : own
            bySchema[schema, default: []].append(file)
        }
        #expect(bySchema.count == Workplace.otherSchemas.count + 2)
        for (schema, files) in bySchema {
            for closed in [false, true] {
                let judgement = try Workplace.validate(files, schema: schema, closed: closed)
                #expect(judgement.invalid == [:], "\(schema), closed: \(closed)")
            }
        }
    }

    /// The fields that the contract lists (design, report version 1), by the path of an object in `masq-missing`,
    /// `repaired` or `forward-drop`. Written down here again, so that schema and code cannot drift together.
    static let required: [(path: String, fields: String)] = [
        (
            "",
            """
            schema verdict exitCode startedAt durationMilliseconds tool host profile summary causes findings
            """
        ),
        ("tool", "name version"),
        ("host", "hostname kernel os privileges"),
        ("profile", "name chosenBecause networks otherBridges"),
        ("profile/networks/0", "name bridge address nat snat dhcp dhcpRange dns exempt target"),
        ("summary", "pass fail unknown blocked notApplicable waived"),
        ("causes/0", "id area subject severity title explanation check evidence consequences"),
        ("causes/0/remedy", "id automatic commands"),
        ("causes/0/subject", "kind name"),
        ("causes/0/evidence/0", "source command value"),
        (
            "findings/0",
            "check subject title area severity verdict evidence blockedBy causes durationMilliseconds"
        ),
        ("proof", "mode verdict probes"),
        ("proof/probes/0", "network protocol from to verdict path"),
        ("proof/probes/0/path/0", "hook reached"),
        ("proof/probes/0/killer", "hook text"),
        ("fixes", "outcome steps"),
        ("fixes/steps/0", "id remedy subject target before after reversal risk command state"),
    ]

    static let optional: [(path: String, fields: String)] = [
        ("", "proof fixes"), ("causes/0", "remedy"), ("findings/4", "expected observed"),
        ("proof/probes/0", "killer"), ("proof/probes/0/killer", "family table chain rule"),
        ("proof/probes/0/path/1", "link"), ("fixes", "journal"),
    ]

    /// One report that has every object of the contract.
    static let full: Report = {
        var report = Report.masqueradeMissing
        report.proof = ProofReport(mode: .fence, probes: [.dropped(.udp)])
        report.fixes = Report.repaired.fixes
        return report
    }()

    @Test func aMissingFieldIsRefused() throws {
        let document = try Document(JSONText.encode(Self.full))
        var mutants: [String: Data] = [:]
        for (path, fields) in Self.required {
            for field in fields.split(whereSeparator: \.isWhitespace).map(String.init) {
                mutants[name("drop", path, field)] = try document.removing(field, at: path)
            }
        }
        #expect(mutants.count > 80)
        let judgement = try Workplace.withFiles(mutants) { try Workplace.validate($0, schema: "report") }
        #expect(judgement.valid == [])
    }

    @Test func aMissingOptionalFieldIsNot() throws {
        let document = try Document(JSONText.encode(Self.full))
        var mutants: [String: Data] = [:]
        for (path, fields) in Self.optional {
            for field in fields.split(separator: " ").map(String.init) {
                mutants[name("drop", path, field)] = try document.removing(field, at: path)
            }
        }
        let judgement = try Workplace.withFiles(mutants) { try Workplace.validate($0, schema: "report") }
        #expect(judgement.invalid == [:])
    }

    @Test func aWrongValueIsRefused() throws {
        let document = try Document(JSONText.encode(Self.full))
        let wrong: [(String, String, any Sendable)] = [
            ("", "schema", "lxc-doctor/report/2"), ("", "verdict", "fine"), ("", "exitCode", 4),
            ("", "startedAt", "yesterday"), ("", "durationMilliseconds", "1"), ("", "durationMilliseconds", -1),
            ("", "causes", "none"), ("summary", "pass", -1), ("summary", "pass", 1.5),
            ("causes/0", "severity", "fatal"), ("causes/0", "area", "dns"), ("causes/0/subject", "kind", "file"),
            ("causes/0/remedy", "automatic", "yes"), ("causes/0/evidence/0", "value", 1),
            ("findings/0", "verdict", "ok"), ("findings/0", "severity", "CRITICAL"), ("findings/0", "causes", [1]),
            ("proof", "mode", "loud"), ("proof/probes/0", "verdict", "delivered"),
            ("proof/probes/0", "protocol", "sctp"), ("proof/probes/0/path/0", "reached", 1),
            ("fixes", "outcome", "half"), ("fixes/steps/0", "state", "done"),
            ("profile/networks/0", "nat", "magic"), ("profile/networks/0", "address", "10.5.0.1"),
        ]
        var mutants: [String: Data] = [:]
        for (index, (path, field, value)) in wrong.enumerated() {
            mutants[name("set\(index)", path, field)] = try document.setting(field, to: value, at: path)
        }
        let judgement = try Workplace.withFiles(mutants) { try Workplace.validate($0, schema: "report") }
        #expect(judgement.valid == [])
    }

    /// Every case of our enums is a word of the contract.
    @Test func everyEnumCaseIsValid() throws {
        let document = try Document(JSONText.encode(Self.full))
        var variants: [String: Data] = [:]
        func add(_ path: String, _ field: String, _ words: [String]) throws {
            for word in words { variants[name(word, path, field)] = try document.setting(field, to: word, at: path) }
        }
        try add("causes/0", "area", Area.allCases.map(\.rawValue))
        try add("causes/0", "severity", Severity.allCases.map(\.rawValue))
        try add("causes/0/subject", "kind", Subject.Kind.allCases.map(\.rawValue))
        try add("proof", "verdict", ProofVerdict.allCases.map(\.rawValue))
        try add("proof", "mode", ProofMode.allCases.map(\.rawValue))
        try add("proof/probes/0", "protocol", ProofProtocol.allCases.map(\.rawValue))
        try add("profile/networks/0", "nat", TranslationMode.allCases.map(\.rawValue))
        try add("profile/networks/0", "dhcp", Wanted.allCases.map(\.rawValue))
        for verdict in Verdict.allCases {
            var report = Self.full
            report.findings[0].verdict = verdict
            report.findings[0].reason = "because"
            variants["verdict-\(verdict)"] = Data(JSONText.encode(report).utf8)
        }
        let judgement = try Workplace.withFiles(variants) { try Workplace.validate($0, schema: "report") }
        #expect(judgement.invalid == [:])
    }

    @Test func anUnknownWithoutReasonIsRefusedAndANewFieldIsNot() throws {
        var silent = Report.unprivileged
        for index in silent.findings.indices { silent.findings[index].reason = nil }
        let newer = try Document(JSONText.encode(Self.full)).setting("weather", to: "fair", at: "causes/0")
        let files = ["silent": Data(JSONText.encode(silent).utf8), "newer": newer]
        let judgement = try Workplace.withFiles(files) { try Workplace.validate($0, schema: "report") }
        #expect(judgement.valid == ["newer"])
        let strict = try Workplace.withFiles(files) { try Workplace.validate($0, schema: "report", closed: true) }
        #expect(strict.valid == [])
    }

    /// A judgement that was not made is a failure of the test, never a pass and never a skip.
    @Test func noJudgementIsAFailure() {
        let example = Workplace.examples.appendingPathComponent("healthy.0.json")
        #expect(throws: Workplace.ValidatorFailed.self) { try Workplace.validate([example], schema: "no-such") }
        #expect(throws: Workplace.ValidatorFailed.self) {
            try Workplace.validate([example.appendingPathComponent("gone")], schema: "report")
        }
    }

    private func name(_ kind: String, _ path: String, _ field: String) -> String {
        "\(kind)-\(path.replacing("/", with: "."))-\(field)"
    }
}
