package import HostModel

/// A host on which packets may be sent from a throw-away container, and seen.
///
/// Everything it makes is bound to descriptors of this process: when the process dies, at whatever instant, the
/// kernel takes it all away.
package protocol ActiveHost: Host {
    /// Sends the packets of all orders together and returns for each order every sighting of its own.
    ///
    /// All orders have the same mode; an order with an investigation must be the only one. A failure concerns its own order:
    /// `unsupported` where libpcap, the fence or namespaces are missing, `notPermitted` without the capabilities, `limit`
    /// where the port did not start to forward in time.
    func send(_ orders: [ProbeOrder]) -> [ProbeOutcome]

    /// Looks into the containers of a bridge. Where `gateway` is given, asks by ARP who else has that address.
    func residents(of bridge: String, gateway: IPv4Address?) throws(HostError) -> BridgeResidents
}

/// What was seen of one order, or why nothing was.
package typealias ProbeOutcome = Result<ProbeSightings, HostError>

extension ActiveHost {
    /// Sends one order.
    package func send(_ order: ProbeOrder) throws(HostError) -> ProbeSightings {
        guard let outcome = send([order]).first else {
            throw HostError(.other, operation: "send", message: "the order has no outcome")
        }
        return try outcome.get()
    }

    package func residents(of bridge: String, gateway: IPv4Address?) throws(HostError) -> BridgeResidents {
        throw HostError(.unsupported, operation: "look at the containers of \(bridge)", message: "not on this host")
    }
}

/// What to send, from where, and where to look.
package struct ProbeOrder: Codable, Sendable, Hashable {
    /// The bridge that the throw-away container is attached to. Its hardware address is that of the gateway, read after
    /// attaching: a bridge without ports takes that of its first one.
    package var bridge: String
    /// The container's addresses with the prefix length of the subnet. All of an order is of one family.
    package var addresses: [IPPrefix]
    package var gateway: IPAddress
    /// Where the routing table leads: looked at by a handle of its own where one handle cannot see all interfaces.
    package var uplink: String?
    /// The bridge's MTU, for both ends of the veth.
    package var mtu: Int
    package var mode: ProofMode
    /// Whether the addresses are asked for by ARP or neighbour discovery first. Only where no port of the bridge leads off the host.
    package var probesAddresses: Bool
    /// Whether the kernel is asked to name the rule that drops a probe (`meta nftrace set 1`). Not where legacy
    /// tables are loaded: those would write a line for each rule to the kernel's log.
    package var traces: Bool
    /// Eight bytes that mark every packet of this order: at the start of the payload of UDP and ICMP echo; the first
    /// four are the sequence number of a TCP SYN.
    package var nonce: ByteString
    /// Whole IP packets, in the order in which they are sent. Their identifications differ.
    package var packets: [ByteString]
    /// How long to wait for sightings after the last packet was sent. Waiting ends earlier when every packet was
    /// seen leaving.
    package var waitMilliseconds: Int
    /// The container that sends; nil: a throw-away one. Its own address, route and neighbours are used as they are.
    package var resident: Resident?
    /// Packets that stay on this host.
    package var local: LocalOrder?
    /// How many of the last packets are no probes, but questions to whoever is at the end of the way: echo requests, a
    /// short and a long one. Nil in recordings from before: those with another destination than the target.
    package var questions: Int?
    /// Nil: an order that is sent for the first time.
    package var investigation: ProbeInvestigation?

    package var family: IPFamily { gateway.family }

    package init(
        bridge: String, addresses: [IPPrefix], gateway: IPAddress, uplink: String?, mtu: Int, mode: ProofMode,
        probesAddresses: Bool, traces: Bool, nonce: ByteString, packets: [ByteString], waitMilliseconds: Int,
        local: LocalOrder? = nil, investigation: ProbeInvestigation? = nil
    ) {
        self.bridge = bridge
        self.addresses = addresses
        self.gateway = gateway
        self.uplink = uplink
        self.mtu = mtu
        self.mode = mode
        self.probesAddresses = probesAddresses
        self.traces = traces
        self.nonce = nonce
        self.packets = packets
        self.waitMilliseconds = waitMilliseconds
        self.local = local
        self.investigation = investigation
    }
}

