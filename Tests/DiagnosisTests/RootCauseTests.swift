import BuiltInCatalog
import CheckCatalog
import HostModel
import Testing

@testable import Diagnosis

/// Whole hosts: what is broken names one root cause, and what follows from it is its consequence.
@Suite struct RootCauseTests {
    @Test func aHealthyHostPassesEverywhere() {
        let result = Scene.healthy.diagnosed()
        for finding in result.findings {
            #expect(finding.verdict == .pass || finding.verdict == .notApplicable, "\(finding)")
        }
        #expect(result.causes.isEmpty)
        #expect(Health(of: result.findings) == .healthy)
    }

    static let noBridge = Scene.healthy
        .with("link", ["exists": .boolean(false), "kind": .string(""), "up": .boolean(false)])
        .with("interface-addresses", ["addresses": .strings([]), "count": .integer(0)])
        .failing("packet-proof", .unknown("there is no lxcbr1"))

    @Test func aMissingBridgeIsTheOnlyRoot() throws {
        let result = Self.noBridge.diagnosed()
        #expect(result.causes.map(\.id) == ["bridge-missing"])
        let cause = try #require(result.causes.first)
        #expect(cause.check == "bridge.exists")
        #expect(cause.severity == .critical)
        #expect(cause.remedy?.id == "bridge-create")
        #expect(cause.remedy?.commands.contains("ip link add lxcbr1 type bridge") == true)
        #expect(cause.title == "There is no bridge lxcbr1")
        #expect(!cause.evidence.isEmpty)
        for check in ["bridge.up", "bridge.address", "nat.proof"] {
            #expect(cause.consequences.contains(check), "\(check)")
        }
        #expect(!cause.consequences.contains("bridge.exists"))
        #expect(!result.findings.contains { $0.verdict == .unknown })
        #expect(Health(of: result.findings) == .critical)
    }

    /// As long as the flag is there, nobody makes the bridge anew: it is the flag that has to go first.
    @Test func aStaleFlagExplainsWhatIsGone() throws {
        let result = Self.noBridge
            .with("lxc-net-service", ["stale": .boolean(true), "lost": .string("bridge")])
            .with("source-translation", ["translated": .string("none"), "defect": .string("missing")]).diagnosed()
        #expect(result.causes.map(\.id) == ["lxc-net-stale-network-up"])
        let cause = try #require(result.causes.first)
        #expect(cause.severity == .critical)
        #expect(cause.remedy?.id == "network-up-flag")
        for check in ["bridge.exists", "nat.masquerade", "bridge.up"] {
            #expect(cause.consequences.contains(check), "\(check)")
        }
    }

    /// The flag's check knows how to bring the server back, whichever check sees first that it is gone.
    @Test func aDeadServerIsNamedAndStartedAgain() {
        var scene = Scene.healthy.with("lxc-net-service", ["stale": .boolean(true), "lost": .string("server")])
        let causes = scene.diagnosed().causes
        #expect(causes.map { [$0.id, $0.remedy?.id] } == [["dnsmasq-not-running", "network-up-flag"]])
        scene = scene.with("link", ["up": .boolean(false)])
        #expect(Set(scene.diagnosed().causes.map(\.id)) == ["bridge-down", "dnsmasq-not-running"])
    }

    @Test func aSwitchedOffLxcNetIsWhyNobodyMakesTheBridge() {
        let scene = Scene.healthy.with(
            "bridge-next-boot",
            ["creators": .strings([]), "carriesAddress": .boolean(false), "lxcNetOff": .boolean(true)]
        ).with("nat-next-boot", ["makers": .strings([]), "lasting": .boolean(false)])
        let causes = scene.diagnosed().causes
        #expect(causes.map { [$0.id, $0.remedy?.id] } == [["lxc-net-not-enabled", "bridge-persistent"]])
        #expect(causes.first?.consequences == ["nat.persistent"])
    }

    @Test func whatIsNotPersistentIsACauseOfItsOwn() {
        let scene = Self.noBridge.with(
            "bridge-next-boot", ["creators": .strings([]), "count": .integer(0), "carriesAddress": .boolean(false)]
        ).with("nat-next-boot", ["makers": .strings([]), "lasting": .boolean(false)])
        let causes = scene.diagnosed().causes
        #expect(causes.map(\.id) == ["bridge-missing", "bridge-not-persistent"])
        #expect(causes.last?.consequences == ["nat.persistent"])
    }

