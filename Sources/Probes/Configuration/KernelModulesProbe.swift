package import HostAccess
package import HostModel
internal import PacketFilter
internal import WireFormats

/// `kernel-modules {}`: whether the running kernel can still load what a NAT bridge needs.
///
/// After an upgrade that removed the running kernel's modules nothing more can be loaded. A kernel without module
/// support has no /proc/modules and nothing to miss.
package struct KernelModulesProbe: Probe {
    private struct Feature {
        var name: String
        /// Below `/lib/modules/RELEASE/kernel/`, without suffix; one of them is enough.
        var files: [String]
        var modules: [String]
    }

    private static let features = [
        Feature(name: "bridge", files: ["net/bridge/bridge"], modules: ["bridge"]),
        Feature(name: "veth", files: ["drivers/net/veth"], modules: ["veth"]),
        Feature(
            name: "NAT", files: ["net/netfilter/nft_chain_nat", "net/ipv4/netfilter/iptable_nat"],
            modules: ["nft_chain_nat", "iptable_nat"]),
    ]

    package let specification = ProbeSpecification(
        name: "kernel-modules", summary: "whether the running kernel can load what a NAT bridge needs",
        parameters: [:],
        facts: [
            "release": .string, "hasDirectory": .boolean, "otherReleases": .strings, "locked": .boolean,
            "missing": .strings,
        ])

    package init() {}

    package func observe(
        _ parameters: ProbeParameters, on host: any Host
    ) throws(ObservationFailure) -> Observation {
        let reader = ConfigurationReader(host: host)
        guard let text = try reader.bytes("/proc/modules") else {
            throw .notApplicable("this kernel is made without modules")
        }
        let loaded = Set(
            text.split(separator: 0x0a).map { String(decoding: $0.prefix { $0 != 0x20 }, as: UTF8.self) })
        let release: String
        do { release = try host.identity().kernel } catch { throw ObservationFailure(error) }
        let roots = ["/lib/modules", "/usr/lib/modules"]
        let root = try reader.first(roots.map { "\($0)/\(release)" })
        var others: [String] = []
        for directory in roots where root == nil && others.isEmpty { others = try reader.names(directory) }
        if root == nil, others.isEmpty { throw .notApplicable("no kernel's modules lie on this host") }
        let isLocked = try reader.bytes("/proc/sys/kernel/modules_disabled", limit: 64)?.first == 0x31
        let inUse = try Self.inUse(host)
        let builtIn = try root.flatMap { path throws(ObservationFailure) in
            try reader.bytes("\(path)/modules.builtin").map { String(decoding: $0, as: UTF8.self) }
        }
        var missing: [String] = []
        for feature in Self.features where !inUse.contains(feature.name) {
            if feature.modules.contains(where: loaded.contains) { continue }
            if let builtIn, feature.files.contains(where: { builtIn.contains("kernel/\($0).ko") }) { continue }
            let files = feature.files.flatMap { file in ["", ".xz", ".zst", ".gz"].map { "\(file).ko\($0)" } }
            if let root, !isLocked, try reader.first(files.map { "\(root)/kernel/\($0)" }) != nil { continue }
            missing.append(feature.name)
        }
        let directory = "/lib/modules/\(release)"
        var words = [root == nil ? "absent; there is \(others.prefix(4).joined(separator: ", "))" : "present"]
        if isLocked { words.append("loading is turned off (kernel.modules_disabled)") }
        if !missing.isEmpty { words.append("neither loaded nor to be loaded: \(missing.joined(separator: ", "))") }
        return Observation(
            facts: [
                "release": .string(release), "hasDirectory": .boolean(root != nil), "otherReleases": .strings(others),
                "locked": .boolean(isLocked), "missing": .strings(missing),
            ],
            evidence: [
                Evidence(source: directory, command: "uname -r; ls /lib/modules", value: words.joined(separator: "; "))
            ])
    }

    /// What is there to be seen needs no module any more.
    private static func inUse(_ host: any Host) throws(ObservationFailure) -> Set<String> {
        var found: Set<String> = []
        for link in try NetworkState(host: host).links() {
            if link.kind == "bridge" { found.insert("bridge") }
            if link.kind == "veth" { found.insert("veth") }
        }
        if try RulesetState(host: host).ruleset().chains.contains(where: { $0.base?.type == "nat" }) {
            found.insert("NAT")
        }
        return found
    }
}
