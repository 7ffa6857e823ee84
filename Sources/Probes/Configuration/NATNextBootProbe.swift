package import HostAccess
package import HostModel

/// Who translates a network's addresses after the next boot, and whether that lasts.
package struct NATNextBootProbe: Probe {
    package let specification = ProbeSpecification(
        name: "nat-next-boot", summary: "who will translate the network's addresses after the next boot",
        parameters: ["bridge": .string, "network": .string],
        facts: [
            "makers": .strings, "count": .integer, "flushedBy": .strings, "lasting": .boolean, "problems": .strings,
        ], source: .configuration)

    package init() {}

    package func observe(
        _ parameters: ProbeParameters, on host: any Host
    ) throws(ObservationFailure) -> Observation {
        let network = try parameters.prefix("network")
        let services = try BootServices(ConfigurationReader(host: host))
        let found = try NATMakers(bridge: try parameters.string("bridge"), network: network, services)
        let flushers = try NATFlushers(services)
        var flushedBy: [String] = []
        var lasting = false
        for maker in found.makers {
            let sentences = try flushers.flushing(maker)
            flushedBy += sentences
            lasting = lasting || sentences.isEmpty
        }
        var observation = Observation(facts: [
            "makers": .strings(found.makers.map(\.name)), "count": .integer(found.makers.count),
            "flushedBy": .strings(flushedBy), "lasting": .boolean(lasting), "problems": .strings(found.problems),
        ])
        observation.evidence = found.makers.map(\.evidence)
        let source = "\(services.initSystem.rawValue) boot"
        for sentence in flushedBy {
            observation.evidence.append(
                Evidence(source: source, command: "systemctl list-dependencies --after lxc-net", value: sentence))
        }
        for problem in found.problems {
            observation.evidence.append(
                Evidence(source: source, command: services.command("lxc-net"), value: problem))
        }
        if observation.evidence.isEmpty {
            observation.evidence.append(
                Evidence(
                    source: source,
                    command: "grep -rniE 'masquerade|snat' /etc/default /etc/nftables.conf /etc/iptables",
                    value: "nothing translates \(network)"))
        }
        return observation
    }
}
