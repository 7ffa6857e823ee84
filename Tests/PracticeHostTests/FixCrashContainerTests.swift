import Testing

/// Remedies of containers, with real ones that run.
@Suite(.serialized) struct FixCrashContainerTests {
    @Test(arguments: [
        CrashPoints.Case(remedy: "container-port", fault: "veth-not-in-bridge", check: "container.plugged"),
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
}
