import CheckCatalog
import HostModel
import Testing

@testable import Diagnosis

struct WaiverTests {
    private static let network = Subject(kind: .network, name: "lxcbr1")

    private static func finding(
        _ check: String, _ verdict: Verdict = .fail, causes: [String] = [], subject: Subject = network
    ) -> Finding {
        Finding(
            check: check, subject: subject, title: check, area: .nat, severity: .critical, verdict: verdict,
            causes: causes)
    }

    private static func cause(
        _ id: String, check: String, consequences: [String] = [], subject: Subject = network
    ) -> Cause {
        Cause(
            id: id, area: .nat, subject: subject, severity: .critical, title: id, explanation: "", check: check,
            evidence: [], consequences: consequences)
    }

    /// Two root causes, of which one has a consequence; one finding that nobody explains; one that passes.
    private static let result = DiagnosisResult(
        findings: [
            finding("nat.a", causes: ["masq-missing"]), finding("nat.b", causes: ["effect"]),
            finding("bridge.c", causes: ["bridge-down"]), finding("path.d"), finding("host.e", .pass),
            finding("nat.f", .blocked), finding("host.g", .unknown),
        ],
        causes: [
            cause("masq-missing", check: "nat.a", consequences: ["nat.b", "nat.f"]),
            cause("bridge-down", check: "bridge.c", consequences: ["nat.f"]),
        ], observations: [])

    private func apply(_ waivers: [Waiver], today: String = "2026-06-01") -> (
        result: DiagnosisResult, uses: [WaiverUse]
    ) {
        WaiverBook(waivers, today: today).apply(to: Self.result)
    }

    private func waiver(_ id: String, subject: String? = nil, expires: String = "2026-12-31") -> Waiver {
        Waiver(id: id, subject: subject, reason: "on purpose", expires: expires)
    }

    private func waived(_ result: DiagnosisResult) -> [String] {
        result.findings.filter { $0.verdict == .waived }.map(\.check)
    }

    @Test func withoutWaiversNothingChanges() {
        let (result, uses) = apply([])
        #expect(result.findings == Self.result.findings && result.causes == Self.result.causes && uses.isEmpty)
    }

    /// What follows from a waived cause alone is waived with it; what also follows from another is not.
    @Test func aCauseIsWaivedWithWhatFollowsFromItAlone() {
        let (result, uses) = apply([waiver("masq-missing")])
        #expect(waived(result) == ["nat.a", "nat.b"])
        #expect(result.causes.map(\.id) == ["bridge-down"])
        #expect(uses.map(\.state) == [.active])
        #expect(result.findings[0].reason == "on purpose, until 2026-12-31 (else fail)")
    }

    @Test func bothCausesTakeTheSharedConsequenceToo() {
        let (result, _) = apply([waiver("masq-missing"), waiver("bridge-down")])
        #expect(waived(result) == ["nat.a", "nat.b", "bridge.c", "nat.f"])
        #expect(result.causes.isEmpty)
    }

    /// Also what could not be judged can be waived, and the reason says what it would be.
    @Test func aCheckIsWaivedByItsId() {
        let (result, uses) = apply([waiver("path.d"), waiver("host.g"), waiver("host.e")])
        #expect(waived(result) == ["path.d", "host.g"])
        #expect(result.findings[6].reason == "on purpose, until 2026-12-31 (else unknown)")
        #expect(uses.map(\.state) == [.active, .active, .unused])
        #expect(result.causes == Self.result.causes)
    }

    /// A cause that only waived findings speak for is not named, and so not repaired.
    @Test func aCauseGoesWithItsCheck() {
        #expect(apply([waiver("nat.a")]).result.causes.map(\.id) == ["bridge-down"])
    }

    @Test(arguments: [("lxcbr1", true), ("network lxcbr1", true), ("lxcbr0", false), ("container lxcbr1", false)])
    func aSubjectNarrows(subject: String, covers: Bool) {
        let (result, uses) = apply([waiver("masq-missing", subject: subject)])
        #expect(waived(result).isEmpty != covers)
        #expect(uses.map(\.state) == [covers ? .active : .unused])
    }

