internal import CLinux

/// The address family of an nftables table (`linux/netfilter.h`, NFPROTO_*).
package struct NftFamily: RawRepresentable, Hashable, Sendable, Codable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// In a request: every family.
    package static let unspecified = NftFamily(rawValue: 0)
    package static let inet = NftFamily(rawValue: 1)
    package static let ipv4 = NftFamily(rawValue: 2)
    package static let arp = NftFamily(rawValue: 3)
    package static let netdev = NftFamily(rawValue: 5)
    package static let bridge = NftFamily(rawValue: 7)
    package static let ipv6 = NftFamily(rawValue: 10)

    /// As `nft` writes it: `ip`, `inet`.
    package var name: String {
        switch self {
        case .inet: "inet"
        case .ipv4: "ip"
        case .arp: "arp"
        case .netdev: "netdev"
        case .bridge: "bridge"
        case .ipv6: "ip6"
        default: "family-\(rawValue)"
        }
    }
}

/// A hook number. The numbers of IPv4, IPv6, inet and bridge agree; netdev and arp count their own.
package struct NftHook: RawRepresentable, Hashable, Sendable, Codable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    package static let prerouting = NftHook(rawValue: 0)
    package static let input = NftHook(rawValue: 1)
    package static let forward = NftHook(rawValue: 2)
    package static let output = NftHook(rawValue: 3)
    package static let postrouting = NftHook(rawValue: 4)
    /// Family inet only.
    package static let inetIngress = NftHook(rawValue: 5)
    /// Family netdev only.
    package static let netdevIngress = NftHook(rawValue: 0)
    /// Family netdev only.
    package static let netdevEgress = NftHook(rawValue: 1)

    /// Family arp only: what comes to this host (NF_ARP_IN).
    package static let arpInput = NftHook(rawValue: 0)
    /// Family arp only: what it sends (NF_ARP_OUT).
    package static let arpOutput = NftHook(rawValue: 1)

    /// As `nft` writes it.
    package func name(in family: NftFamily) -> String {
        if family == .arp, self == .arpInput || self == .arpOutput { return self == .arpInput ? "input" : "output" }
        if family == .netdev { return self == .netdevIngress ? "ingress" : "egress" }
        switch self {
        case .prerouting: return "prerouting"
        case .input: return "input"
        case .forward: return "forward"
        case .output: return "output"
        case .postrouting: return "postrouting"
        case .inetIngress: return "ingress"
        default: return "hook-\(rawValue)"
        }
    }
}

/// What makes a chain a base chain: it is hooked into the packet path.
package struct NftBaseChain: Hashable, Sendable {
    package enum Policy: UInt32, Sendable {
        case drop = 0
        case accept = 1
    }

    /// `filter`, `nat` or `route`.
    package var type: String
    package var hook: NftHook
    /// Lower runs earlier.
    package var priority: Int32
    package var policy: Policy
    /// At ingress and egress: the devices that it is bound to.
    package var devices: [String]

    /// Whether it stands at single devices, before or behind all other hooks: family netdev, and NF_INET_INGRESS.
    package func isOnDevices(in family: NftFamily) -> Bool {
        family == .netdev || family == .inet && hook == .inetIngress
    }

    package init(
        type: String = "filter", hook: NftHook, priority: Int32, policy: Policy = .accept, devices: [String] = []
    ) {
        self.type = type
        self.hook = hook
        self.priority = priority
        self.policy = policy
        self.devices = devices
    }

    /// Of the fence of a packet proof: behind everybody else, but one before conntrack confirms a connection
    /// (NF_IP_PRI_CONNTRACK_CONFIRM): of equals the one that came later is first, and conntrack may come and go with the
    /// rules of others.
    package static let fencePriority = Int32.max - 1

    /// NF_IP_PRI_NAT_SRC, which `nft` calls `srcnat`.
    package static let sourceTranslationPriority: Int32 = 100
}

/// Flags of a table (`linux/netfilter/nf_tables.h`).
package struct NftTableFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// The table is kept but its chains do not run.
    package static let dormant = NftTableFlags(rawValue: 1)
    /// The table belongs to the socket that made it and dies with it (Linux 5.12).
    package static let owner = NftTableFlags(rawValue: 2)
}

/// Which table: its family and its name.
package struct NftTableName: Hashable, Sendable, CustomStringConvertible {
    package var family: NftFamily
    package var name: String

    package init(_ family: NftFamily, _ name: String) {
        self.family = family
        self.name = name
    }

    /// `ip lxc`.
    package var description: String { "\(family.name) \(name)" }
}
