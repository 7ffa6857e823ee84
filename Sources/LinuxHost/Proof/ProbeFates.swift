internal import HostAccess
internal import HostModel
internal import WireFormats

/// Which probes of an order are accounted for, so that waiting ends as soon as there is nothing to wait for.
struct ProbeFates {
    private let marks: [ProbeMark]
    private let port: String
    private let mode: ProofMode
    private var known: Set<ProbeMark> = []

    /// Foreign traffic is not kept; nor more of ours than a loop could make.
    private static let limit = 10_000
    private var kept = 0

    /// `isFenced`: whether what stays on this host was sent.
    init(order: ProbeOrder, port: String, isFenced: Bool) {
        marks = Self.marks(order.packets, order.nonce) + (isFenced ? Self.localMarks(order) : [])
        self.port = port
        mode = order.mode
    }

    private static func marks(_ packets: [ByteString], _ nonce: ByteString) -> [ProbeMark] {
        packets.compactMap { ProbeMark(packet: $0.bytes, nonce: nonce.bytes) }
    }

    private static func localMarks(_ order: ProbeOrder) -> [ProbeMark] {
        guard let local = order.local else { return [] }
        return marks(local.hostPackets, local.hostNonce) + marks(local.peerPackets, local.peerNonce)
    }

    /// Returns those kills that are of a probe: nothing more will be seen of it.
    mutating func take(_ kills: [RuleKill]) -> [RuleKill] {
        kills.filter { kill in
            guard let mark = mark(of: kill) else { return false }
            known.insert(mark)
            return true
        }
    }

    /// Returns those steps that are of a probe, which goes on.
    mutating func keep(_ steps: [RuleKill]) -> [RuleKill] {
        steps.filter { mark(of: $0) != nil }
    }

    private mutating func mark(of step: RuleKill) -> ProbeMark? {
        guard kept < Self.limit, let packet = IPv4Packet(step.packet.bytes[...]),
            let mark = marks.first(where: { $0.matches(packet) })
        else { return nil }
        kept += 1
        return mark
    }

    var areKnown: Bool { known.count == marks.count }

    /// Returns those sightings that are of a probe, or about one.
    mutating func take(_ sightings: [Sighting]) -> [Sighting] {
        sightings.filter { sighting in
            guard kept < Self.limit, let packet = IPv4Packet(sighting.packet.bytes[...]) else { return false }
            for mark in marks {
                let isBack =
                    sighting.direction == .returned || sighting.direction == .sent && sighting.interface == port
                if mark.matches(packet) {
                    // Seen leaving by anything but our own port, or stopped on the way out. Really sent, it is waited
                    // for what comes back.
                    if sighting.direction == .fenced
                        || mode == .fence && sighting.direction == .sent && sighting.interface != port
                    {
                        known.insert(mark)
                    }
                } else if mark.isQuoted(by: packet) || mark.isAnswered(by: packet) {
                    if isBack { known.insert(mark) }
                } else {
                    continue
                }
                kept += 1
                return true
            }
            return false
        }
    }
}
