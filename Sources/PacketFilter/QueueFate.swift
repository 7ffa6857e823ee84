internal import WireFormats

/// What becomes of a packet that a rule queues for a program of the host (nf_queue.c).
enum QueueFate: Hashable {
    /// Nobody reads the queue.
    case dropped
    /// Nobody reads it, and the rule says to go on then (`bypass`).
    case accepted
    /// The program decides; or who reads queues is not known.
    case unknown

    /// - Parameter readers: the queues that a program reads; nil where that is not known.
    init(first: UInt16, count: UInt16, bypasses: Bool, readers: Set<UInt16>?) {
        let queues = UInt32(first)..<UInt32(first) + UInt32(max(1, count))
        guard let readers, !readers.contains(where: { queues.contains(UInt32($0)) }) else {
            self = .unknown
            return
        }
        self = bypasses ? .accepted : .dropped
    }
}

extension Ruleset {
    /// Of a rule that queues.
    func queueFate(ofRule index: Int) -> QueueFate {
        switch rules[index].body {
        case .legacy(let rule):
            guard case .target(let xt) = rule.target else {
                // The verdict QUEUE of old.
                return QueueFate(first: 0, count: 1, bypasses: false, readers: queueReaders)
            }
            return queueFate(xt)
        case .nft(let position):
            for listed in nft.listedExpressions(of: nft.rules[position]) {
                if case .target(let xt) = listed.expression, xt.name == "NFQUEUE" { return queueFate(xt) }
                guard case .queue(let first, let count, let flags)? = listed.detail else { continue }
                return QueueFate(first: first, count: count, bypasses: flags & 1 != 0, readers: queueReaders)
            }
            return .unknown
        }
    }

    private func queueFate(_ xt: XtExtension) -> QueueFate {
        guard xt.revision <= 3, let queue = XtQueue(xt) else { return .unknown }
        return QueueFate(
            first: queue.first, count: queue.count, bypasses: queue.flags & 1 != 0, readers: queueReaders)
    }

    /// The same for sets of packets.
    func queueAction(ofRule index: Int) -> RuleBranch.Action {
        switch queueFate(ofRule: index) {
        case .dropped: .drop
        case .accepted: .accept
        case .unknown: .unknown("queue")
        }
    }
}
