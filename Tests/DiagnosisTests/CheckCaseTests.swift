import BuiltInCatalog
import CheckCatalog
import HostModel
import Testing

@testable import Diagnosis

/// Every built-in check against its case file.
@Suite struct CheckCaseTests {
    static let cases: [CheckCase] = {
        do { return try CaseFiles.load() } catch {
            Issue.record(error)
            return []
        }
    }()

    @Test func caseFilesCanBeRead() throws {
        #expect(try !CaseFiles.load().isEmpty)
    }

    @Test(arguments: cases) func judgesAsTheCaseSays(_ one: CheckCase) throws {
        let finding = try Self.finding(of: one)
        #expect(finding.verdict == one.verdict, "\(finding)")
        #expect(finding.causes == one.causes, "\(finding)")
        if let severity = one.severity { #expect(finding.severity == severity) }
        if finding.verdict != .pass, finding.verdict != .fail { #expect(finding.reason?.isEmpty == false) }
        if finding.verdict == .fail {
            #expect(finding.expected?.isEmpty == false)
            #expect(finding.observed?.isEmpty == false)
        }
    }

    @Test(arguments: cases) func factsAreOfTheProbe(_ one: CheckCase) throws {
        guard case .success(let observation) = one.outcome else { return }
        let check = try #require(BuiltIn.checks().first { $0.id == one.check })
        let probe = try #require(Vocabulary.probes.first { $0.name == check.probe })
        for (name, value) in observation.facts {
            let type: FactType =
                switch value {
                case .string: .string
                case .integer: .integer
                case .boolean: .boolean
                case .strings: .strings
                }
            #expect(probe.facts[name] == type, "\(one): \(name)")
        }
    }

    @Test(arguments: BuiltIn.checks().map(\.id)) func hasPassFailAndUnknownCases(_ id: String) {
        let verdicts = Set(Self.cases.filter { $0.check == id }.map(\.verdict))
        #expect(verdicts.isSuperset(of: [.pass, .fail, .unknown]), "\(id) has cases of \(verdicts)")
    }

    @Test func noCaseIsOfAnUnknownCheck() {
        let ids = Set(BuiltIn.checks().map(\.id))
        for one in Self.cases where !ids.contains(one.check) { Issue.record("\(one)") }
    }

    @Test(arguments: cases.filter { $0.verdict == .fail }) func aFailNamesItsCause(_ one: CheckCase) {
        let causes = Set(BuiltIn.causes().map(\.id))
        #expect(!one.causes.isEmpty)
        for cause in one.causes { #expect(causes.contains(cause), "\(one): \(cause)") }
    }

    @Test(arguments: BuiltIn.checks().map(\.id)) func everyCauseHasACase(_ id: String) throws {
        let check = try #require(BuiltIn.checks().first { $0.id == id })
        let seen = Set(Self.cases.filter { $0.check == check.id }.flatMap(\.causes))
        for rule in check.causes { #expect(seen.contains(rule.id), "\(check.id): no case for \(rule.id)") }
    }

    static func finding(of one: CheckCase) throws -> Finding {
        var check = try #require(BuiltIn.checks().first { $0.id == one.check })
        check.needs = []
        let profile = Fixtures.makina
        var variables = Variables(profile, hostname: "host")
        if check.subject == .network { variables = variables.adding(profile.profile.networks[0]) }
        if check.subject == .container { variables = variables.adding(container: "web") }
        variables.values.merge(one.with) { _, new in new }
        var judged = JudgedFinding(
            finding: Finding(
                check: check.id, subject: Subject(kind: .network, name: "lxcbr1"), title: check.title,
                area: check.area, severity: check.severity, verdict: .unknown), check: check, variables: variables)
        let entries = Dictionary(uniqueKeysWithValues: BuiltIn.causes().map { ($0.id, $0) })
        judged.judge([], entries) { ProbeOutcome(request: $0, result: one.outcome) }
        return judged.finding
    }
}
