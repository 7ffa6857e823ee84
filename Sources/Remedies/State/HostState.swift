package import HostAccess
package import HostModel
package import WireFormats

/// A network interface, as far as repairs are concerned.
package enum LinkState: Codable, Sendable, Hashable {
    case absent
    /// `kind` as rtnetlink says it: `bridge`, `veth`, empty for hardware. `ports`: links whose master it is.
    case present(kind: String, up: Bool, ports: Int)
}

/// What lies at a path, without following a link.
package enum PathState: Codable, Sendable, Hashable {
    case absent
    case file(FileContent)
    case symbolicLink(String)
    case directory
    /// Anything else, in words.
    case other(String)
}

/// What bears the name of an nft table of family ip.
package enum TableState: Codable, Sendable, Hashable {
    case absent
    /// Exactly the shape of `TranslationTable`, for this network.
    case translation(IPv4Prefix)
    case other
}

/// The interface of a running container behind a veth of this host.
package struct ContainerState: Codable, Sendable, Hashable {
    /// The host's end of the veth.
    package var port: String
    package var hardwareAddress: MACAddress?
    package var addresses: [HeldAddress]

    package init(port: String, hardwareAddress: MACAddress?, addresses: [HeldAddress]) {
        self.port = port
        self.hardwareAddress = hardwareAddress
        self.addresses = addresses
    }
}

/// The part of a host that a plan may change: everything that `Change` can speak of, and nothing else.
///
/// A value: what a change would do is computed by `apply` without touching the host.
package struct HostState: Codable, Sendable, Hashable {
    /// By name; a link that is not listed is absent.
    package var links: [String: LinkState]
    /// IPv4 addresses by link, in the order of the dump.
    package var addresses: [String: [HeldAddress]]
    /// By key; a key that is not listed does not exist.
    package var sysctls: [String: String]
    /// By path; only paths that were looked at.
    package var paths: [String: PathState]
    /// nft tables of family ip by name; a table that is not listed is absent.
    package var tables: [String: TableState]
    /// iptables tables that were looked at; one that is not listed is empty or absent.
    package var rules: [IptablesTable: IptablesListing]
    /// Chains of nftables that were looked at; one that is not listed does not exist.
    package var chains: [NftChainPlace: NftChainListing]
    /// Networks whose way the loaded rules of iptables leave open.
    package var openings: Set<ShorewallReach> = []
    /// firewalld's zone by interface; one that is not listed is in none.
    package var zones: [String: String]
    /// The bridge, bond or VRF of a link; one that is not listed is no port.
    package var masters: [String: String] = [:]
    /// Flows whose source is not translated, where they were looked at.
    package var flows: Set<TrackedFlow> = []
    /// Interfaces of running containers, where they were looked at.
    package var containers: [ContainerInterface: ContainerState] = [:]

    package init(
        links: [String: LinkState] = [:], addresses: [String: [HeldAddress]] = [:], sysctls: [String: String] = [:],
        paths: [String: PathState] = [:], tables: [String: TableState] = [:],
        rules: [IptablesTable: IptablesListing] = [:], chains: [NftChainPlace: NftChainListing] = [:],
        zones: [String: String] = [:]
    ) {
        self.links = links
        self.addresses = addresses
        self.sysctls = sysctls
        self.paths = paths
        self.tables = tables
        self.rules = rules
        self.chains = chains
        self.zones = zones
    }

    package func link(_ name: String) -> LinkState { links[name] ?? .absent }

    package func path(_ path: String) -> PathState { paths[path] ?? .absent }

    package func table(_ name: String) -> TableState { tables[name] ?? .absent }

    package func exists(link name: String) -> Bool { link(name) != .absent }

    package func isBridge(_ name: String) -> Bool {
        if case .present("bridge", _, _) = link(name) { return true }
        return false
    }

    /// The text of a regular file, or nil.
    package func file(_ path: String) -> FileContent? {
        if case .file(let content) = self.path(path) { return content }
        return nil
    }
}
