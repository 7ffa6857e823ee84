internal import WireFormats

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
        /// To another source port only: the address stays, and no other rule translates the flow any more.
        case sourcePorts
        /// To another destination, or to this host.
        case destinationNat
        /// To a program of the host, if there is one.
        case queue
        /// To a socket or a stand-in of this host, or dropped: it goes no further way. What takes it.
        case taken(String)
        /// Not known to go on: its name.
        case unknown(String)

        var isTranslation: Bool {
            switch self {
            case .masquerade, .sourceNat, .sourcePorts, .destinationNat: true
            default: false
            }
        }
    }

    /// The packets that match, as far as that is known.
    package var box: PacketBox
    /// Conditions that could not be decided, by name: a packet of the box may match or not.
    package var doubts: [String]
    package var action: Action
    /// In the order in which they are made.
    package var effects: [RuleEffect]

    /// The flow is not tracked and so never translated.
    package var notrack: Bool { effects.contains(.notrack) }
}

/// The conditions of a rule while it is being read.
struct BranchBuilder {
    private(set) var box: PacketBox
    private(set) var doubts: [String] = []
    /// How often a condition could not be decided; names alone do not tell, for each is kept once.
    private var doubted = 0
    /// No packet matches.
    private(set) var isNever = false
    /// Where the first change was made.
    private var changed: (box: PacketBox, doubted: Int)?
    private(set) var effects: [RuleEffect] = []
    /// Conditions are passed over: to see what a rule may do at all.
    private let isLenient: Bool

    /// Starts with the packets that are asked about: once none of them is left, the rest of a rule need not be read.
    init(within box: PacketBox, isLenient: Bool = false) {
        self.box = box
        self.isLenient = isLenient
    }

    mutating func require(_ field: PacketField, _ set: IntervalSet, inverted: Bool = false) {
        guard !isNever, !isLenient else { return }
        box[field] = box[field].intersection(inverted ? set.complement : set)
        if box[field].isEmpty { isNever = true }
    }

    /// Keeps the values of a field for which a condition holds; a doubt where they are too many to try.
    mutating func require(_ field: PacketField, or name: String, where holds: (UInt32) -> Bool) {
        guard !isNever, !isLenient else { return }
        guard let set = box[field].filtered(holds) else { return doubt(name) }
        box[field] = set
        if set.isEmpty { isNever = true }
    }

    mutating func require(_ fact: Bool) {
        if !fact, !isLenient { isNever = true }
    }

    /// Of TCP what SYNPROXY and `synproxy` take, or what they do not: that is what has SYN or ACK (synproxy_tg4 in
    /// ipt_SYNPROXY.c, nft_synproxy.c).
    mutating func requireHandshake(_ isTaken: Bool) {
        require(.transport, IntervalSet(6))
        require(.tcpFlags, or: "tcp flags") { ($0 & 0x12 != 0) == isTaken }
    }

    mutating func add(_ effect: RuleEffect) {
        if changed == nil { changed = (box, doubted) }
        effects.append(effect)
    }

    /// What a rule has changed by the time that a condition behind the change fails: that change stays. Which packets
    /// these are is not told further, so all of them may have it or not. Nil where no condition follows a change.
    var leftBehind: RuleBranch? {
        guard !isLenient, let changed, isNever || changed.box != box || changed.doubted != doubted else { return nil }
        return RuleBranch(box: changed.box, doubts: [Self.lateCondition], action: .next, effects: effects)
    }

    private static let lateCondition = "a condition behind a change"

    /// A condition that is not known.
    mutating func doubt(_ name: String) {
        doubted += 1
        if !doubts.contains(name), doubts.count < 8 { doubts.append(name) }
    }

    /// Whether it holds for all the packets that another held for, as surely.
    func isAsWide(as other: BranchBuilder) -> Bool { box == other.box && doubted == other.doubted }

    mutating func require(_ truth: Truth) {
        switch truth {
        case .known(let fact): require(fact)
        case .unknown(let name): doubt(name)
        }
    }

    func branch(_ action: RuleBranch.Action) -> RuleBranch? {
        if isNever { return nil }
        return RuleBranch(
            box: box, doubts: leftBehind == nil ? doubts : doubts + [Self.lateCondition], action: action,
            effects: effects)
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

/// What holds for every packet of a question: where it enters and leaves.
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
    /// Every condition on the interface holds: to find rules whose only obstacle that is.
    var ignoresInput = false
    var ignoresOutput = false
    /// Whether the packet crosses the bridge inside it, so that the physdev tests are not known.
    var isBridged = false
    /// Chains of family bridge see ports, whose names are not known here.
    var isBridgeFamily = false
    /// Before conntrack has seen it.
    var isUnseen = false
    /// Whether a socket keeps a packet that a rule of prerouting gives it. What br_netfilter shows while it is still on the
    /// bridge it loses again (skb_orphan in ip_rcv_core).
    var keepsSockets = false
    /// Whether an end is an address of this host.
    var sourcePlace = Place.outside
    var destinationPlace = Place.outside

    /// PACKET_HOST, or PACKET_BROADCAST for what everybody is asked; nil where it is not known. A bridge sees what is
    /// for another port, too; what it shows to the IP hooks counts as for the host (br_netfilter).
    var packetType: UInt8? {
        switch destinationPlace {
        case .broadcast: 1
        case .host, .outside: isBridgeFamily ? nil : 0
        }
    }

    package init(input: Link?, output: Link?) {
        self.input = input
        self.output = output
    }

    /// What a packet of a state has as `ct state`. Before conntrack has seen it, it counts as invalid.
    func stateBit(_ number: UInt32) -> UInt32 {
        isUnseen && number != SamplePacket.ConnectionState.untracked.number ? 1 : 1 << number
    }
}

extension RuleBranch {
    /// The ways through one rule of a ruleset.
    static func branches(
        of index: Int, in ruleset: Ruleset, _ context: PacketContext, _ reader: inout NftRuleReader,
        within box: PacketBox
    ) -> [RuleBranch] {
        let rule = ruleset.rules[index]
        switch rule.body {
        case .nft(let position):
            return reader.branches(
                of: ruleset.nft.rules[position], table: ruleset.chains[rule.chain].table, within: box)
        case .legacy(let entry):
            return XtRuleReader(ruleset: ruleset, context: context).branches(of: entry, within: box)
        }
    }

    static func branches(of index: Int, in ruleset: Ruleset, _ context: PacketContext) -> [RuleBranch] {
        var reader = NftRuleReader(ruleset, context)
        return branches(of: index, in: ruleset, context, &reader, within: ruleset.everyBox)
    }
}
