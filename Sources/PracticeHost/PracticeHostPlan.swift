/// What the practice host is made to look like.
package enum PracticeProfile: String, Sendable, Hashable, CaseIterable {
    /// lxcbr1 with 10.5.0.1/16, made by the distribution's lxc-net.
    case makina
    /// The values that lxc-net has when nobody sets any: lxcbr0 with 10.0.3.1/24.
    case lxcNet = "lxc-net"
}

/// Which packet filter lxc-net is told to use.
package enum PracticeBackend: String, Sendable, Hashable, CaseIterable {
    case nft
    case iptablesNft = "iptables-nft"
    case iptablesLegacy = "iptables-legacy"
}

/// How containers get IPv6, where they do; by lxc-net's own settings.
package enum PracticeIPv6: String, Sendable, Hashable, CaseIterable {
    /// Private addresses, translated.
    case nat66
    /// Addresses that the far side knows the way to.
    case routed

    /// The bridge's own, with a prefix length of 64.
    var address: String { self == .nat66 ? "fd42:5::1" : "2001:db8:5::1" }
    var network: String { self == .nat66 ? "fd42:5::/64" : "2001:db8:5::/64" }
}

/// A fault by the id of its cause, and one of its variants; nil: the first one.
package struct FaultSelection: Sendable, Hashable, CustomStringConvertible {
    package var id: String
    package var variant: String?

    package init(id: String, variant: String? = nil) {
        self.id = id
        self.variant = variant
    }

    /// From `ID` or `ID=VARIANT`.
    package init(argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        self.id = String(parts[0])
        self.variant = parts.count == 2 ? String(parts[1]) : nil
    }

    package var description: String { variant.map { "\(id)=\($0)" } ?? id }
}

/// One practice host to start, and the command to run in it.
package struct PracticeHostPlan: Sendable, Hashable {
    package static let maximumContainers = 64

    package var profile: PracticeProfile
    package var backend: PracticeBackend
    /// Nil: IPv4 only, on the uplink as well.
    package var ipv6: PracticeIPv6?
    /// How many busybox containers to start, named c1, c2 and so on.
    package var containers: Int
    /// Applied in this order after the healthy start.
    package var faults: [FaultSelection]
    /// Program and arguments; searched on the PATH.
    package var command: [String]
    /// Where the layers lie; they are trusted only if root owns them.
    package var layerDirectory: String
    /// Layers beside `lxc`, such as `ufw`.
    package var layers: [String]

    package init(
        profile: PracticeProfile = .makina, backend: PracticeBackend = .nft, ipv6: PracticeIPv6? = nil,
        containers: Int = 0, faults: [FaultSelection] = [], command: [String],
        layerDirectory: String = defaultLayerDirectory(),
        layers: [String] = []
    ) {
        self.profile = profile
        self.backend = backend
        self.ipv6 = ipv6
        self.containers = containers
        self.faults = faults
        self.command = command
        self.layerDirectory = layerDirectory
        self.layers = layers
    }

    /// The layers that were asked for, and those that the faults need.
    func wantedLayers() throws(PracticeHostError) -> [String] {
        var wanted = layers
        for fault in faults {
            for layer in try resolve(fault, profile: profile, backend: backend).layers where !wanted.contains(layer) {
                wanted.append(layer)
            }
        }
        return wanted
    }

    /// As many containers as were asked for, and at least those that the faults need.
    func wantedContainers() throws(PracticeHostError) -> Int {
        var wanted = containers
        for fault in faults {
            wanted = max(wanted, try resolve(fault, profile: profile, backend: backend).containers)
        }
        return wanted
    }

    /// Refuses what no practice host can be, before anything is touched.
    func validate() throws(PracticeHostError) {
        guard !command.isEmpty else {
            throw .usage("lab run: no command given; write it after `--`")
        }
        guard (0...Self.maximumContainers).contains(containers) else {
            throw .usage("lab run: --containers must lie between 0 and \(Self.maximumContainers)")
        }
        for layer in layers {
            _ = try Layer.named(layer)
        }
        for fault in faults {
            _ = try resolve(fault, profile: profile, backend: backend)
        }
    }
}
