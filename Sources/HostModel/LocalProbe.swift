/// What a probe that stays on this host asks for.
package enum LocalProbeKind: String, Codable, Sendable, CaseIterable {
    /// A DISCOVER to the DHCP server of the bridge (RFC 2131), UDP port 67.
    case dhcp
    /// A datagram and a SYN to port 53 of the gateway.
    case dns
    /// From one container to another.
    case eastWest
}

/// Whether a probe that stays on this host came where it was sent, worst first.
package enum Arrival: String, Codable, Sendable, CaseIterable, Comparable {
    case dropped
    /// It came, but with another source address, or somewhere else.
    case altered
    case unknown, arrived

    package static func < (left: Self, right: Self) -> Bool {
        left.rank < right.rank
    }

    private var rank: Int {
        switch self {
        case .dropped: 0
        case .altered: 1
        case .unknown: 2
        case .arrived: 3
        }
    }
}

/// One packet from a throw-away container to this host, or to another container of the same bridge.
package struct LocalProbe: Codable, Sendable, Hashable {
    package var network: String
    package var kind: LocalProbeKind
    package var `protocol`: ProofProtocol
    /// `ADDRESS:PORT`, or `ADDRESS` for ICMP.
    package var from: String
    package var to: String
    package var arrival: Arrival
    /// What was seen, where it did not arrive; why nothing could be seen, where that is unknown.
    package var reason: String?
    /// The source address with which it arrived.
    package var sourceAfter: String?
    package var path: [PathStep]
    package var killer: Killer?

    package init(
        network: String, kind: LocalProbeKind, protocol: ProofProtocol, from: String, to: String, arrival: Arrival,
        reason: String? = nil, sourceAfter: String? = nil, path: [PathStep] = [], killer: Killer? = nil
    ) {
        self.network = network
        self.kind = kind
        self.protocol = `protocol`
        self.from = from
        self.to = to
        self.arrival = arrival
        self.reason = reason
        self.sourceAfter = sourceAfter
        self.path = path
        self.killer = killer
    }
}
