package import HostAccess
package import HostModel
internal import PacketFilter

/// `stray-packets {network, bridge, address, target}`: whether packets that belong to no known connection leave
/// untranslated, and how many of them there were.
///
/// Connection tracking calls a late RST or FIN invalid; such a packet never comes to the nat chains.
package struct StrayPacketsProbe: Probe {
    package init() {}

    package let specification = ProbeSpecification(
        name: "stray-packets", summary: "Whether packets of no known connection leave untranslated",
        parameters: ["network": .string, "bridge": .string, "address": .string, "target": .string],
        facts: ["invalid": .integer, "leave": .boolean, "rule": .string])

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let table = try ConntrackTable(on: host)
        let filter = try NetworkFilter(on: host)
        let bridge = try parameters.string("bridge")
        guard filter.forwarding.link(bridge) != nil else { throw .notApplicable("there is no link \(bridge)") }
        let target = try parameters.address("target")
        let questions = filter.questions(
            network: try parameters.prefix("network"), bridge: bridge, address: try parameters.address("address"),
            target: target)
        // A reset of a connection that nobody remembers: RST is 4.
        let reset = SamplePacket(
            inputInterface: bridge, source: questions.someContainer, destination: target, protocol: .tcp,
            sourcePort: 443, destinationPort: 40000, connectionState: .invalid, tcpFlags: 4)
        let result = questions.walk.walk(reset)
        let leaves = result.verdict == .accepted && result.sourceAfter == reset.source
        return Observation(
            facts: [
                "invalid": .integer(table.counter("invalid")), "leave": .boolean(leaves),
                "rule": .string(result.killer?.text ?? ""),
            ],
            evidence: [table.evidence(["invalid"])]
                + (result.killer.map { [Evidence($0)] }
                    ?? [
                        Evidence(
                            source: "nfnetlink NFT_MSG_GETRULE", command: "nft list ruleset; iptables -S FORWARD",
                            value: leaves
                                ? "no rule drops \(reset) in state invalid"
                                : "\(reset) in state invalid: \(result.verdict.rawValue)")
                    ]))
    }
}
