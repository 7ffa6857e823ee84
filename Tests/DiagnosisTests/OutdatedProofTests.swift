import BuiltInCatalog
import CheckCatalog
import HostAccess
import HostModel
import Probes
import Testing

@testable import Diagnosis

/// A proof from before a change of the host neither accuses nor acquits.
@Suite struct OutdatedProofTests {
    /// Says what is in one file.
    private struct FileProbe: Probe {
        let specification: ProbeSpecification
        let path: String

        init(_ name: String, _ path: String) {
            specification = ProbeSpecification(name: name, summary: "", parameters: [:], facts: ["text": .string])
            self.path = path
        }

        func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
            do {
                return Observation(facts: ["text": .string(try host.readText(path))])
            } catch {
                throw .unknown(error.description)
            }
        }
    }

    private static func check(_ id: String, _ probe: String, cause: String) throws -> Check {
        let text = """
            id: \(id)
            title: \(id) is good
            severity: critical
            tags: [t]
            needs: []
            subject: network
            rationale: a test
            observe: { \(probe): {} }
            expect: { text: { equals: good } }
            causes: [{ id: \(cause) }]
            references: [test]
            """
        return try Check.read(Array(text.utf8), file: "\(id).yaml")
    }

    private static let probes: Set<String> = ["proof"]

    private func result(proof: String, rule: String, outdated: Bool) throws -> DiagnosisResult {
        let host = FakeHost()
        host.add("/proof", proof)
        host.add("/rule", rule)
        var input = DiagnosisInput(
            checks: [
                try Self.check("nat.proof", "proof", cause: "drop-unexplained"),
                try Self.check("nat.rule", "rule", cause: "masq-missing"),
            ], causes: BuiltIn.causes(), registry: [FileProbe("proof", "/proof"), FileProbe("rule", "/rule")],
            profile: Fixtures.makina, hostname: "host", nanoseconds: { 0 })
        var standing = StandingDiagnosis()
        let recording = RecordingHost(host)
        let now = standing.judge(input, on: recording)
        guard outdated else { return now }
        input.outdatedProof = OutdatedProof(probes: Self.probes, reason: "from before")
        let old = standing.judge(input, on: recording)
        // What was judged is kept, and stands again as soon as the proof does.
        input.outdatedProof = nil
        #expect(standing.judge(input, on: recording).findings == now.findings)
        #expect(standing.judgedAnew == 0)
        return old
    }

    private func proof(_ result: DiagnosisResult) -> Finding? { result.findings.first { $0.check == "nat.proof" } }

    /// What it saw die may get through by now.
    @Test func itNamesNoCause() throws {
        let before = try result(proof: "bad", rule: "good", outdated: false)
        #expect(before.causes.map(\.id) == ["drop-unexplained"])
        let after = try result(proof: "bad", rule: "good", outdated: true)
        #expect(after.causes.isEmpty)
        #expect(proof(after)?.verdict == .unknown && proof(after)?.reason == "from before")
        #expect(Health(of: after.findings) == .unknown)
    }

    /// What it saw get through is not called good beside a rule that is gone.
    @Test func itHoldsNothingAgainstWhatIsSeenNow() throws {
        let after = try result(proof: "good", rule: "bad", outdated: true)
        #expect(proof(after)?.verdict == .unknown)
        #expect(after.causes.map(\.id) == ["masq-missing"])
    }

    /// A container that starts does not blind a host on which everything else holds; but the finding says its age.
    @Test func itIsBelievedWhereNothingContradicts() throws {
        let after = try result(proof: "good", rule: "good", outdated: true)
        #expect(proof(after)?.verdict == .pass && proof(after)?.reason == "from before")
        #expect(Health(of: after.findings) == .healthy)
    }
}
