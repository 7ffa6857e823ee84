package import HostAccess
package import HostModel
internal import PacketFilter
internal import WireFormats

/// `source-translation {network, bridge, target, uplink}`: whether every new packet from the network to the outside
/// leaves with an address of the host, whichever backend does it.
package struct SourceTranslationProbe: Probe {
    package init() {}

    package let specification = ProbeSpecification(
        name: "source-translation",
        summary: "Whether every new packet from a network to the outside is masqueraded, and by which rule",
        parameters: ["network": .string, "bridge": .string, "target": .string, "uplink": .string],
        facts: [
            "translated": .string, "defect": .string, "rule": .string, "backends": .strings, "eastWest": .boolean,
            "makers": .strings, "exempted": .strings, "leak": .string, "uplinkName": .string,
        ])

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let target = try parameters.address("target")
        let state = NetworkState(host: host)
        let uplink = try Uplink(named: parameters.string("uplink"), target: target, state: state)
        guard uplink.isFound else { throw .unknown("no way to the outside: \(uplink.reason)") }
        let ruleset = try RulesetState(host: host).ruleset()
        let question = try state.translationQuestion(
            from: parameters.prefix("network"), behind: parameters.string("bridge"), by: uplink.name, to: target)
        let answer: SourceTranslation
        do {
            answer = try question.answer(ruleset)
        } catch {
            throw .unknown(error.description)
        }
        let text = answer.rule.map(ruleset.text(ofRule:)) ?? ""
        return Observation(
            facts: [
                "translated": .string(answer.translated.rawValue), "defect": .string(answer.defect.rawValue),
                "rule": .string(text), "backends": .strings(ruleset.backends.map(\.rawValue)),
                "eastWest": .boolean(answer.eastWest),
                "makers": .strings(answer.makers.map { ruleset.tables[$0].description }),
                "exempted": .strings(answer.exempted.map(\.description)),
                "leak": .string(answer.counterexample.map(Self.text) ?? ""), "uplinkName": .string(uplink.name),
            ],
            evidence: [Self.evidence(answer, ruleset, text, uplink.name)])
    }

    private static func evidence(
        _ answer: SourceTranslation, _ ruleset: Ruleset, _ text: String, _ uplink: String
    ) -> Evidence {
        guard let rule = answer.rule else {
            return Evidence(
                source: "nfnetlink NFT_MSG_GETRULE", command: "nft list ruleset; iptables-save -t nat",
                value: "no rule translates what leaves by \(uplink)")
        }
        return Evidence(
            source: ruleset.place(ofRule: rule), command: ruleset.command(forRule: rule), value: text)
    }

    /// One packet of a set: `udp 10.5.0.2 > 1.0.0.0:53`.
    private static func text(_ box: PacketBox) -> String {
        let transport =
            [17, 6, 1].first { box.transport.contains($0) } ?? box.transport.ranges.first?.lowerBound ?? 0
        let name = transport == 17 ? "udp" : transport == 6 ? "tcp" : transport == 1 ? "icmp" : "protocol \(transport)"
        let source = IPv4Address(value: box.source.ranges.first?.lowerBound ?? 0)
        let destination = IPv4Address(value: box.destination.ranges.first?.lowerBound ?? 0)
        var port = ""
        if let first = box.destinationPort.ranges.first, first.lowerBound > 0 { port = ":\(first.lowerBound)" }
        return "\(name) \(source) > \(destination)\(port)"
    }
}
