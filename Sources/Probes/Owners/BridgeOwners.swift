internal import HostAccess
internal import HostModel
internal import PacketFilter
internal import WireFormats

/// Which program makes a bridge, told by what it leaves behind: chains in the kernel, files of its state.
struct BridgeOwners {
    let ruleset: Ruleset
    let reader: ConfigurationReader
    private let libvirt: [LibvirtNetwork]
    private let hasDocker: Bool

    /// A network of libvirt, from its definition. Source: https://libvirt.org/formatnetwork.html.
    private struct LibvirtNetwork {
        var bridge: String
        /// Nil: no forwarding at all.
        var mode: String?
    }

    init(_ ruleset: Ruleset, _ reader: ConfigurationReader) throws(ObservationFailure) {
        self.ruleset = ruleset
        self.reader = reader
        libvirt = try Self.libvirtNetworks(reader)
        let hasChains = ruleset.chains.contains { chain in
            chain.name.hasPrefix("DOCKER") || ruleset.tables[chain.table].name.name == "docker-bridges"
        }
        let hasFiles = try reader.exists("/var/lib/docker/network")
        hasDocker = hasChains || hasFiles
    }

    /// The owner and what it means the bridge to do; nil where nothing tells.
    func owner(of bridge: String, _ settings: LXCNetSettings) throws(ObservationFailure) -> (
        NetworkOwner, TranslationMode
    )? {
        if settings.installed, settings.useBridge, settings.bridge == bridge { return (.lxc, .masquerade) }
        for (owner, table, directories) in Self.daemons {
            let chains = ruleset.chains.filter { chain in
                let name = ruleset.tables[chain.table].name
                return name.family == .inet && name.name == table && chain.name.hasSuffix(".\(bridge)")
            }
            // With ipv4.nat=false the daemon makes every chain but that of translation.
            if !chains.isEmpty {
                return (owner, chains.contains { $0.name == "pstrt.\(bridge)" } ? .masquerade : .routed)
            }
            let state = try reader.first(directories.map { "\($0)/networks/\(bridge)" })
            if state != nil || isMarked(bridge, owner) {
                return (owner, .masquerade)
            }
        }
        if let network = libvirt.first(where: { $0.bridge == bridge }) {
            switch network.mode {
            case "nat": return (.libvirt, .masquerade)
            case nil: return (.libvirt, .none)
            default: return (.libvirt, .routed)
            }
        }
        if bridge.hasPrefix("virbr"), Int(bridge.dropFirst(5)) != nil { return (.libvirt, .masquerade) }
        if hasDocker, bridge == "docker0" || Self.isDockerName(bridge) { return (.docker, .masquerade) }
        return nil
    }

    /// With the table of its rules and the places of its state.
    private static let daemons: [(NetworkOwner, String, [String])] = [
        (.incus, "incus", ["/var/lib/incus"]), (.lxd, "lxd", ["/var/snap/lxd/common/lxd", "/var/lib/lxd"]),
    ]

    /// With xtables both daemons mark their rules by a comment.
    private func isMarked(_ bridge: String, _ owner: NetworkOwner) -> Bool {
        let mark = "generated for \(owner == .lxd ? "LXD" : "Incus") network \(bridge)"
        return ruleset.rules.indices.prefix(4_096).contains { ruleset.text(ofRule: $0).contains("\"\(mark)\"") }
    }

    /// `br-` and the first twelve hexadecimal digits of the network's id.
    private static func isDockerName(_ name: String) -> Bool {
        name.hasPrefix("br-") && name.utf8.count == 15 && name.dropFirst(3).allSatisfy(\.isHexDigit)
    }

    private static func libvirtNetworks(_ reader: ConfigurationReader) throws(ObservationFailure) -> [LibvirtNetwork] {
        let directory = "/etc/libvirt/qemu/networks"
        var found: [LibvirtNetwork] = []
        for name in try reader.names(directory).prefix(256) where name.hasSuffix(".xml") {
            guard let bytes = try reader.bytes("\(directory)/\(name)", limit: 1 << 18) else { continue }
            let text = String(decoding: bytes, as: UTF8.self)
            guard let bridge = attribute("name", of: "bridge", in: text) else { continue }
            var mode: String?
            if text.contains("<forward") { mode = attribute("mode", of: "forward", in: text) ?? "nat" }
            found.append(LibvirtNetwork(bridge: bridge, mode: mode))
        }
        return found
    }

    /// The value of an attribute of the first element of a name. libvirt writes these files itself, in one form.
    static func attribute(_ name: String, of element: String, in text: String) -> String? {
        guard let start = text.firstRange(of: "<\(element) ") else { return nil }
        let tag = text[start.upperBound...].prefix { $0 != ">" }
        for quote in ["'", "\""] {
            guard let opening = tag.firstRange(of: "\(name)=\(quote)") else { continue }
            let value = tag[opening.upperBound...].prefix { String($0) != quote }
            return value.isEmpty || value.count > 255 ? nil : String(value)
        }
        return nil
    }
}
