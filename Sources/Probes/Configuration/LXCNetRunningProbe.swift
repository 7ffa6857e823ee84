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
        if up, let server = try reader.dnsmasqOfLXCNet(), try !Self.isOfMakinaJob(server, reader) {
            func compare(_ name: String, _ option: String, _ wanted: String, _ running: [String]) {
                // A default counts where nobody has written anything: then nobody has edited anything either.
                guard !running.isEmpty, !wanted.isEmpty, !running.contains(wanted), settings.locations[name] != nil
                else { return }
                let now = running.joined(separator: ", ")
                edited.append("\(name) is \(wanted), running with \(now)")
                evidence.append(settings.evidence(name, value: wanted))
                evidence.append(
                    Evidence(
                        source: server.commandLineFile, command: "tr '\\0' ' ' < \(server.commandLineFile)",
                        value: "\(option) \(now)"))
            }
            compare("LXC_BRIDGE", "--interface", settings.bridge, server.values(of: "--interface", "-i"))
            compare(
                "LXC_ADDR", "--listen-address", settings.address?.address.description ?? "",
                server.values(of: "--listen-address", "-a").filter { IPv4Address($0) != nil })
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

    /// The makina job keeps its server where lxc-net keeps its own, and does not read lxc-net's settings.
    private static func isOfMakinaJob(
        _ server: DnsmasqProcess, _ reader: ConfigurationReader
    ) throws(ObservationFailure) -> Bool {
        let services = try BootServices(reader)
        for bridge in server.values(of: "--interface", "-i") {
            if try MakinaJob.read(bridge: bridge, services).isPresent { return true }
        }
        return false
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
