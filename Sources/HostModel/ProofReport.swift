/// The verdict of the packet proof, worst first: the whole takes the worst of its probes.
package enum ProofVerdict: String, Codable, Sendable, CaseIterable, Comparable {
    case leaked, wrongSource, redirected, dropped, unknown, masqueraded
    /// Leaves as it is, as the profile wants it: the outside has a route to the containers. IPv6 only.
    case routed

    /// Whether it leaves as it should.
    package var isHealthy: Bool { self > .unknown }

    package static func < (left: Self, right: Self) -> Bool {
        left.rank < right.rank
    }

    private var rank: Int {
        switch self {
        case .leaked: 0
        case .wrongSource: 1
        case .redirected: 2
        case .dropped: 3
        case .unknown: 4
        case .masqueraded: 5
        case .routed: 6
        }
    }
}

package enum ProofMode: String, Codable, Sendable, CaseIterable {
    /// Logged and dropped after source NAT: no packet on the wire.
    case fence
    /// Really sent, with TTL 2.
    case wire
    case off
}

/// Whether an answer came back, where packets were really sent.
package enum ProofDelivery: String, Codable, Sendable, CaseIterable {
    /// From the first router or from farther away, through the translation, into the container.
    case confirmed
    /// Nobody answered: many first routers never do.
    case unknown
    /// It did not get to the wire, or its answer did not get back to the container.
    case failed
}

package enum ProofProtocol: String, Codable, Sendable, CaseIterable {
    case udp, tcp, icmp
}

/// One station of a packet's way, in the order in which the packet passes it.
package struct PathStep: Codable, Sendable, Hashable {
    /// `container`, `port`, `bridge`, `prerouting`, `routing`, `forward`, `postrouting`, `uplink`; `input` for
    /// what comes to the host itself.
    package var hook: String
    package var family: String?
    package var table: String?
    package var chain: String?
    package var link: String?
    /// The rule that decided something here, as its own tool lists it.
    package var rule: String?
    package var reached: Bool

    package init(
        hook: String, family: String? = nil, table: String? = nil, chain: String? = nil, link: String? = nil,
        rule: String? = nil, reached: Bool
    ) {
        self.hook = hook
        self.family = family
        self.table = table
        self.chain = chain
        self.link = link
        self.rule = rule
        self.reached = reached
    }
}

/// What ended a packet's way.
package struct Killer: Codable, Sendable, Hashable {
    package var hook: String
    package var family: String?
    package var table: String?
    package var chain: String?
    /// The position of the rule in its chain, from 1, as `iptables -L --line-numbers` counts.
    package var rule: String?
    /// Of nftables, as `nft -a list` shows it.
    package var handle: String?
    /// `nft`, `iptables-nft`, `iptables-legacy`; nil where it is no rule.
    package var backend: String?
    /// As the user would list it.
    package var text: String

    package init(
        hook: String, family: String? = nil, table: String? = nil, chain: String? = nil, rule: String? = nil,
        handle: String? = nil, backend: String? = nil, text: String
    ) {
        self.hook = hook
        self.family = family
        self.table = table
        self.chain = chain
        self.rule = rule
        self.handle = handle
        self.backend = backend
        self.text = text
    }
}

extension Killer {
    /// Behind what became of a packet: `, killed by -A FORWARD -j DROP`, or, where it is no rule, what happened.
    package var clause: String { table == nil ? ": \(text)" : ", killed by \(text)" }

    /// `rule 2`, of nft `rule 2 (handle 7)`; `rule with handle 7` where nothing else is known, nil for a policy. A
    /// handle is no number to count with, and iptables has no use for it.
    package var ruleWords: String? {
        let handle = text.hasPrefix("-") ? nil : handle.map { "handle \($0)" }
        if let rule { return "rule \(rule)" + (handle.map { " (\($0))" } ?? "") }
        return handle.map { "rule with \($0)" }
    }
}

/// One packet that was sent to see where it goes.
package struct ProofProbe: Codable, Sendable, Hashable {
    package var network: String
    /// The container it was sent from; nil: a throw-away namespace.
    package var container: String?
    package var `protocol`: ProofProtocol
    /// `ADDRESS:PORT`, `[ADDRESS]:PORT` for IPv6, or `ADDRESS` for ICMP.
    package var from: String
    package var to: String
    package var verdict: ProofVerdict
    /// Why, where the verdict is unknown; what was seen, where it is not masqueraded.
    package var reason: String?
    package var sourceAfter: String?
    package var uplink: String?
    /// Nil in fence mode, which does not deliver.
    package var delivery: ProofDelivery?
    package var path: [PathStep]
    package var killer: Killer?

    package init(
        network: String, container: String? = nil, protocol: ProofProtocol, from: String, to: String,
        verdict: ProofVerdict, reason: String? = nil, sourceAfter: String? = nil, uplink: String? = nil,
        delivery: ProofDelivery? = nil, path: [PathStep] = [], killer: Killer? = nil
    ) {
        self.network = network
        self.container = container
        self.protocol = `protocol`
        self.from = from
        self.to = to
        self.verdict = verdict
        self.reason = reason
        self.sourceAfter = sourceAfter
        self.uplink = uplink
        self.delivery = delivery
        self.path = path
        self.killer = killer
    }

    /// Of its destination, which is an address also where nothing was sent.
    package var family: IPFamily { IPAddress(IPAddress.text(ofEndpoint: to))?.family ?? .ipv4 }
}

package struct ProofReport: Codable, Sendable, Hashable {
    package var mode: ProofMode
    package var verdict: ProofVerdict
    package var probes: [ProofProbe]
    /// Probes that stay on this host; nil where none were to be made.
    package var local: [LocalProbe]?
    /// How long it took to make; nil where that was not measured.
    package var durationMilliseconds: Double?
    /// True where the host has changed since it was made: it shows what was, until it is made again.
    package var isOutdated: Bool?

    package init(
        mode: ProofMode, probes: [ProofProbe], local: [LocalProbe]? = nil, durationMilliseconds: Double? = nil
    ) {
        self.mode = mode
        self.local = local
        self.verdict = probes.map(\.verdict).min() ?? .unknown
        self.probes = probes
        self.durationMilliseconds = durationMilliseconds
    }
}

extension Killer {
    /// Whether it is a rule that somebody added to a built-in chain (`INPUT`) of a firewall program's table. Such programs
    /// keep to chains of their own, but for the last rules of Shorewall, which are about broadcasts.
    package func isAdded(to builtIn: String) -> Bool {
        chain == builtIn && rule != nil && !text.contains("-m addrtype --dst-type ")
    }
}
