internal import CPcap
internal import Glibc
internal import HostAccess
internal import HostModel
internal import WireFormats

/// What is captured: by one handle on all interfaces, or where libpcap is too old for that, by one on each bridge and
/// one on each uplink.
final class ProofCapture {
    private let taps: [ProofTap]
    private var names: [UInt32: String] = [:]

    /// `any`: the handle on all interfaces, which may still be on its way.
    init(orders: [ProbeOrder], _ any: Background<ProofTap>) throws(HostError) {
        do {
            taps = [try any.value()]
        } catch {
            let uplinks = Set(orders.compactMap(\.uplink))
            guard error.code == .unsupported, cpcap_load() != nil, !uplinks.isEmpty else { throw error }
            // Ethernet does not say which way a frame went: a probe comes in by the bridge, goes out by the uplink.
            var taps: [ProofTap] = []
            for bridge in Set(orders.map(\.bridge)) { taps.append(try ProofTap(device: bridge)) }
            for uplink in uplinks { taps.append(try ProofTap(device: uplink, direction: .sent)) }
            self.taps = taps
        }
    }

    /// Keeps what may be about these orders. Wide, because translation changes addresses and the next hop answers from
    /// its own: what is ours is decided by the nonce.
    func narrow(to orders: [ProbeOrder]) throws(HostError) {
        let packets = orders.flatMap(\.packets).compactMap { IPPacket($0.bytes[...])?.destination }
        let others = orders.flatMap { $0.addresses.map(\.address) + [$0.gateway] }
        let hosts = Set(packets + others).sorted()
        let filters = IPFamily.allCases.compactMap { family -> String? in
            let own = hosts.filter { $0.family == family }
            guard !own.isEmpty else { return nil }
            return ProofTap.filter(family, besides: own.map { " or host \($0)" }.joined())
        }
        for tap in taps { try tap.handle.narrow(to: filters.joined(separator: " or ")) }
    }

    /// What poll(2) waits for.
    var descriptors: [Int32] { taps.map { $0.handle.descriptor } }

    /// Everything that waits to be read, as sightings since `start` (CLOCK_REALTIME, nanoseconds).
    func read(since start: Int) throws(HostError) -> [Sighting] {
        var sightings: [Sighting] = []
        for tap in taps {
            while let frame = try tap.handle.next() {
                guard [0x0800, 0x86dd].contains(frame.frame.protocolNumber) else { continue }
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
    func name(_ index: UInt32) -> String {
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
