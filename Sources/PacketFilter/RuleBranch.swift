/// One way through a rule: for which packets, and what then happens. A rule with a verdict map has several.
package struct RuleBranch: Hashable, Sendable {
    package enum Action: Hashable, Sendable {
        /// On to the next rule.
        case next
        case accept, drop
        case `return`
        case jump(String)
        case goto(String)
        case masquerade
        /// Nil: to an address that cannot be told.
        case sourceNat(IntervalSet?)
        /// Not known to go on: its name.
        case unknown(String)
    }

    /// The packets that match, as far as that is known.
    package var box: PacketBox
    /// Conditions that could not be decided, by name: a packet of the box may match or not.
    package var doubts: [String]
    package var action: Action
    /// The flow is not tracked and so never translated.
    package var notrack: Bool
}

/// The conditions of a rule while it is being read.
struct BranchBuilder {
    private(set) var box: PacketBox
    private(set) var doubts: [String] = []
    /// No packet matches.
    private(set) var isNever = false

    /// Starts with the packets that are asked about: once none of them is left, the rest of a rule need not be read.
    init(within box: PacketBox) {
        self.box = box
    }

    mutating func require(_ field: PacketField, _ set: IntervalSet, inverted: Bool = false) {
        guard !isNever else { return }
        box[field] = box[field].intersection(inverted ? set.complement : set)
        if box[field].isEmpty { isNever = true }
    }

    mutating func require(_ fact: Bool) {
        if !fact { isNever = true }
    }

    /// A condition that is not known.
    mutating func doubt(_ name: String) {
        if !doubts.contains(name), doubts.count < 8 { doubts.append(name) }
    }

    mutating func require(_ truth: Truth) {
        switch truth {
        case .known(let fact): require(fact)
        case .unknown(let name): doubt(name)
        }
    }

    func branch(_ action: RuleBranch.Action, notrack: Bool = false) -> RuleBranch? {
        isNever ? nil : RuleBranch(box: box, doubts: doubts, action: action, notrack: notrack)
    }
}

/// True, false, or not known.
enum Truth {
    case known(Bool)
    case unknown(String)

    func inverted(_ inverted: Bool) -> Truth {
        guard inverted, case .known(let fact) = self else { return self }
        return .known(!fact)
    }
}

/// What holds for every packet of a question: where it enters and leaves, and that it opens a flow.
package struct PacketContext: Hashable, Sendable {
    package struct Link: Hashable, Sendable {
        package var name: String
        /// Nil where it was not looked up.
        package var index: UInt32?

        package init(name: String, index: UInt32? = nil) {
            self.name = name
            self.index = index
        }
    }

    package enum State: Sendable {
        case new, established
    }

    package enum Place: Sendable {
        case outside, host, broadcast

        /// RTN_*.
        var type: UInt32 {
            switch self {
            case .outside: 1
            case .host: 2
            case .broadcast: 3
            }
        }
    }

    /// Nil where the host itself sends the packet, and at hooks that do not know it.
    package var input: Link?
    /// Nil before routing.
    package var output: Link?
    /// Whether the packet's mark may be another than 0.
    package var mayBeMarked: Bool
    /// Every condition on the interface holds: to find rules whose only obstacle that is.
    var ignoresInput = false
    var ignoresOutput = false
    /// Whether the packet crosses the bridge inside it, so that the physdev tests are not known.
    var isBridged = false
    /// Chains of family bridge see ports, whose names are not known here.
    var isBridgeFamily = false
    var state = State.new
    /// Whether the packet goes against the direction in which its flow was opened.
    var isReply = false
    /// Before conntrack has seen it.
    var isUnseen = false
    /// Whether an end is an address of this host.
    var sourcePlace = Place.outside
    var destinationPlace = Place.outside

    package init(input: Link?, output: Link?, mayBeMarked: Bool) {
        self.input = input
        self.output = output
        self.mayBeMarked = mayBeMarked
    }

    /// `IP_CT_NEW` as the bit that nft and conntrack use.
    static let newState: UInt32 = 8

    /// The flags of TCP: a connection is opened with SYN and nothing else. Nil: they differ.
    var tcpFlags: UInt8? { state == .new ? 0x02 : nil }

    var stateBit: UInt32 {
        if isUnseen { return 1 }
        return state == .new ? Self.newState : 2
    }
}
