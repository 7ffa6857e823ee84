/// How containers of a network reach the outside.
package enum TranslationMode: String, Codable, Sendable, CaseIterable {
    /// Source address of whatever uplink the packet takes.
    case masquerade
    /// One of the profile's `snat` addresses.
    case snat
    /// Untranslated: the outside has a route to the containers.
    case routed
    /// No way out.
    case none
}

/// What a profile wants of a service such as DHCP.
package enum Wanted: String, Codable, Sendable, CaseIterable {
    case required, optional, off
}

/// The program that makes a network's bridge and keeps its rules. What belongs to another program than LXC is looked at and
/// never changed: advice is in that program's own terms.
package enum NetworkOwner: String, Codable, Sendable, CaseIterable {
    case lxc, incus, lxd, libvirt, docker
}

/// One network of containers: a bridge, its address, and how it reaches the outside.
package struct Network: Codable, Sendable, Hashable {
    /// Unique in the profile; the bridge's name unless the profile says otherwise.
    package var name: String
    package var bridge: String
    /// The bridge's own address with the prefix length of its subnet: `10.5.0.1/16`.
    package var address: IPv4Prefix
    package var nat: TranslationMode
    /// Addresses that `snat` may translate to.
    package var snat: [IPv4Address]
    package var dhcp: Wanted
    /// First and last address handed out, where the host's settings say.
    package var dhcpRange: [IPv4Address]
    package var dns: Wanted
    /// The interface towards the outside; nil: whatever the routing table says.
    package var uplink: String?
    /// Destinations that are on purpose not translated.
    package var exempt: [IPv4Prefix]
    /// Who makes the bridge; nil: LXC, or the operator.
    package var owner: NetworkOwner?
    /// The bridge's own IPv6 address with its prefix length, as RFC 5952 writes it: `fd42:5::1/64`; nil: no IPv6 wanted.
    package var ipv6: String?
    /// How containers reach the outside by IPv6; nil: translated where the address is private (fc00::/7), else routed.
    package var ipv6NAT: TranslationMode?
    /// Where the packet proof aims; nothing is ever delivered there (TTL 2).
    package var target: IPv4Address
    /// The same for IPv6, where the network has it; nil: the default.
    package var ipv6Target: IPv6Address?

    package init(
        name: String, bridge: String, address: IPv4Prefix, nat: TranslationMode = .masquerade,
        snat: [IPv4Address] = [], dhcp: Wanted = .optional, dhcpRange: [IPv4Address] = [], dns: Wanted = .optional,
        uplink: String? = nil, exempt: [IPv4Prefix] = [], target: IPv4Address = Network.defaultTarget,
        owner: NetworkOwner? = nil, ipv6: String? = nil, ipv6NAT: TranslationMode? = nil,
        ipv6Target: IPv6Address? = nil
    ) {
        self.name = name
        self.bridge = bridge
        self.address = address
        self.nat = nat
        self.snat = snat
        self.dhcp = dhcp
        self.dhcpRange = dhcpRange
        self.dns = dns
        self.uplink = uplink
        self.exempt = exempt
        self.target = target
        self.owner = owner
        self.ipv6 = ipv6
        self.ipv6NAT = ipv6NAT
        self.ipv6Target = ipv6Target
    }

    /// The bridge's own IPv6 address; nil where none is wanted, or where it is written wrongly.
    package var ipv6Prefix: IPv6Prefix? { ipv6.flatMap { IPv6Prefix($0) } }

    /// Whether packets with this network's IPv6 addresses are to be translated: asked for, or private (RFC 4193).
    package var translatesIPv6: Bool {
        guard ipv6 != nil else { return false }
        if let ipv6NAT { return ipv6NAT == .masquerade || ipv6NAT == .snat }
        return ipv6Prefix.map { $0.address.value >> 121 == 0x7e } ?? false
    }

    /// An address of TEST-NET-2 (RFC 5737): documentation space, so that a probe that escaped would go nowhere.
    package static let defaultTarget = IPv4Address(value: 0xc633_6407)

    /// An address of the prefix for documentation (RFC 3849) that no example uses.
    package static let defaultIPv6Target = IPv6Address(value: 0x2001_0db8_c633_6407_0000_0000_0000_0007)

    /// The subnet without host bits: `10.5.0.0/16`.
    package var cidr: IPv4Prefix { address.network }
}

