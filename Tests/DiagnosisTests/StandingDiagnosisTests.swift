import CheckCatalog
import HostAccess
import HostModel
import Probes
import Testing

@testable import Diagnosis

/// A diagnosis that stays judges what was touched, and says the same as one that begins anew.
@Suite struct StandingDiagnosisTests {
    /// Reads one file, and says what is in it.
    private struct FileProbe: Probe {
        let specification: ProbeSpecification
        let path: String

        init(_ name: String, _ path: String) {
            specification = ProbeSpecification(name: name, summary: "", parameters: [:], facts: ["text": .string])
            self.path = path
        }

        func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
            do {
                guard let recording = host as? RecordingHost else { throw ObservationFailure.unknown("not recorded") }
                // Worked out once and shared, as a decoded dump is.
                let text = try recording.derived("text of \(path)") { () throws(HostError) in try host.readText(path) }
                return Observation(facts: ["text": .string(text)])
            } catch let failure as ObservationFailure {
                throw failure
            } catch {
                throw .unknown("\(error)")
            }
        }
    }

    private func check(_ id: String, _ probe: String, needs: String = "[]") throws -> Check {
        let text = """
            id: \(id)
            title: \(id) is good
            severity: critical
            tags: [t]
            needs: \(needs)
            rationale: a test
            observe: { \(probe): {} }
            expect: { text: { equals: good } }
            references: [test]
            """
        return try Check.read(Array(text.utf8), file: "\(id).yaml")
    }

    private func input() throws -> DiagnosisInput {
        DiagnosisInput(
            checks: [
                try check("host.a", "a"), try check("host.b", "b"), try check("host.c", "c", needs: "[host.a]"),
                try check("host.also-a", "also-a"),
            ], causes: [],
            registry: [FileProbe("a", "/a"), FileProbe("b", "/b"), FileProbe("c", "/c"), FileProbe("also-a", "/a")],
            profile: Fixtures.makina, hostname: "host", nanoseconds: { 0 })
    }

    private func touching(_ path: String) -> (HostRequest) -> Bool {
        { if case .read(let read, _, _) = $0 { read == path } else { false } }
    }

    private func verdicts(_ result: DiagnosisResult) -> [String: Verdict] {
        Dictionary(uniqueKeysWithValues: result.findings.map { ($0.check, $0.verdict) })
    }

    @Test func onlyWhatIsTouchedIsJudgedAnew() throws {
        let fake = FakeHost()
        for name in ["/a", "/b", "/c"] { fake.add(name, "good") }
        let host = RecordingHost(fake)
        var standing = StandingDiagnosis()
        let input = try input()
        #expect(verdicts(standing.judge(input, on: host)).values.allSatisfy { $0 == .pass })
        #expect(standing.judgedAnew == 4)
        _ = standing.judge(input, on: host)
        #expect(standing.judgedAnew == 0)

        fake.add("/b", "bad")
        // Nobody was told: what is known stays.
        #expect(verdicts(standing.judge(input, on: host))["host.b"] == .pass)
        host.forget(where: touching("/b"))
        let touched = standing.forget(where: touching("/b"))
        #expect(touched)
        #expect(verdicts(standing.judge(input, on: host))["host.b"] == .fail)
        #expect(standing.judgedAnew == 1)
    }

    /// A long ruleset is not decoded anew for every neighbour that comes and goes.
    @Test func whatIsMadeOfOtherAnswersIsKept() throws {
        let fake = FakeHost()
        for name in ["/a", "/b"] { fake.add(name, "good") }
        let host = RecordingHost(fake)
        var made: [String] = []
        func value(_ path: String) throws -> String {
            try host.derived(path) {
                made.append(path)
                return try host.readText(path)
            }
        }
        func both() throws -> String {
            // Made of another one.
            try host.derived("both") { try value("/a") + value("/b") }
        }
        #expect(try both() == "goodgood")
        fake.add("/b", "bad")
        host.forget(where: touching("/b"))
        #expect(try both() == "goodbad")
        #expect(made == ["/a", "/b", "/b"])
    }

    @Test func whatWasSharedTouchesEverybodyWhoUsedIt() throws {
        let fake = FakeHost()
        for name in ["/a", "/b", "/c"] { fake.add(name, "good") }
        let host = RecordingHost(fake)
        var standing = StandingDiagnosis()
        let input = try input()
        _ = standing.judge(input, on: host)
        fake.add("/a", "bad")
        host.forget(where: touching("/a"))
        let touched = standing.forget(where: touching("/a"))
        #expect(touched)
        // Both probes of /a, the one that read it and the one that was given what the first had worked out; and what
        // needs one of them.
        #expect(
            verdicts(standing.judge(input, on: host))
                == ["host.a": .fail, "host.also-a": .fail, "host.c": .blocked, "host.b": .pass])
        #expect(standing.judgedAnew == 3)
        fake.add("/a", "good")
        host.forget(where: touching("/a"))
        _ = standing.forget(where: touching("/a"))
        #expect(verdicts(standing.judge(input, on: host)).values.allSatisfy { $0 == .pass })
    }

    @Test func whatNothingStandsOnTouchesNothing() throws {
        let fake = FakeHost()
        for name in ["/a", "/b", "/c"] { fake.add(name, "good") }
        let host = RecordingHost(fake)
        var standing = StandingDiagnosis()
        _ = standing.judge(try input(), on: host)
        let touched = standing.forget(where: touching("/elsewhere"))
        #expect(!touched)
        #expect(standing.requests.count == 3)
    }

    /// What could not be read is looked at again when it can.
    @Test func aFailureHasAFootprintToo() throws {
        let fake = FakeHost()
        for name in ["/a", "/c"] { fake.add(name, "good") }
        let host = RecordingHost(fake)
        var standing = StandingDiagnosis()
        let input = try input()
        #expect(verdicts(standing.judge(input, on: host))["host.b"] == .unknown)
        fake.add("/b", "good")
        host.forget(where: touching("/b"))
        let touched = standing.forget(where: touching("/b"))
        #expect(touched)
        #expect(verdicts(standing.judge(input, on: host))["host.b"] == .pass)
    }

    /// The whole catalog, on a scene: kept or begun anew, the same findings and causes.
    @Test func saysWhatOneFromTheBeginningSays() {
        let input = Scene.healthy.input(registry: Scene.healthy.registry)
        var standing = StandingDiagnosis()
        let host = RecordingHost(FakeHost())
        let first = standing.judge(input, on: host)
        let again = standing.judge(input, on: host)
        let fresh = diagnose(input, on: RecordingHost(FakeHost()))
        func plain(_ findings: [Finding]) -> [Finding] {
            findings.map { finding in
                var finding = finding
                finding.durationMilliseconds = 0
                return finding
            }
        }
        #expect(plain(first.findings) == plain(fresh.findings) && first.causes == fresh.causes)
        #expect(plain(again.findings) == plain(fresh.findings) && again.causes == fresh.causes)
    }
}
