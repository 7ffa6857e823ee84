import Foundation
import TestSupport
import Testing

/// Remedies of containers, with real ones that run.
@Suite(.serialized) struct FixCrashContainerTests {
    @Test(arguments: [
        CrashPoints.Case(remedy: "container-port", fault: "veth-not-in-bridge", check: "container.plugged"),
        CrashPoints.Case(
            remedy: "container-port", fault: "veth-not-in-bridge=networkmanager", check: "container.plugged"),
        CrashPoints.Case(
            remedy: "bridge-create container-port", fault: "bridge-missing=removed",
            check: "bridge.exists container.plugged", options: ["--containers", "1"], deep: true),
        CrashPoints.Case(remedy: "container-config", fault: "config-no-link=running", check: "container.link"),
        CrashPoints.Case(
            remedy: "container-config", fault: "config-links-other-bridge=running", check: "container.bridge"),
        CrashPoints.Case(remedy: "container-config", fault: "config-legacy-keys", check: "container.config-keys"),
        CrashPoints.Case(
            remedy: "container-address", fault: "config-address-without-prefix=running",
            check: "container.address-prefix", deep: true),
        CrashPoints.Case(
            remedy: "container-hardware-address", fault: "duplicate-container-mac=running",
            check: "container.hardware-addresses"),
    ])
    func leavesNoThirdState(item: CrashPoints.Case) throws {
        try CrashPoints.check(item)
    }

    /// A step without a reversal: killed anywhere, the image is complete or nothing of it is there.
    @Test func aBaseImageIsThereOrNot() throws {
        let script = try String(contentsOf: CrashPoints.tool, encoding: .utf8)
        let ended = try ImageLab.run(
            """
            good
            cat >/tmp/crash-points <<'END-OF-TOOL'
            \(script)
            END-OF-TOOL
            python3 /tmp/crash-points --image "--reset=rm -rf /var/lib/lxc/$name"
            """)
        #expect(ended.status == 0, "\(ended.messages)")
        let result = try JSONDecoder().decode(CrashPoints.Result.self, from: Data((ended.lines.last ?? "").utf8))
        #expect(result.remedies == ["base-image"])
        #expect(result.points >= 30, "\(result)")
        #expect(result.before > result.after && result.after >= 10, "\(result)")
        TestResults.note(.killed, result.remedies)
    }
}
