internal import CPcap
internal import Glibc
internal import HostAccess
internal import HostModel
internal import WireFormats

/// The captures of one order: one handle on all interfaces, or where libpcap is too old for that, one on the bridge
/// and one on the uplink.
struct ProofCapture {
    /// One handle with what is known of its frames beforehand.
    private final class Tap {
        let handle: PcapHandle
        /// Nil: the frames say it themselves.
        let interface: String?
        let direction: Sighting.Direction

        init(device: String, filter: String, direction: Sighting.Direction = .received) throws(HostError) {
            handle = try PcapHandle(device: device, filter: filter)
            interface = device == "any" ? nil : device
            self.direction = direction
        }
    }

    private let taps: [Tap]
    private var names: [UInt32: String] = [:]

    init(order: ProbeOrder) throws(HostError) {
        // Wide, because translation changes addresses and the next hop answers from its own: what is ours is decided
        // by the nonce. Every probe's time to live is 2, and 1 behind the first forwarding.
        let filter = "ip and (icmp or ip[8] <= 2 or host \(order.gateway)\(Self.hosts(order)))"
        do {
            taps = [try Tap(device: "any", filter: filter)]
        } catch {
            guard error.code == .unsupported, cpcap_load() != nil, let uplink = order.uplink else { throw error }
            // Ethernet does not say which way a frame went: a probe comes in by the bridge, goes out by the uplink.
            taps = [
                try Tap(device: order.bridge, filter: filter),
                try Tap(device: uplink, filter: filter, direction: .sent),
            ]
        }
    }

    private static func hosts(_ order: ProbeOrder) -> String {
        let targets = order.packets.compactMap { IPv4Packet($0.bytes[...])?.destination }
        return Set(targets + order.addresses.map(\.address)).sorted().map { " or host \($0)" }.joined()
    }

    /// What poll(2) waits for.
    var descriptors: [Int32] { taps.map { $0.handle.descriptor } }

    /// Everything that waits to be read, as sightings since `start` (CLOCK_REALTIME, nanoseconds).
    mutating func read(since start: Int) throws(HostError) -> [Sighting] {
        var sightings: [Sighting] = []
        for tap in taps {
            while let frame = try tap.handle.next() {
                guard frame.frame.protocolNumber == 0x0800 else { continue }
                var direction = tap.direction
                if tap.interface == nil { direction = frame.frame.direction == .sent ? .sent : .received }
                sightings.append(
                    Sighting(
                        interface: tap.interface ?? name(frame.frame.interfaceIndex), direction: direction,
                        microseconds: (frame.nanoseconds - start) / 1000,
                        packet: ByteString(Array(frame.frame.payload))))
            }
        }
        return sightings
    }

    func drops() throws(HostError) -> Int {
        var total = 0
        for tap in taps { total += try tap.handle.drops() }
        return total
    }

    /// The name of an interface at this moment, kept: the throw-away port is gone soon.
    mutating func name(_ index: UInt32) -> String {
        if let known = names[index] { return known }
        var buffer = [CChar](repeating: 0, count: Int(IF_NAMESIZE))
        let found = if_indextoname(index, &buffer) != nil
        let bytes = buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
        // A link that has gone meanwhile keeps its number.
        let name = found ? String(decoding: bytes, as: UTF8.self) : "link \(index)"
        names[index] = name
        return name
    }
}
