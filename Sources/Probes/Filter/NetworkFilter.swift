package import HostAccess
package import HostModel
package import PacketFilter

/// Everything that decides about packets, read once per run.
package struct NetworkFilter: Sendable {
    package let ruleset: Ruleset
    package let forwarding: HostForwarding

    package init(on host: any Host) throws(ObservationFailure) {
        let ruleset = try RulesetState(host: host).ruleset()
        self.ruleset = ruleset
        guard let recording = host as? RecordingHost else {
            forwarding = try HostForwardingState(host: host).forwarding(ruleset)
            return
        }
        forwarding = try recording.derived("forwarding") { () throws(ObservationFailure) in
            // Asked for in here, so that what the ruleset was made of counts for this as well.
            try HostForwardingState(host: host).forwarding(try RulesetState(host: host).ruleset())
        }
    }

    package func questions(
        network: IPv4Prefix, bridge: String, address: IPv4Address?, target: IPv4Address?,
        exempt: [IPv4Prefix] = []
    ) -> NetworkQuestions {
        NetworkQuestions(
            network: network, bridge: bridge, address: address, target: target, exempt: exempt, ruleset: ruleset,
            host: forwarding)
    }
}
