internal import CLinux
internal import Glibc
internal import HostAccess
internal import HostModel
internal import WireFormats

/// The two raw sockets of a container: one sends whole packets of a family, one hears its ICMP. Source: raw(7), ipv6(7).
final class RawSender: ProbeSender {
    private let out: Descriptor
    private let errors: Descriptor
    /// The container's own, where the kernel hands over ICMPv6 without the header before it; nil in IPv4.
    private let ownIPv6: IPAddress?

    private static let operation = "send a probe"
    private static let icmpv6: UInt8 = 58
    /// The kernel does not hand it over; nobody asks for it.
    private static let unknownHopLimit: UInt8 = 64

    init(_ order: ProbeOrder, in container: borrowing ProofContainer) throws(HostError) {
        let isIPv4 = order.family == .ipv4
        let domain = isIPv4 ? AF_INET : AF_INET6
        // IPPROTO_RAW: the header is ours, in IPv6 as well (inet6_create of the kernel).
        out = try container.socket(domain, SOCK_RAW, Int32(IPPROTO_RAW))
        errors = try container.socket(domain, SOCK_RAW, isIPv4 ? Int32(IPPROTO_ICMP) : Int32(Self.icmpv6))
        ownIPv6 = isIPv4 ? nil : order.addresses.first?.address
    }

    var descriptor: Int32 { errors.rawValue }

    func send(_ packet: [UInt8]) throws(HostError) {
        switch IPPacket(packet[...])?.destination {
        case .v4(let destination):
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = destination.value.bigEndian
            try send(packet, to: &address)
        case .v6(let destination):
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            withUnsafeMutableBytes(of: &address.sin6_addr) { $0.copyBytes(from: destination.octets) }
            try send(packet, to: &address)
        case nil: throw HostError(.malformed, operation: Self.operation, message: "not an IP packet")
        }
    }

    private func send<Address>(_ packet: [UInt8], to address: inout Address) throws(HostError) {
        let sent = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(out.rawValue, packet, packet.count, 0, $0, socklen_t(MemoryLayout<Address>.size))
            }
        }
        guard sent == packet.count else { throw HostError(errno: errno, operation: Self.operation) }
    }

    /// ICMP that arrived in the container.
    func read(since start: Int) -> [Sighting] {
        var sightings: [Sighting] = []
        var buffer = [UInt8](repeating: 0, count: 2048)
        // A bound: nobody may keep the doctor busy by flooding the container.
        for _ in 0..<1000 {
            guard let message = receive(&buffer) else { break }
            sightings.append(
                Sighting(
                    interface: "container", direction: .returned, microseconds: (RealTime.now - start) / 1000,
                    packet: ByteString(Array(message.prefix(512)))))
        }
        return sightings
    }

    /// The next packet, from its IP header on; nil where none waits.
    private func receive(_ buffer: inout [UInt8]) -> [UInt8]? {
        var sender = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let count = withUnsafeMutablePointer(to: &sender) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                recvfrom(errors.rawValue, &buffer, buffer.count, Int32(MSG_DONTWAIT), $0, &length)
            }
        }
        guard count > 0 else { return nil }
        let bytes = Array(buffer.prefix(count))
        guard let ownIPv6 else { return bytes }
        let octets = withUnsafeBytes(of: &sender.sin6_addr) { Array($0) }
        guard let source = IPv6Address(octets: octets) else { return [] }
        return IPPacket(
            source: .v6(source), destination: ownIPv6, identification: 0, timeToLive: Self.unknownHopLimit,
            protocolNumber: Self.icmpv6, payload: bytes
        ).encoded
    }
}

/// The clock of packet stamps. Source: clock_gettime(2), CLOCK_REALTIME.
enum RealTime {
    /// Nanoseconds since the epoch.
    static var now: Int {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }
}
