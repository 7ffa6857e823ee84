/// Follows one packet through the host, hook by hook. What is not known is taken both ways.
package struct PacketWalk: Sendable {
    package let ruleset: Ruleset
    package let host: HostForwarding

    package init(ruleset: Ruleset, host: HostForwarding) {
        self.ruleset = ruleset
        self.host = host
    }

    package func walk(_ packet: SamplePacket) -> WalkResult {
        WalkResult(verdict: .undecided, reason: "the walk is not built yet")
    }
}