    @Test(arguments: [("2026-06-01", true), ("2026-05-31", false), ("2025-12-31", false), ("2026-06-02", true)])
    func aWaiverHoldsThroughItsLastDay(expires: String, holds: Bool) {
        let (result, uses) = apply([waiver("masq-missing", expires: expires)])
        #expect(waived(result).isEmpty != holds)
        #expect(uses.map(\.state) == [holds ? .active : .expired])
        #expect(uses[0].findings == ["nat.a", "nat.b", "nat.f"])
        if !holds {
            #expect(result.findings[0].reason == "its waiver expired on \(expires)")
            #expect(result.causes == Self.result.causes)
        }
    }

    /// One container's waiver takes nothing from another's finding of the same check.
    @Test func anotherSubjectIsNotCovered() {
        let subjects = ["c1", "c2"].map { Subject(kind: .container, name: $0) }
        let result = DiagnosisResult(
            findings: subjects.map { Self.finding("container.link", causes: ["config-no-link"], subject: $0) },
            causes: subjects.map { Self.cause("config-no-link", check: "container.link", subject: $0) },
            observations: [])
        let (kept, _) = WaiverBook([waiver("config-no-link", subject: "c1")], today: "2026-06-01").apply(to: result)
        #expect(kept.findings.map(\.verdict) == [.waived, .fail])
        #expect(kept.causes.map(\.subject.name) == ["c2"])
    }

    // MARK: The file

    private static func read(_ text: String, mode: Int = 0o644, owner: Int = 0) throws -> [Waiver] {
        let host = FakeHost()
        host.add(UserWaivers.file, text, owner: owner, mode: mode)
        let entry = CauseEntry(id: "masq-missing", area: .nat, severity: .critical, title: "", explanation: "")
        return try UserWaivers.read(checks: [], causes: [entry], on: host)
    }

    private static let entry = "waivers:\n  - id: masq-missing\n    reason: a test host\n    expires: 2026-12-31\n"

    @Test func theFileIsRead() throws {
        let waivers = try Self.read(Self.entry + "    subject: lxcbr1\n")
        #expect(waivers.map(\.id) == ["masq-missing"] && waivers[0].subject == "lxcbr1")
        #expect(waivers[0].reason == "a test host" && waivers[0].expires == "2026-12-31")
        #expect(try UserWaivers.read(checks: [], causes: [], on: FakeHost()).isEmpty)
    }

    @Test(arguments: [
        ("id: masq-missing", "id: masq-mising", ":2:9: no cause and no check is called \"masq-mising\"; did you mean"),
        ("    reason: a test host\n", "", ":2:5: the key \"reason\" is missing"),
        ("a test host", "' '", ":3:13: a waiver needs a reason"),
        ("    expires: 2026-12-31\n", "", ":2:5: the key \"expires\" is missing"),
        ("2026-12-31", "2026-02-30", ":4:14: expires must be a day"), ("2026-12-31", "never", ":4:14: expires must be"),
        ("waivers:", "waiver:", "did you mean \"waivers\""), ("reason:", "because:", "is missing"),
        (
            "    expires: 2026-12-31\n",
            "    expires: 2026-12-31\n  - { id: masq-missing, reason: r, expires: 2026-01-01 }\n", "twice"
        ),
    ])
    func aMistakeIsNamedWithItsPlace(part: String, other: String, message: String) {
        let error = #expect(throws: CatalogError.self) { try Self.read(Self.entry.replacing(part, with: other)) }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test(arguments: [(0o664, 0, "others may write"), (0o646, 0, "others may write"), (0o644, 1000, "user 1000")])
    func aFileThatOthersMayWriteIsRefused(mode: Int, owner: Int, message: String) {
        let error = #expect(throws: CatalogError.self) { try Self.read(Self.entry, mode: mode, owner: owner) }
        #expect(error?.message.contains(message) == true)
    }
}
