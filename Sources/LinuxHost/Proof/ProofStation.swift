internal import Glibc
internal import HostAccess
internal import HostModel

/// A container with everything in it that sends. It serves every order that is sent from there.
final class ProofStation {
    private let order: ProbeOrder
    let port: String
    let local: LocalSender?
    /// Why there is no `local` although the order wants one.
    private(set) var localFailure: String?
    private var isConfigured = false
    private let question: (any ClaimQuestion)?
    private let sender: any ProbeSender
    private let frames: FrameSender?
    private let container: ProofContainer

    /// Makes and attaches the container, or enters the one that the order names. Nobody has its addresses yet.
    init(_ order: ProbeOrder) throws(HostError) {
        self.order = order
        let container: ProofContainer
        if let resident = order.resident {
            container = try ProofContainer(resident: resident)
        } else {
            container = try ProofContainer(order: order)
        }
        question = order.probesAddresses ? try Self.question(of: order, from: container) : nil
        var local: LocalSender?
        if let packets = order.local {
            do {
                local = try LocalSender(order, packets, in: container)
            } catch {
                // The rest still can.
                localFailure = error.description
            }
        }
        // In a throw-away container IPv6 is off, and its frames are made by hand.
        if order.family == .ipv6, order.resident == nil, let sender = FrameSender(order, in: container) {
            frames = sender
            self.sender = sender
        } else {
            frames = nil
            sender = try RawSender(order, in: container)
        }
        port = container.port
        self.local = local
        self.container = container
    }

    private static func question(
        of order: ProbeOrder, from container: borrowing ProofContainer
    ) throws(HostError) -> (any ClaimQuestion)? {
        let wanted = order.addresses.map(\.address) + [order.local?.peer].compactMap { $0.map(IPAddress.v4) }
        if order.family == .ipv6 { return try NeighbourQuestion(wanted, from: container) }
        return try AddressQuestion(wanted, from: container)
    }

    /// Whether another order is to be sent from here as well.
    func serves(_ other: ProbeOrder) -> Bool {
        order.bridge == other.bridge && order.addresses == other.addresses && order.resident == other.resident
            && order.local?.peer == other.local?.peer
    }

    /// The addresses of the order that somebody else answers for, as far as the order wants that to be asked.
    func takenAddresses() -> [IPAddress] {
        question?.taken() ?? []
    }

    /// Takes the addresses, where that was not done for an earlier order.
    func configure() throws(HostError) {
        guard !isConfigured else { return }
        if let frames {
            frames.gateway = try container.bridgeAddress(order)
        } else {
            try container.configure(order)
        }
        isConfigured = true
    }

    /// Sends a whole IP packet as the container would.
    func send(_ packet: [UInt8]) throws(HostError) {
        try sender.send(packet)
    }

    /// Takes what this host learnt of the container's addresses from it again.
    func forget() throws(HostError) {
        try container.forget(order)
    }

    /// Nothing is sent from here any more.
    func giveUp() {
        if isConfigured, frames == nil { container.giveUp(order) }
    }

    /// How the port of a container is that was there before.
    func portState() throws(HostError) -> PortState? {
        guard let resident = order.resident else { return nil }
        return try container.state(gateway: resident.gateways(of: order.family).first)
    }

    /// For poll(2): readable when ICMP came back.
    var descriptor: Int32 { sender.descriptor }

    /// ICMP that arrived in the container.
    func read(since start: Int) -> [Sighting] {
        sender.read(since: start)
    }
}
