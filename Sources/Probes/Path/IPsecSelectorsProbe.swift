package import HostAccess
package import HostModel
internal import PacketFilter
internal import WireFormats

/// `ipsec-selectors {network, bridge, address, target}`: IPsec policies for what a network sends, and whether the packets
/// are translated before IPsec looks at them: then no policy matches any more.
package struct IPsecSelectorsProbe: Probe {
    package init() {}

    package let specification = ProbeSpecification(
        name: "ipsec-selectors", summary: "IPsec policies for a network, and whether translation takes it from them",
        parameters: ["network": .string, "bridge": .string, "address": .string, "target": .string],
        facts: [
            "policies": .strings, "count": .integer, "translated": .strings, "undecided": .boolean, "rule": .string,
            "reason": .string,
        ])

    /// Policies that are asked about.
    private static let most = 64

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let network = try parameters.prefix("network").network
        let bridge = try parameters.string("bridge")
        let policies = try Self.policies(on: host).filter { policy in
            policy.direction == .output && !policy.blocks && policy.source.length > 0
                && policy.source.overlaps(network) && !network.contains(policy.destination)
        }
        guard !policies.isEmpty else { throw .notApplicable("no IPsec policy is for what \(network) sends") }
        let filter = try NetworkFilter(on: host)
        let questions = filter.questions(
            network: network, bridge: bridge, address: try parameters.address("address"),
            target: try parameters.address("target"))
        var observation = Observation(
            facts: [
                "policies": .strings(policies.map(Self.words)), "count": .integer(policies.count), "rule": .string(""),
                "undecided": .boolean(false), "reason": .string(""),
            ],
            evidence: [
                Evidence(
                    source: "xfrm XFRM_MSG_GETPOLICY", command: "ip xfrm policy",
                    value: policies.map(Self.words).joined(separator: ", "))
            ])
        var translated: [String] = []
        for policy in policies.prefix(Self.most) {
            let packet = SamplePacket(
                inputInterface: bridge, source: Self.host(of: policy.source, in: network, questions.someContainer),
                destination: Self.second(policy.destination), protocol: .tcp, sourcePort: 40000, destinationPort: 443)
            let result = questions.walk.walk(packet)
            guard result.verdict != .undecided else {
                observation.facts["undecided"] = .boolean(true)
                observation.facts["reason"] = .string(result.reason ?? "")
                continue
            }
            guard result.verdict == .accepted, result.sourceAfter != packet.source else { continue }
            // A rule that spares what IPsec takes (`-m policy --pol ipsec`) is ahead of the one that translates: the
            // model holds for packets that no policy takes.
            if let exemption = Self.exemption(filter.ruleset) {
                observation.evidence.append(Evidence(rule: exemption, of: filter.ruleset))
                continue
            }
            translated.append(Self.words(policy))
            if let rule = result.translatedBy {
                observation.facts["rule"] = .string(rule.text)
                observation.evidence.append(Evidence(rule))
            }
        }
        observation.facts["translated"] = .strings(translated)
        return observation
    }

    private static func policies(on host: any Host) throws(ObservationFailure) -> [IPsecPolicy] {
        do throws(HostError) {
            // Counting is cheap, and most hosts have none.
            guard let answer = try host.query(.policyInfo).first, try count(answer) != 0 else { return [] }
            let messages = try host.query(.policies)
            do {
                return try IPsecPolicy.all(in: messages)
            } catch {
                throw HostError(.malformed, operation: "xfrm XFRM_MSG_GETPOLICY", message: "\(error)")
            }
        } catch {
            // A kernel without xfrm: EPROTONOSUPPORT, EOPNOTSUPP, EINVAL.
            if error.code == .unsupported || error.code == .notFound || [22, 93, 95].contains(error.errno) {
                return []
            }
            throw ObservationFailure(error)
        }
    }

    private static func count(_ answer: [UInt8]) throws(HostError) -> Int {
        do {
            return try PolicyInfo.count(answer)
        } catch {
            throw HostError(.malformed, operation: "xfrm XFRM_MSG_GETSPDINFO", message: "\(error)")
        }
    }

    /// An address of the network that the selector covers.
    private static func host(of selector: IPv4Prefix, in network: IPv4Prefix, _ container: IPv4Address) -> IPv4Address {
        selector.contains(container) ? container : second(selector.length > network.length ? selector : network)
    }

    /// The first address of a network that is a host's.
    private static func second(_ prefix: IPv4Prefix) -> IPv4Address {
        prefix.length >= 31 ? prefix.first : IPv4Address(value: prefix.first.value + 1)
    }

    /// A rule of a nat chain that asks whether IPsec will take the packet: `-m policy --pol ipsec`, `rt ipsec`.
    private static func exemption(_ ruleset: Ruleset) -> Int? {
        ruleset.rules.indices.first { index in
            ruleset.expressions(ofRule: index).contains { expression in
                switch expression {
                case .match(let xt): XtMatch(xt) == .policy(ipsec: true, out: true)
                case .loaded("rt", _), .loaded("xfrm", _): true
                default: false
                }
            }
        }
    }

    private static func words(_ policy: IPsecPolicy) -> String { "\(policy.source) to \(policy.destination)" }
}
