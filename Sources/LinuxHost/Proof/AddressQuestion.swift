internal import CLinux
internal import Glibc
internal import HostAccess
internal import HostModel

/// A question by ARP: who has these addresses? It claims none, the sender's own address is 0.0.0.0, so nobody learns
/// anything from it. Answers are collected later: other work fits into the wait.
///
/// Source: RFC 5227 §2.1.1, RFC 826, packet(7).
struct AddressQuestion: ClaimQuestion {
    /// Neighbours on a bridge of this host answer within microseconds; a busy one within this.
    private static let waitMilliseconds = 3
    private static let operation = "ask by ARP who has an address"

    let socket: SharedSocket
    private let addresses: [IPAddress]
    private let deadline: Deadline

    /// Asks from a container for addresses that it may take; nil where it has nothing to ask with.
    init?(_ addresses: [IPAddress], from container: borrowing ProofContainer) throws(HostError) {
        guard let socket = container.packetSocket else { return nil }
        try self.init(
            addresses, through: socket, interface: container.interfaceIndex,
            sender: [UInt8](repeating: 0, count: 6))
    }

    /// Asks behind the ports of a bridge. The bridge asks itself, so the host does not answer.
    init(_ address: IPv4Address, behind bridge: String) throws(HostError) {
        var route = try NetlinkSocket(.route)
        let link = try LinkDescription(named: bridge, through: &route)
        let socket = SharedSocket(
            try Descriptor(
                clinux_socket_in_netns(
                    -1, AF_PACKET,
                    Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue),
                    Int32(UInt16(ETH_P_ARP).bigEndian)), operation: Self.operation))
        // The answer comes to this address: one to nobody would be flooded, and pass the bridge itself by.
        try self.init([.v4(address)], through: socket, interface: link.index, sender: link.hardwareAddress)
    }

    private init(
        _ addresses: [IPAddress], through socket: SharedSocket, interface: Int32, sender: [UInt8]
    ) throws(HostError) {
        for address in addresses.compactMap(\.v4) {
            try socket.send(
                Self.request(for: address, from: sender), protocol: UInt16(ETH_P_ARP),
                to: [UInt8](repeating: 0xff, count: 6), by: interface, Self.operation)
        }
        self.socket = socket
        self.addresses = addresses
        deadline = Deadline(milliseconds: Self.waitMilliseconds)
    }

    func taken() -> [IPAddress] {
        var taken: [IPAddress] = []
        // Our own questions come by as well, with the sender 0.0.0.0.
        for answer in answers() where addresses.contains(answer.sender) && !taken.contains(answer.sender) {
            taken.append(answer.sender)
        }
        return taken
    }

    /// The hardware addresses that say they have one of the addresses.
    func owners() -> [MACAddress] {
        var owners: [MACAddress] = []
        // Not somebody else's question.
        for answer in answers() where answer.isReply && addresses.contains(answer.sender) {
            guard let owner = answer.owner, !owners.contains(owner), owners.count < 16 else { continue }
            owners.append(owner)
        }
        return owners
    }

    private struct Answer {
        var isReply: Bool
        var owner: MACAddress?
        var sender: IPAddress
    }

    /// What comes in until the time is up.
    private func answers() -> [Answer] {
        var answers: [Answer] = []
        var buffer = [UInt8](repeating: 0, count: 64)
        // A bound: nobody may keep the doctor busy by answering.
        for _ in 0..<1000 {
            var waiting = pollfd(fd: socket.rawValue, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, deadline.milliseconds) > 0 else { break }
            let count = recv(socket.rawValue, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            guard count >= 28, let sender = IPv4Address(octets: buffer[14..<18]).map(IPAddress.v4) else { continue }
            answers.append(
                Answer(
                    isReply: buffer[6] == 0 && buffer[7] == 2, owner: MACAddress(octets: buffer[8..<14]), sender: sender
                ))
        }
        return answers
    }

    /// Ethernet and IPv4, operation 1.
    private static func request(for address: IPv4Address, from sender: [UInt8]) -> [UInt8] {
        [0, 1, 8, 0, 6, 4, 0, 1] + sender.prefix(6) + [UInt8](repeating: 0, count: 4) + [UInt8](repeating: 0, count: 6)
            + address.octets
    }
}
