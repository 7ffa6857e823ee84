package import HostAccess
package import HostModel
internal import PacketFilter

/// `host-output {network, bridge, address, target}`: whether the host's own rules let out what it sends to its containers:
/// DHCP offers, answers to DNS queries, and new connections.
package struct HostOutputProbe: Probe {
    package init() {}

    package let specification = ProbeSpecification(
        name: "host-output", summary: "Whether the rules let out what the host itself sends to a network",
        parameters: ["network": .string, "bridge": .string, "address": .string, "target": .string],
        facts: [
            "dhcp": .string, "dns": .string, "fresh": .string, "rule": .string, "packet": .string, "shape": .string,
        ])

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let filter = try NetworkFilter(on: host)
        let bridge = try parameters.string("bridge")
        guard filter.forwarding.link(bridge) != nil else { throw .notApplicable("there is no link \(bridge)") }
        let address = try parameters.address("address")
        let questions = filter.questions(
            network: try parameters.prefix("network"), bridge: bridge, address: address,
            target: try parameters.address("target"))
        let container = questions.someContainer
        func packet(
            _ transport: SamplePacket.Transport, _ from: UInt16, _ to: UInt16, isAnswer: Bool = false
        ) -> SamplePacket {
            SamplePacket(
                inputInterface: nil, source: address, destination: container, protocol: transport, sourcePort: from,
                destinationPort: to, connectionState: isAnswer ? .established : .new,
                direction: isAnswer ? .reply : .original, tcpFlags: isAnswer ? 18 : 2)
        }
        let questionsAsked: [(fact: String, packet: SamplePacket)] = [
            ("dhcp", packet(.udp, 67, 68)), ("dns", packet(.udp, 53, 40000, isAnswer: true)),
            ("fresh", packet(.tcp, 40000, 22)),
        ]
        var observation = Observation(facts: ["rule": .string(""), "packet": .string(""), "shape": .string("")])
        for (fact, packet) in questionsAsked {
            let result = questions.walk.walk(packet)
            let killer = result.verdict == .dropped ? result.killer : nil
            // Where routing leads elsewhere no rule is to blame: that is another probe's question.
            let isRouting = result.verdict == .dropped && killer?.table == nil
            observation.facts[fact] = .string(isRouting ? "unrouted" : result.verdict.rawValue)
            guard let killer, !isRouting else { continue }
            if observation.facts["rule"] == .string("") {
                observation.facts["rule"] = .string(killer.text)
                observation.facts["packet"] = .string(packet.description)
                // Where the same program drops what is forwarded as well.
                let shape = questions.shape(beside: .forwarded, of: killer, chain: "OUTPUT")
                observation.facts["shape"] = .string(shape?.rawValue ?? "")
            }
            let piece = Evidence(killer)
            if !observation.evidence.contains(piece) { observation.evidence.append(piece) }
        }
        if observation.evidence.isEmpty {
            observation.evidence = [
                Evidence(
                    source: "nfnetlink NFT_MSG_GETRULE", command: "nft list ruleset; iptables -S OUTPUT",
                    value: "no rule drops what the host sends to \(container)")
            ]
        }
        return observation
    }
}