/// How the bytes of an image's archive are known to be the right ones.
package struct ImageChecksum: Codable, Sendable, Hashable, CustomStringConvertible {
    package enum Algorithm: String, Codable, Sendable, CaseIterable {
        case sha256
        /// Keeps accidents out and no attacker: two files with one MD5 are made in seconds (RFC 6151).
        case md5

        /// Hexadecimal digits of a sum.
        package var digits: Int { self == .sha256 ? 64 : 32 }
    }

    package var algorithm: Algorithm
    /// Lowercase hexadecimal.
    package var sum: String

    package init?(_ algorithm: Algorithm, _ text: String) {
        let sum = text.lowercased()
        guard sum.utf8.count == algorithm.digits,
            sum.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else { return nil }
        self.algorithm = algorithm
        self.sum = sum
    }

    package var description: String { "\(algorithm.rawValue) \(sum)" }
}

/// Where an image's archive is to be had.
package struct ImageSource: Codable, Sendable, Hashable {
    /// An absolute path, or an `https:` or `http:` URL.
    package var location: String
    package var checksum: ImageChecksum

    package init(location: String, checksum: ImageChecksum) {
        self.location = location
        self.checksum = checksum
    }

    package var isRemote: Bool { !location.hasPrefix("/") }

    /// The archive's own name: `makina-states-trusty-lxc-25.tar.xz`.
    package var fileName: String {
        let path = location.prefix { $0 != "?" && $0 != "#" }
        return path.split(separator: "/").last.map(String.init) ?? ""
    }
}

/// The base image that new containers are made from.
package struct BaseImage: Codable, Sendable, Hashable {
    /// The container directory below the LXC path, such as `makina-states-trusty`.
    package var name: String
    package var wanted: Wanted
    /// Nil: it is not to be restored.
    package var source: ImageSource?
    /// More than that is not unpacked, in bytes; nil: 32 GiB.
    package var maximumBytes: Int?

    package init(
        name: String, wanted: Wanted = .optional, source: ImageSource? = nil, maximumBytes: Int? = nil
    ) {
        self.name = name
        self.wanted = wanted
        self.source = source
        self.maximumBytes = maximumBytes
    }
}

/// What this host is meant to be.
package struct Profile: Codable, Sendable, Hashable {
    package var name: String
    package var networks: [Network]
    /// The directory of containers; nil: the effective `lxc.lxcpath` of the host.
    package var lxcPath: String?
    package var image: BaseImage?
    /// Room that must be left below the LXC path, in bytes.
    package var minimumFreeBytes: Int

    package static let defaultMinimumFreeBytes = 5 << 30

    package init(
        name: String, networks: [Network], lxcPath: String? = nil, image: BaseImage? = nil,
        minimumFreeBytes: Int = Profile.defaultMinimumFreeBytes
    ) {
        self.name = name
        self.networks = networks
        self.lxcPath = lxcPath
        self.image = image
        self.minimumFreeBytes = minimumFreeBytes
    }
}

/// A profile with the reason for which it was taken, and what that leaves out.
package struct ChosenProfile: Codable, Sendable, Hashable {
    package var profile: Profile
    /// One clause for the report's first line: `lxcbr1 exists`.
    package var because: String
    /// Whether anything on the host, or the user, speaks for this profile. If not, fixing refuses.
    package var supported: Bool
    /// Bridges that were not looked at.
    package var otherBridges: [String]

    package init(profile: Profile, because: String, supported: Bool, otherBridges: [String]) {
        self.profile = profile
        self.because = because
        self.supported = supported
        self.otherBridges = otherBridges
    }
}
