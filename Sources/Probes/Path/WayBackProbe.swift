package import HostAccess
package import HostModel
internal import PacketFilter

/// `way-back {network, bridge, address, target}`: whether the host routes to the bridge what is for the containers:
/// answers from outside, what it sends itself, and either for every address that a container is known to have.
package struct WayBackProbe: Probe {
    package init() {}

    package let specification = ProbeSpecification(
        name: "way-back",
        summary: "Where the host sends what is for containers: answers from outside, and its own packets",
        parameters: ["network": .string, "bridge": .string, "address": .string, "target": .string],
        facts: [
            "answers": .string, "answersWay": .string, "answersRule": .string,
            "own": .string, "ownWay": .string, "ownRule": .string,
            "lost": .strings, "lostBy": .strings, "lostRule": .string, "known": .integer, "reason": .string,
            "container": .string, "uplink": .string,
        ])

    /// So many known containers are asked about; the kernel answers in some microseconds.
    private static let mostKnown = 64
    private static let mostUplinks = 8

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let filter = try NetworkFilter(on: host)
        let network = try parameters.prefix("network").network
        let bridge = try parameters.string("bridge")
        let address = try parameters.address("address")
        let target = try parameters.address("target")
        let questions = filter.questions(network: network, bridge: bridge, address: address, target: target)
        let back = try WayBack(to: bridge, of: network, filter.forwarding, on: host)
        let uplinks = Self.uplinks(questions, target).prefix(Self.mostUplinks)
        guard let uplink = uplinks.first else {
            throw .notApplicable("neither the host nor its containers have a route to \(target)")
        }
        let container = questions.container
        var observation = Observation(facts: [
            "lost": .strings([]), "lostBy": .strings([]), "lostRule": .string(""), "reason": .string(""),
            "container": .string(container.description), "uplink": .string(uplink),
        ])
        var answers = WayBack.Fate.arrives
        var input = uplink
        for name in uplinks where answers == .arrives {
            answers = try back.fate(of: container, from: target, input: name)
            input = name
        }
        for answer in questions.samples(.answered) where answers == .arrives {
            answers = back.fate(of: answer, questions.walk.walk(answer))
            input = answer.inputInterface ?? input
        }
        observation.note(answers, "answers", bridge)
        observation.facts["uplink"] = .string(input)
        let own = try back.fate(of: container, from: address, input: nil)
        observation.note(own, "own", bridge)
        let known = try NetworkState(host: host).knownAddresses(behind: bridge).filter {
            network.contains($0) && $0 != address
        }
        let seen = [
            (answers.loss, Evidence(wayTo: container, from: target, input: input, answers.loss, bridge: bridge)),
            (own.loss, Evidence(wayTo: container, from: address, input: nil, own.loss, bridge: bridge)),
        ]
        observation.evidence = seen.filter { $0.0 != nil }.map(\.1)
        try note(known.prefix(Self.mostKnown), of: back, from: target, by: Array(uplinks), bridge, &observation)
        // What is well is shown where nothing is wrong.
        if observation.evidence.isEmpty { observation.evidence = seen.map(\.1) }
        return observation
    }

    /// The links by which answers come.
    private static func uplinks(_ questions: NetworkQuestions, _ target: IPv4Address) -> [String] {
        let host = questions.walk.host
        var names = questions.samples(.answered).compactMap(\.inputInterface)
        let way = host.decision(source: questions.container, destination: target, input: questions.bridge)
        let own = host.decision(source: IPv4Address(value: 0), destination: target, input: "lo")
        names += (way.kind == .unicast ? way : own).links
        var seen: Set<String> = [questions.bridge]
        return names.filter { seen.insert($0).inserted }
    }

    private func note(
        _ known: some Collection<IPv4Address>, of back: WayBack, from target: IPv4Address, by uplinks: [String],
        _ bridge: String, _ observation: inout Observation
    ) throws(ObservationFailure) {
        observation.facts["known"] = .integer(known.count)
        var lost: [String] = []
        var culprits: Set<String> = []
        for container in known {
            for uplink in uplinks {
                guard let loss = try back.fate(of: container, from: target, input: uplink).loss else { continue }
                lost.append("\(container) (\(loss.way))")
                culprits.insert(loss.culprit.rawValue)
                if lost.count == 1 { observation.facts["lostRule"] = .string(loss.reason) }
                if lost.count <= 8 {
                    observation.evidence.append(
                        Evidence(wayTo: container, from: target, input: uplink, loss, bridge: bridge))
                }
                break
            }
        }
        observation.facts["lost"] = .strings(lost)
        observation.facts["lostBy"] = .strings(culprits.sorted())
    }
}

extension WayBack.Fate {
    package var loss: WayBack.Loss? { if case .lost(let loss) = self { loss } else { nil } }
}

extension WayBack.Loss {
    package var culprit: WayBack.Culprit { isByRule ? .rule : .route }
}

extension Observation {
    /// `bridge`, `undecided`, or who leads it away.
    fileprivate mutating func note(_ fate: WayBack.Fate, _ name: String, _ bridge: String) {
        facts[name + "Way"] = .string(fate.loss?.way ?? "by \(bridge)")
        facts[name + "Rule"] = .string(fate.loss?.reason ?? "")
        switch fate {
        case .arrives: facts[name] = .string("bridge")
        case .lost(let loss): facts[name] = .string(loss.culprit.rawValue)
        case .unknown(let reason):
            facts[name] = .string("undecided")
            facts["reason"] = .string(reason)
        }
    }
}
