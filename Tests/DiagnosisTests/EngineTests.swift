import BuiltInCatalog
import CheckCatalog
import HostModel
import Probes
import Testing

@testable import Diagnosis

/// The engine itself: requests, order, needs, selection.
@Suite struct EngineTests {
    @Test func asksEachQuestionOnce() {
        let registry = Scene.healthy.registry
        let result = diagnose(Scene.healthy.input(registry: registry), on: FakeHost())
        for probe in registry {
            // A probe may be asked several questions, each of them once.
            let name = probe.specification.name
            let questions = Set(result.observations.map(\.request).filter { $0.probe == name }).count
            #expect(probe.requests <= questions, "\(name)")
        }
        #expect(Set(result.observations.map(\.request)).count == result.observations.count)
        #expect(result.observations.allSatisfy { $0.durationMilliseconds == 1 })
        // The one that asked pays for it; the others share the answer.
        let links = result.findings.filter { ["bridge.exists", "bridge.is-bridge", "bridge.up"].contains($0.check) }
        #expect(links.map(\.durationMilliseconds).sorted() == [0, 0, 1])
    }

    @Test func everyFindingIsUnique() {
        let scene = Scene.healthy.with(container: "a", [:]).with(container: "b", [:])
        let findings = scene.diagnosed().findings
        #expect(Set(findings.map { "\($0.check) \($0.subject)" }).count == findings.count)
    }

    @Test func aCheckComesAfterItsNeeds() {
        let order = Scene.healthy.diagnosed().findings.map(\.check)
        for check in BuiltIn.checks() {
            for need in check.needs {
                let places = (order.firstIndex(of: need), order.firstIndex(of: check.id))
                if let first = places.0, let second = places.1 { #expect(first < second, "\(check.id)") }
            }
        }
    }

    @Test func whereNothingCanBeSeenNothingIsPassAndNothingFails() {
        var scene = Scene.healthy
        for probe in Vocabulary.probes { scene = scene.failing(probe.name, .unknown("not permitted")) }
        let result = scene.diagnosed()
        for finding in result.findings {
            #expect([.unknown, .blocked, .notApplicable].contains(finding.verdict), "\(finding)")
            #expect(finding.reason?.isEmpty == false)
        }
        #expect(result.causes.isEmpty)
        #expect(Health(of: result.findings) == .unknown)
        let containers = result.findings.filter { $0.subject.kind == .container }
        #expect(containers.allSatisfy { $0.verdict == .unknown && $0.reason == "not permitted" })
        #expect(!containers.isEmpty)
    }

    @Test func aMissingProbeIsUnknown() {
        let result = diagnose(Scene.healthy.input(registry: []), on: FakeHost())
        #expect(result.findings.first { $0.check == "bridge.exists" }?.reason == "there is no probe link")
    }

    @Test func whatIsBlockedIsNotLookedAt() {
        let registry = RootCauseTests.noBridge.registry
        _ = diagnose(RootCauseTests.noBridge.input(registry: registry), on: FakeHost())
        #expect(registry.first { $0.specification.name == "packet-proof" }?.requests == 0)
    }

    @Test func blockedNamesWhatBlocks() throws {
        let result = RootCauseTests.noBridge.diagnosed()
        let proof = try #require(result.findings.first { $0.check == "nat.proof" })
        #expect(proof.verdict == .blocked)
        #expect(proof.blockedBy == ["bridge.up", "bridge.address"])
    }

    @Test func onlyTakesWhatIsNeededAlong() {
        let result = diagnose(Scene.healthy.input(only: ["bridge.address"]), on: FakeHost())
        #expect(Set(result.findings.map(\.check)) == ["bridge.exists", "bridge.is-bridge", "bridge.address"])
    }

    @Test func withoutWhatWasSkippedAFindingIsJudgedAlone() {
        let input = RootCauseTests.noBridge.input(skip: ["bridge.exists", "bridge.is-bridge"])
        let finding = diagnose(input, on: FakeHost()).findings.first { $0.check == "bridge.address" }
        #expect(finding?.verdict == .fail)
    }

    @Test func findingsDependOnTheObservationsAlone() {
        let scene = Scene.healthy.with("sysctl", ["value": .string("0")]).with(container: "a", ["links": .strings([])])
        let first = scene.diagnosed()
        let known = Dictionary(uniqueKeysWithValues: first.observations.map { ($0.request, $0) })
        let input = scene.input(registry: [])
        let second = Judge(plan: DiagnosisPlan(input), input: input).judge { request in
            known[request] ?? ProbeOutcome(request: request, result: .failure(.unknown("not observed")))
        }
        #expect(second.map(\.finding.verdict) == first.findings.map(\.verdict))
        #expect(second.map(\.finding.check) == first.findings.map(\.check))
        #expect(rootCauses(of: second, entries: input.causes) == first.causes)
    }

    @Test func twoNetworksAreJudgedApart() throws {
        var profile = Fixtures.makina
        let prefix = try #require(IPv4Prefix("10.6.0.1/16"))
        profile.profile.networks.append(Network(name: "second", bridge: "lxcbr2", address: prefix))
        var scene = Scene.healthy
        scene.profile = profile
        let result = scene.diagnosed()
        func verdict(_ network: String) -> Verdict? {
            result.findings.first { $0.check == "bridge.address" && $0.subject.name == network }?.verdict
        }
        #expect(verdict("lxcbr1") == .pass)
        #expect(verdict("second") == .fail)
        #expect(result.causes.map(\.subject.name) == ["second"])
        #expect(result.findings.first { $0.check == "nat.masquerade" && $0.subject.name == "lxcbr1" }?.verdict == .pass)
    }

    @Test func wordsSelectByIdTagAndArea() throws {
        let checks = BuiltIn.checks()
        #expect(try select(["bridge.exists"], from: checks) == ["bridge.exists"])
        #expect(try select(["nat"], from: checks).contains("nat.proof"))
        #expect(try select(["persistence"], from: checks).contains("bridge.persistent"))
        #expect(throws: UnknownCheckID.self) { try select(["nat.masquerad"], from: checks) }
        do { _ = try select(["nat.masquerad"], from: checks) } catch {
            #expect(error.description.contains("did you mean \"nat.masquerade\""))
        }
    }

    @Test func theCatalogLoadsInAMillisecond() {
        let clock = ContinuousClock()
        let time = (0..<5).map { _ in clock.measure { _ = (BuiltIn.checks(), BuiltIn.causes(), BuiltIn.profiles()) } }
            .min()
        // Unoptimised it takes a few times as long.
        #expect((time ?? .seconds(1)) < .milliseconds(5))
        print("catalog:", time ?? .zero)
    }
}
