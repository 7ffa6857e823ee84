package import HostAccess
package import HostModel

/// Everything that one network's proof was judged on. Judging it again gives the same probes.
package struct ProofTranscript: Codable, Sendable, Hashable {
    package var mode: ProofMode
    package var network: Network
    /// Of the network; nil, as in recordings from before: IPv4.
    package var family: IPFamily?
    /// Nil where the host could not be read; `failure` says why.
    package var ground: ProofGround?
    /// What was sent; nil where nothing was.
    package var order: ProbeOrder?
    package var sightings: ProbeSightings?
    /// Why there are no sightings.
    package var failure: String?
    /// Where a probe was lost without a known cause.
    package var autopsy: ProofAutopsy?

    /// The container that sent; nil: a throw-away one.
    package var container: String?
    /// The real containers at the bridge; nil where they were not looked at, or where that failed (`residentsFailure`).
    package var residents: BridgeResidents?
    package var residentsFailure: String?

    /// That family of the network.
    package var subject: ProofNetwork {
        let first = ProofNetwork(network)
        return family == .ipv6 ? ProofNetwork(ipv6: network) ?? first : first
    }

    package init(
        mode: ProofMode, network: Network, family: IPFamily? = nil, ground: ProofGround? = nil,
        order: ProbeOrder? = nil,
        sightings: ProbeSightings? = nil, failure: String? = nil, autopsy: ProofAutopsy? = nil
    ) {
        self.mode = mode
        self.network = network
        self.family = family
        self.ground = ground
        self.order = order
        self.sightings = sightings
        self.failure = failure
        self.autopsy = autopsy
    }
}
