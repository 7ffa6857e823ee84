internal import HostAccess
internal import HostModel
internal import WireFormats

/// Which probes of an order are accounted for, so that waiting ends as soon as there is nothing to wait for.
struct ProbeFates {
    private let marks: [ProbeMark]
    private let port: String
    private let peerPort: String?
    private let mode: ProofMode
    private var known: Set<ProbeMark> = []

    /// Foreign traffic is not kept; nor more of ours than a loop could make.
    private static let limit = 10_000
    private var kept = 0

    /// `intoHost`, `toPeer`: whether those packets were sent that stay on this host.
    init(order: ProbeOrder, port: String, peerPort: String?, intoHost: Bool, toPeer: Bool) {
        var marks = Self.marks(order.packets, order.nonce)
        if let local = order.local {
            if intoHost { marks += Self.marks(local.hostPackets, local.hostNonce) }
            if toPeer { marks += Self.marks(local.peerPackets, local.peerNonce) }
        }
        self.marks = marks
        self.port = port
        self.peerPort = peerPort
        mode = order.mode
    }

    private static func marks(_ packets: [ByteString], _ nonce: ByteString) -> [ProbeMark] {
        packets.compactMap { ProbeMark(packet: $0.bytes, nonce: nonce.bytes) }
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
        guard kept < Self.limit, let packet = IPPacket(step.packet.bytes[...]),
            let mark = marks.first(where: { $0.matches(packet) })
        else { return nil }
        kept += 1
        return mark
    }

    var areKnown: Bool { known.count == marks.count }

    /// Returns those sightings that are of a probe, or about one.
    mutating func take(_ sightings: [Sighting]) -> [Sighting] {
        sightings.filter { sighting in
            guard kept < Self.limit, let packet = IPPacket(sighting.packet.bytes[...]) else { return false }
            for mark in marks {
                let isBack =
                    sighting.direction == .returned || sighting.direction == .sent && sighting.interface == port
                if mark.matches(packet) {
                    // Seen leaving by anything but our own port, or stopped on the way out. Really sent, it is waited
                    // for what comes back.
                    let isSent = sighting.direction == .sent
                    if sighting.direction == .fenced || mode == .fence && isSent && sighting.interface != port
                        || isSent && sighting.interface == peerPort
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