    /// Scene, root cause, its remedy, and findings that must be among its consequences.
    static let broken: [(Scene, String, String?, [String])] = [
        (
            Scene.healthy.with("sysctl", ["value": .string("0")]).with("packet-proof", ["verdict": .string("dropped")])
                .with("forwarding", ["global": .boolean(false), "bridge": .boolean(false)]),
            "ip-forward-off", "forwarding", ["forwarding.interfaces", "nat.proof"]
        ),
        (
            Scene.healthy.with("forwarding", ["bridge": .boolean(false)])
                .with("packet-proof", ["verdict": .string("dropped")]),
            "per-interface-forwarding-off", "interface-forwarding", ["nat.proof"]
        ),
        (
            Scene.healthy.with("source-translation", ["translated": .string("none"), "defect": .string("missing")])
                .with("packet-proof", ["verdict": .string("leaked")]),
            "masq-missing", "masquerade", ["nat.proof"]
        ),
        (
            Scene.healthy.with("source-translation", ["translated": .string("none"), "defect": .string("shadowed")])
                .with("packet-proof", ["verdict": .string("leaked")]),
            "masq-shadowed", "masquerade", ["nat.proof"]
        ),
        (
            Scene.healthy.with("interface-addresses", ["addresses": .strings(["10.5.0.1/24"]), "count": .integer(1)]),
            "bridge-wrong-address-or-mask", "bridge-address", ["host.dhcp-range", "nat.proof"]
        ),
        (
            Scene.healthy.with("link", ["up": .boolean(false)]), "bridge-down", "bridge-up", ["nat.proof"]
        ),
        (
            Scene.healthy.with("packet-proof", ["verdict": .string("dropped")]), "drop-unexplained", "by-hand", []
        ),
        (
            Scene.healthy.with("lxc-installation", ["installed": .boolean(false)])
                .with("lxc-path", ["exists": .boolean(false), "directory": .boolean(false)]),
            "lxc-not-installed", "lxc-install", ["host.lxc-path", "host.lxc-path-room"]
        ),
        (
            Scene.healthy.with("lxc-path", ["freeBytes": .integer(1), "freeInodes": .integer(1)]),
            "storage-full", "by-hand", ["host.lxc-path-room"]
        ),
    ]

    @Test(arguments: broken.indices) func oneRootCause(_ index: Int) {
        let (scene, root, remedy, consequences) = Self.broken[index]
        let result = scene.diagnosed()
        #expect(result.causes.map(\.id) == [root])
        #expect(result.causes.first?.remedy?.id == remedy)
        for check in consequences {
            #expect(result.causes.first?.consequences.contains(check) == true, "\(root): \(check)")
        }
    }

    @Test func aRootIsAsSevereAsWhatItExplainsAndTakesItsRemedy() throws {
        let scene = Scene.healthy.with(
            "makina-job",
            [
                "present": .boolean(true), "inert": .boolean(true), "guardBroken": .boolean(true),
                "missingTools": .strings(["brctl"]), "sharesFlag": .boolean(false),
            ]
        ).with("bridge-next-boot", ["creators": .strings([]), "carriesAddress": .boolean(false)])
        let result = scene.diagnosed()
        #expect(result.causes.map(\.id) == ["makina-job-inert"])
        let cause = try #require(result.causes.first)
        #expect(cause.severity == .warning)
        #expect(cause.remedy?.id == "bridge-persistent")
        // The check that lends its remedy says whether that helped.
        #expect(cause.check == "bridge.persistent")
        #expect(Set(cause.consequences) == ["host.makina-job-guard", "host.makina-job-runs"])
    }

    @Test func anInertJobAloneIsANotice() {
        let scene = Scene.healthy.with(
            "makina-job",
            [
                "present": .boolean(true), "inert": .boolean(true), "guardBroken": .boolean(false),
                "missingTools": .strings([]), "sharesFlag": .boolean(false),
            ])
        let result = scene.diagnosed()
        #expect(result.causes.map(\.severity) == [.notice])
        #expect(result.causes.first?.remedy?.automatic == false)
        #expect(Health(of: result.findings) == .healthy)
    }

