package import WireFormats

/// What a rule makes of a packet that it matches, besides deciding about it.
package enum RuleEffect: Hashable, Sendable {
    /// `mark = (mark & keeping) ^ flipping`.
    case mark(keeping: UInt32, flipping: UInt32)
    case connectionMark(keeping: UInt32, flipping: UInt32)
    /// From one mark to the other.
    case copy(XtMarkChange)
    /// The data of a map: one of these.
    case markOneOf(IntervalSet)
    case connectionMarkOneOf(IntervalSet)
    /// Conntrack passes it over.
    case notrack

    /// Whether marks are what it changes.
    var isMark: Bool { self != .notrack }
}

extension PacketBox {
    /// The packets as a rule leaves them. Nothing is left out: where marks are too many to try, it may be any.
    func applying(_ effect: RuleEffect, isUnseen: Bool = false) -> PacketBox {
        var box = self
        switch effect {
        case .mark(let keep, let flip): box.mark = Self.changed(mark, keep, flip)
        case .markOneOf(let values): box.mark = values
        case .notrack: box.state = IntervalSet(SamplePacket.ConnectionState.untracked.number)
        case .connectionMark, .connectionMarkOneOf, .copy:
            // Without an entry there is nothing to mark, and nothing to take a mark from.
            let tracked = state.intersection(SamplePacket.ConnectionState.tracked)
            if isUnseen || tracked.isEmpty { return self }
            box.changeConnection(effect)
            if tracked != state {
                box.mark = box.mark.union(mark)
                box.connectionMark = box.connectionMark.union(connectionMark)
            }
        }
        return box
    }

    private mutating func changeConnection(_ effect: RuleEffect) {
        switch effect {
        case .connectionMark(let keep, let flip): connectionMark = Self.changed(connectionMark, keep, flip)
        case .connectionMarkOneOf(let values): connectionMark = values
        case .copy(let change):
            switch change.mode {
            case .set:
                connectionMark =
                    connectionMark.mapped { change.shifted(($0 & ~change.mask) ^ change.value) } ?? .all
            case .save:
                connectionMark =
                    mark.mapped(with: connectionMark) { packet, connection in
                        (connection & ~change.mask) ^ change.shifted(packet & change.packetMask)
                    } ?? .all
            case .restore:
                mark =
                    mark.mapped(with: connectionMark) { packet, connection in
                        (packet & ~change.packetMask) ^ change.shifted(connection & change.mask)
                    } ?? .all
            }
        default: break
        }
    }

    private static func changed(_ marks: IntervalSet, _ keep: UInt32, _ flip: UInt32) -> IntervalSet {
        if keep == 0 { return IntervalSet(flip) }
        return marks.mapped { ($0 & keep) ^ flip } ?? .all
    }
}

extension XtMarkChange {
    fileprivate func shifted(_ word: UInt32) -> UInt32 {
        guard let shift else { return word }
        return shift > 0 ? word << UInt32(shift) : word >> UInt32(-Int(shift))
    }
}

/// Every mark that a packet and a connection may have on a host, by the rules that change marks.
package struct MarkSpace: Hashable, Sendable {
    package var packet = IntervalSet.zero
    package var connection = IntervalSet.zero

    /// More marks than these are not told apart.
    private static let most: UInt64 = 256

    package init() {}

    /// Marks begin as 0; the effects may follow each other in any order.
    init(_ effects: Set<RuleEffect>) {
        let changes = effects.filter(\.isMark)
        while true {
            let before = self
            for effect in changes {
                let box = PacketBox(mark: packet, connectionMark: connection).applying(effect)
                packet = packet.union(box.mark)
                connection = connection.union(box.connectionMark)
                if packet.count > Self.most { packet = .all }
                if connection.count > Self.most { connection = .all }
            }
            if self == before { return }
        }
    }

    package var isUnmarked: Bool { packet == .zero && connection == .zero }
}