/// One packet seen somewhere.
package struct Sighting: Codable, Sendable, Hashable {
    package enum Direction: String, Codable, Sendable {
        case received, sent
        /// Stopped by the fence, which is on the way out or, for `input`, into the host itself.
        case fenced
        /// Passed a station: a chain of the proof's own table at a hook.
        case passed
        /// Arrived in the throw-away container (an ICMP error, say).
        case returned
    }
    /// `lxcbr1`; `container` for what came back into the throw-away container; of a fenced packet the interface that
    /// it would leave by, or at the `input` hook the one it came in by.
    package var interface: String
    package var direction: Direction
    /// Since the first packet was sent.
    package var microseconds: Int
    /// From the IP header on.
    package var packet: ByteString
    /// Of a fenced packet: `postrouting` or `input`. Of one that passed: the hook with the end of it where the
    /// station is, `forward.first` or `forward.last`.
    package var hook: String?
    /// Of a packet that was fenced or passed: `ip`, `ip6` or `bridge`.
    package var family: String?
    /// Of a packet that passed: its mark, where it has one.
    package var mark: UInt32?

    package init(
        interface: String, direction: Direction, microseconds: Int, packet: ByteString, hook: String? = nil,
        family: String? = nil, mark: UInt32? = nil
    ) {
        self.interface = interface
        self.direction = direction
        self.microseconds = microseconds
        self.packet = packet
        self.hook = hook
        self.family = family
        self.mark = mark
    }
}

/// Everything that was seen of one order.
package struct ProbeSightings: Codable, Sendable, Hashable {
    package var sightings: [Sighting]
    /// The name of the host-side port of the veth.
    package var port: String
    /// Packets that the capture lost (`pcap_stats(3PCAP)`): above zero, an absence proves nothing.
    package var captureDrops: Int
    /// Addresses of the order that somebody else answered for. Where there are any, nothing was sent.
    package var takenAddresses: [IPAddress]
    /// Rules and policies of others that dropped a probe.
    package var kills: [RuleKill]
    /// The host-side port of the container that the packets between containers go to; nil where there was none.
    package var peerPort: String?
    /// Why what stays on this host was not sent.
    package var localFailure: String?
    /// When the first packet was sent: nanoseconds since the epoch.
    package var startedNanoseconds: Int?
    /// Of an investigation: rules of others that accepted a probe, in their order.
    package var passes: [RuleKill]?
    /// Of an investigation.
    package var findings: ProbeFindings?
    /// Why there are no sightings from inside netfilter, only those of the captures, which is weaker evidence. Wire mode only.
    package var weakness: String?
    /// Of a real container (not a throw-away one) from which a probe was lost.
    package var portState: PortState?
    /// The packets of the order, by their place, that the container itself did not let out; nil: none.
    package var refused: [Int]?

    package init(
        sightings: [Sighting], port: String, captureDrops: Int, takenAddresses: [IPAddress] = [],
        kills: [RuleKill] = [], findings: ProbeFindings? = nil
    ) {
        self.sightings = sightings
        self.port = port
        self.captureDrops = captureDrops
        self.takenAddresses = takenAddresses
        self.kills = kills
        self.findings = findings
    }
}

/// How a real container's port was after a probe of it was lost.
package struct PortState: Codable, Sendable, Hashable {
    /// IFF_UP of the host's end.
    package var isUp: Bool
    /// BR_STATE_FORWARDING.
    package var forwards: Bool
    /// Whether anybody answers the container's ARP for its gateway; nil: it did not ask.
    package var gatewayAnswers: Bool?

    package init(isUp: Bool, forwards: Bool, gatewayAnswers: Bool? = nil) {
        self.isUp = isUp
        self.forwards = forwards
        self.gatewayAnswers = gatewayAnswers
    }
}

/// A rule or a policy that dropped a packet, as the kernel's trace names it.
package struct RuleKill: Codable, Sendable, Hashable {
    /// `ip`, `ip6`, `inet`, `bridge`.
    package var family: String
    package var table: String
    package var chain: String
    /// The handle of the rule; nil: the policy of the chain.
    package var handle: UInt64?
    /// The packet's headers: IP, and twenty bytes behind it.
    package var packet: ByteString

    package init(family: String, table: String, chain: String, handle: UInt64?, packet: ByteString) {
        self.family = family
        self.table = table
        self.chain = chain
        self.handle = handle
        self.packet = packet
    }
}