    @Test func containersHaveCausesOfTheirOwn() {
        let good: [String: FactValue] = [
            "links": .strings(["lxcbr1"]), "noLink": .boolean(false), "connectedOtherwise": .boolean(false),
            "legacyKeys": .strings([]),
            "rootfsExists": .boolean(true), "addresses": .strings([]),
        ]
        let scene = Scene.healthy.with(container: "db", good).with(
            container: "web", good.merging(["links": .strings(["lxcbr9"])]) { _, new in new }
        ).with(container: "old", good.merging(["rootfsExists": .boolean(false)]) { _, new in new })
        let causes = scene.diagnosed().causes
        #expect(
            Set(causes.map { "\($0.id) \($0.subject.name)" }) == [
                "config-links-other-bridge web", "image-or-rootfs-missing old",
            ])
    }

    @Test func causesAreSortedBySeverityThenArea() {
        let scene = Scene.healthy.with("lxc-path", ["freeBytes": .integer(1)])
            .with("sysctl-next-boot", ["effective": .string("0")])
            .with("source-translation", ["translated": .string("none"), "defect": .string("missing")])
        #expect(scene.diagnosed().causes.map(\.id) == ["masq-missing", "ip-forward-reset", "storage-full"])
    }

    /// lxc-not-installed explains lxc-net-not-enabled, and that explains bridge-not-persistent; without the one in the
    /// middle the ends have nothing to do with each other.
    @Test func stepsOverCausesThatAreNotThereDoNotCount() {
        let scene = Scene.healthy.with("lxc-installation", ["installed": .boolean(false)])
            .with("bridge-next-boot", ["creators": .strings([]), "carriesAddress": .boolean(false)])
        #expect(scene.diagnosed().causes.map(\.id) == ["lxc-not-installed", "bridge-not-persistent"])
    }

    @Test func expectedAndObservedReadWell() throws {
        func words(_ scene: Scene, _ check: String) throws -> [String?] {
            let finding = try #require(scene.diagnosed().findings.first { $0.check == check })
            return [finding.expected, finding.observed]
        }
        let mask = Scene.healthy.with(
            "interface-addresses", ["addresses": .strings(["10.5.0.1/24"]), "count": .integer(1)])
        #expect(try words(mask, "bridge.address") == ["10.5.0.1/16", "10.5.0.1/24"])
        let gone = Scene.healthy.with(
            "bridge-next-boot", ["creators": .strings([]), "carriesAddress": .boolean(false)])
        #expect(
            try words(gone, "bridge.persistent") == [
                "creators is not empty and carries address is yes", "creators: none; carries address: no",
            ])
        #expect(
            try words(Scene.healthy, "forwarding.interfaces") == [
                "bridge is yes and (uplink is absent or uplink is yes)", "bridge: yes; uplink: yes; uplink name: eth0",
            ])
        let unset = Scene.healthy.with("sysctl-next-boot", ["effective": .string(""), "value": .string("")])
        #expect(
            try words(unset, "forwarding.next-boot") == [
                "effective is 1 and value is not 0", "effective: nothing; value: nothing",
            ])
    }

    /// The ruleset is read without the bridge: what one repair would only uncover is named at once.
    @Test func aMissingBridgeDoesNotHideAMissingTranslation() {
        let result = Self.noBridge
            .with("source-translation", ["translated": .string("none"), "defect": .string("missing")]).diagnosed()
        #expect(Set(result.causes.map(\.id)) == ["bridge-missing", "masq-missing"])
    }

    @Test func causesThatExplainEachOtherBothStay() {
        let check = Check(
            id: "host.x", title: "x", severity: .warning, area: .host, subject: .host, probe: "sysctl",
            parameters: ["key": .string("k")], expect: .fact("value", .equals(.string("9"))),
            causes: [CauseRule(id: "a", all: true), CauseRule(id: "b")])
        var input = Scene.healthy.input()
        input.checks = [check]
        input.causes = ["a", "b"].map {
            CauseEntry(
                id: $0, area: .host, severity: .warning, title: $0, explanation: "", explains: [$0 == "a" ? "b" : "a"])
        }
        #expect(Set(diagnose(input, on: FakeHost()).causes.map(\.id)) == ["a", "b"])
    }
}
