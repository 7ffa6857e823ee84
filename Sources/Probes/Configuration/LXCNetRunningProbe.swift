internal import ConfigFiles
package import HostAccess
package import HostModel
internal import PacketFilter
internal import WireFormats

/// `lxc-net-running {}`: whether lxc-net's settings are still those that it runs with, and what it left behind when they
/// were not.
package struct LXCNetRunningProbe: Probe {
    package let specification = ProbeSpecification(
        name: "lxc-net-running", summary: "lxc-net's settings beside what it runs with, and rules left by older ones",
        parameters: [:], facts: ["up": .boolean, "edited": .strings, "leftovers": .strings])

    package init() {}

    package func observe(
        _ parameters: ProbeParameters, on host: any Host
    ) throws(ObservationFailure) -> Observation {
        let reader = ConfigurationReader(host: host)
        let settings = try LXCNetSettings.read(from: host)
        guard settings.installed, settings.useBridge else { throw .notApplicable("lxc-net makes no bridge here") }
        let up = try reader.first(["/run/lxc/network_up", "/var/run/lxc/network_up"]) != nil
        var edited: [String] = []
        var evidence: [Evidence] = []
        // Of the others it is not the network that would be another.
        for edit in up ? try LXCNetEdits(on: host).all : [] where ["LXC_BRIDGE", "LXC_ADDR"].contains(edit.name) {
            edited.append(edit.words)
            evidence += edit.evidence
        }
        var leftovers: [String] = []
        for (rule, network, ruleset) in try Self.leftovers(settings, host) {
            leftovers.append("\(network)")
            evidence.append(
                Evidence(
                    source: ruleset.place(ofRule: rule), command: ruleset.command(forRule: rule),
                    value: ruleset.text(ofRule: rule)))
        }
        if evidence.isEmpty {
            evidence = [
                settings.evidence("LXC_ADDR", value: settings.address?.description ?? ""),
                Evidence(path: "/run/lxc/network_up", value: up ? "present" : "absent"),
            ]
        }
        return Observation(
            facts: ["up": .boolean(up), "edited": .strings(edited), "leftovers": .strings(leftovers)],
            evidence: evidence)
    }

    /// Rules as lxc-net makes them with iptables, for a network that no link carries and that is not the one set.
    private static func leftovers(
        _ settings: LXCNetSettings, _ host: any Host
    ) throws(ObservationFailure) -> [(rule: Int, network: IPv4Prefix, ruleset: Ruleset)] {
        let ruleset = try RulesetState(host: host).ruleset()
        // Where lxc-net has made its tables with nft, a rule of this form is somebody else's (libvirt's, or by hand).
        guard !ruleset.tables.contains(where: { $0.backend == .nft && $0.name.name == "lxc" }) else { return [] }
        var found: [(rule: Int, network: IPv4Prefix)] = []
        for (index, rule) in ruleset.rules.enumerated() {
            let chain = ruleset.chains[rule.chain]
            guard chain.name == "POSTROUTING", ruleset.tables[chain.table].name.name == "nat" else { continue }
            let words = ruleset.text(ofRule: index).split(separator: " ").map(String.init)
            // -A POSTROUTING -s N ! -d N -j MASQUERADE
            guard words.count == 9, words[2] == "-s", words[4] == "!", words[5] == "-d", words[3] == words[6],
                words.last == "MASQUERADE", let network = IPv4Prefix(words[3])
            else { continue }
            found.append((index, network))
        }
        if found.isEmpty { return [] }
        let carried = try NetworkState(host: host).addresses().map(\.address)
        return found.filter { item in
            item.network != settings.network && !carried.contains { item.network.overlaps($0) }
        }.map { ($0.rule, $0.network, ruleset) }
    }
}
