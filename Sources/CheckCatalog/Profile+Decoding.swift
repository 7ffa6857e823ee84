internal import HostModel

extension ProfileEntry {
    /// Reads a profile file: a built-in one, or a user's own.
    package static func read(_ bytes: [UInt8], file: String) throws(CatalogError) -> ProfileEntry {
        let node = try YAMLReader.read(bytes, file: file)
        var fields = try Fields(node, file: file, what: "a profile")
        let name = try fields.required("name").text(file, "name")
        let summary = try fields.optional("summary")?.text(file, "summary") ?? ""
        if let derived = fields.optional("derived") {
            let entry = ProfileEntry(name: name, summary: summary, values: .derived(try derived.text(file, "derived")))
            try fields.finish()
            return entry
        }
        let profile = Profile(
            name: name, networks: try networks(try fields.required("networks"), file),
            lxcPath: try fields.optional("lxcPath").map { node throws(CatalogError) in try path(node, file) },
            image: try fields.optional("image").map { node throws(CatalogError) in try BaseImage.read(node, file) },
            minimumFreeBytes: try fields.optional("minimumFreeBytes").map { node throws(CatalogError) in
                let bytes = try node.integer(file, "minimumFreeBytes")
                guard bytes >= 0 else { throw node.error(file, "minimumFreeBytes must not be negative") }
                return bytes
            } ?? Profile.defaultMinimumFreeBytes)
        try fields.finish()
        return ProfileEntry(name: name, summary: summary, values: .fixed(profile))
    }

    private static func networks(_ node: YAMLNode, _ file: String) throws(CatalogError) -> [Network] {
        var networks: [Network] = []
        for item in try node.items(file, "networks") {
            let network = try network(item, file)
            if networks.contains(where: { $0.name == network.name || $0.bridge == network.bridge }) {
                throw item.error(file, "a second network \(network.name) on bridge \(network.bridge)")
            }
            if let other = networks.first(where: { $0.cidr.overlaps(network.cidr) }) {
                throw item.error(file, "\(network.cidr) overlaps \(other.cidr) of network \(other.name)")
            }
            networks.append(network)
        }
        guard !networks.isEmpty else { throw node.error(file, "a profile needs at least one network") }
        return networks
    }

    private static func network(_ node: YAMLNode, _ file: String) throws(CatalogError) -> Network {
        var fields = try Fields(node, file: file, what: "a network")
        let bridgeNode = try fields.required("bridge")
        let bridge = try link(bridgeNode, file)
        let address = try address(try fields.required("address"), file)
        var network = Network(
            name: try fields.optional("name")?.text(file, "name") ?? bridge, bridge: bridge, address: address)
        if let nat = fields.optional("nat") { network.nat = try nat.word(file, "nat") }
        if let snat = fields.optional("snat") {
            for item in try snat.items(file, "snat") { network.snat.append(try ipv4(item, file)) }
        }
        if let dhcp = fields.optional("dhcp") { network.dhcp = try dhcp.word(file, "dhcp") }
        if let range = fields.optional("dhcpRange") {
            let items = try range.items(file, "dhcpRange")
            for item in items { network.dhcpRange.append(try ipv4(item, file)) }
            guard network.dhcpRange.count == 2, network.dhcpRange[0] <= network.dhcpRange[1] else {
                throw range.error(file, "dhcpRange is [first, last]")
            }
        }
        if let dns = fields.optional("dns") { network.dns = try dns.word(file, "dns") }
        if let uplink = fields.optional("uplink") { network.uplink = try link(uplink, file) }
        if let exempt = fields.optional("exempt") {
            for item in try exempt.items(file, "exempt") { network.exempt.append(try prefix(item, file)) }
        }
        if let owner = fields.optional("owner") { network.owner = try owner.word(file, "owner") }
        if let address = fields.optional("ipv6") { network.ipv6 = try ipv6(address, file) }
        if let nat = fields.optional("ipv6NAT") { network.ipv6NAT = try nat.word(file, "ipv6NAT") }
        if let target = fields.optional("ipv6Target") {
            let text = try target.text(file, "an IPv6 address")
            guard let address = IPv6Address(text) else {
                throw target.error(file, "\"\(text)\" is not an IPv6 address")
            }
            guard network.ipv6Prefix.map({ !$0.contains(address) }) ?? false else {
                throw target.error(file, "the IPv6 target goes with `ipv6`, and must lie outside of it")
            }
            network.ipv6Target = address
        }
        if let target = fields.optional("target") {
            network.target = try ipv4(target, file)
            guard !network.cidr.contains(network.target) else {
                throw target.error(file, "the target must lie outside \(network.cidr)")
            }
        }
        try fields.finish()
        return network
    }

    private static func path(_ node: YAMLNode, _ file: String) throws(CatalogError) -> String {
        let path = try node.text(file, "lxcPath")
        guard path.hasPrefix("/"), !path.contains("\0") else {
            throw node.error(file, "lxcPath must be an absolute path, not \"\(path)\"")
        }
        return path
    }

    /// IFNAMSIZ is 16 with the final NUL (linux/if.h); `dev_valid_name` refuses slashes, colons, blanks, `.`, `..`.
    private static func link(_ node: YAMLNode, _ file: String) throws(CatalogError) -> String {
        let name = try node.text(file, "an interface name")
        guard (1...15).contains(name.utf8.count), name != ".", name != "..",
            name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != 0x2f && $0 != 0x3a })
        else {
            throw node.error(file, "\"\(name)\" cannot be the name of an interface")
        }
        return name
    }

    private static func address(_ node: YAMLNode, _ file: String) throws(CatalogError) -> IPv4Prefix {
        let address = try prefix(node, file)
        guard address.length >= 1, address.length <= 30, address.address != address.first,
            address.address != address.last
        else {
            throw node.error(
                file, "the bridge's own address with its prefix length is wanted, such as 10.5.0.1/16, not \(address)")
        }
        return address
    }

    private static func prefix(_ node: YAMLNode, _ file: String) throws(CatalogError) -> IPv4Prefix {
        let text = try node.text(file, "a prefix")
        guard text.contains("/"), let prefix = IPv4Prefix(text) else {
            throw node.error(file, "\"\(text)\" is not an IPv4 address with prefix length, such as 10.5.0.1/16")
        }
        return prefix
    }

    private static func ipv6(_ node: YAMLNode, _ file: String) throws(CatalogError) -> String {
        let text = try node.text(file, "an IPv6 address")
        guard let prefix = IPv6Prefix(text), (1...127).contains(prefix.length) else {
            throw node.error(
                file,
                "the bridge's own IPv6 address with its prefix length is wanted, such as fd42::1/64, not \"\(text)\"")
        }
        return text.lowercased()
    }

    private static func ipv4(_ node: YAMLNode, _ file: String) throws(CatalogError) -> IPv4Address {
        let text = try node.text(file, "an address")
        guard let address = IPv4Address(text) else {
            throw node.error(file, "\"\(text)\" is not an IPv4 address such as 10.5.0.1")
        }
        return address
    }
}
