package import HostAccess
package import HostModel

/// `forwarding {bridge, uplink, target}`: the switches that a packet and its answer need.
///
/// The kernel forwards a packet where the interface that it came in by has `forwarding` set: the bridge for the
/// packet, the uplink for the answer. Source: Documentation/networking/ip-sysctl.rst.
package struct ForwardingProbe: Probe {
    package init() {}

    package let specification = ProbeSpecification(
        name: "forwarding", summary: "IPv4 forwarding: the global switch, the bridge's and the uplink's",
        parameters: ["bridge": .string, "uplink": .string, "target": .string],
        facts: [
            "global": .boolean, "bridge": .boolean, "uplink": .boolean, "uplinkName": .string, "off": .strings,
        ])

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let bridge = try parameters.string("bridge")
        let uplink = try Uplink(
            named: parameters.string("uplink"), target: parameters.address("target"), state: NetworkState(host: host))
        var observation = Observation(facts: ["uplinkName": .string(uplink.name)])
        var off: [String] = []
        let switches: [(fact: String, key: SysctlKey?)] = [
            ("global", SysctlKey("net.ipv4.ip_forward")),
            ("bridge", .ipv4(interface: bridge, "forwarding")),
            ("uplink", uplink.name.isEmpty ? nil : .ipv4(interface: uplink.name, "forwarding")),
        ]
        for (fact, key) in switches {
            guard let key else { continue }
            let value = try SysctlReading(key, on: host)
            observation.evidence.append(value.evidence)
            guard let text = value.text else { continue }
            observation.facts[fact] = .boolean(text != "0")
            if text == "0" { off.append(key.description) }
        }
        observation.facts["off"] = .strings(off)
        return observation
    }
}
