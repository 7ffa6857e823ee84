package import HostAccess
package import HostModel
package import PacketFilter

/// Everything that decides what becomes of a packet, read from a host.
package struct FilterModel: Sendable {
    package var ruleset: Ruleset
    package var forwarding: HostForwarding

    package init(reading host: any Host) throws(ObservationFailure) {
        ruleset = try RulesetState(host: host).ruleset()
        forwarding = try HostForwardingState(host: host).forwarding(ruleset)
    }
}
