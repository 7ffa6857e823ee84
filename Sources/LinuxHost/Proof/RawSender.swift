internal import CLinux
internal import Glibc
internal import HostAccess
internal import HostModel
internal import WireFormats

/// The two raw sockets of a container: one sends whole packets of IPv4, one hears ICMP. Source: raw(7).
final class RawSender: ProbeSender {
    private let out: Descriptor
    private let errors: Descriptor

    init(in container: borrowing ProofContainer) throws(HostError) {
        out = try container.socket(AF_INET, SOCK_RAW, Int32(IPPROTO_RAW))
        errors = try container.socket(AF_INET, SOCK_RAW, Int32(IPPROTO_ICMP))
    }

    var descriptor: Int32 { errors.rawValue }

    func send(_ packet: [UInt8]) throws(HostError) {
        guard let destination = IPPacket(packet[...])?.destination.v4 else {
            throw HostError(.malformed, operation: "send a probe", message: "not an IPv4 packet")
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = destination.value.bigEndian
        let sent = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(out.rawValue, packet, packet.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard sent == packet.count else { throw HostError(errno: errno, operation: "send a probe") }
    }

    /// ICMP that arrived in the container.
    func read(since start: Int) -> [Sighting] {
        var sightings: [Sighting] = []
        var buffer = [UInt8](repeating: 0, count: 2048)
        // A bound: nobody may keep the doctor busy by flooding the container.
        for _ in 0..<1000 {
            let count = recv(errors.rawValue, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            guard count > 0 else { break }
            sightings.append(
                Sighting(
                    interface: "container", direction: .returned, microseconds: (RealTime.now - start) / 1000,
                    packet: ByteString(Array(buffer.prefix(min(count, 512))))))
        }
        return sightings
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
