package import HostModel

/// The question: does every new packet from a subnet to the outside leave with another source address?
package struct SourceTranslationQuestion: Hashable, Sendable {
    package var network: IPv4Prefix
    package var bridge: PacketContext.Link
    package var uplink: PacketContext.Link
    /// An address that counts as outside even where it is private.
    package var target: IPv4Address?
    /// Every address of this host with its prefix; nil where they are not known.
    package var localAddresses: [IPv4Prefix]?
    /// What masquerading takes for an uplink that has no address of its own; nil: it has one, or that is not known.
    package var borrowed: IPv4Address?
    /// Private addresses that this host has on other bridges: whether answers to them come back is not known.
    package var inward = IntervalSet.empty
    /// The hosts of the network that are asked about; nil: all.
    package var sources: IntervalSet?
    /// The destinations that are asked about; nil: whatever can be routed to.
    package var destinations: IntervalSet?
    /// As `PacketContext.keepsSockets`, on the way in by the bridge.
    package var keepsSockets = false
    /// The mark with which they were routed; nil: any.
    package var routedMark: UInt32?

    package init(
        network: IPv4Prefix, bridge: PacketContext.Link, uplink: PacketContext.Link, target: IPv4Address? = nil,
        localAddresses: [IPv4Prefix]? = nil
    ) {
        self.network = network.network
        self.bridge = bridge
        self.uplink = uplink
        self.target = target
        self.localAddresses = localAddresses
    }
}

/// The answer.
package struct SourceTranslation: Hashable, Sendable {
    package enum Extent: String, Sendable {
        case all, some, none
    }

    package enum Defect: String, Sendable {
        case none, missing, shadowed, notrack
        case wrongInterface = "wrong-interface"
        case wrongSubnet = "wrong-subnet"
        case wrongSource = "wrong-source"
    }

    package var translated: Extent
    package var defect: Defect
    /// Index of the rule that translates, or that is to blame; nil where there is none.
    package var rule: Int?
    /// Index of the rule that would have translated the counterexample, had nothing been in its way.
    package var rescuer: Int? = nil
    /// Whether a packet from container to container is translated by a rule.
    package var eastWest: Bool
    /// The tables that translate packets of the subnet, as indices.
    package var makers: [Int]
    /// Private destinations that some rule leaves alone on purpose.
    package var exempted: [IPv4Prefix]
    /// One packet that leaves untranslated.
    package var counterexample: PacketBox?
}

/// Why there is no answer.
package enum UndecidedTranslation: Error, Hashable, Sendable, CustomStringConvertible {
    /// Conditions that would have to be known.
    case unknownConditions([Doubt])
    case limit(String)

    package var description: String {
        switch self {
        case .unknownConditions(let doubts):
            "whether the packets are translated depends on what this program does not know: "
                + doubts.words
        case .limit(let reason): "the ruleset is too large to follow: \(reason)"
        }
    }
}
