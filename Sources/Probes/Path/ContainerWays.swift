package import HostModel
package import PacketFilter

/// Whether single containers are routed as the others are: out by a link, and back to the bridge.
package struct ContainerWays {
    package struct Lost {
        package var isAnswer: Bool
        package var loss: WayBack.Loss
        package var evidence: Evidence
    }

    private let back: WayBack
    private let questions: NetworkQuestions
    /// Of the others.
    private let usualWay: PolicyDecision?
    /// Whether a rule may know single containers as sources.
    private let tellsApart: Bool

    package init(_ back: WayBack, _ questions: NetworkQuestions) {
        self.back = back
        self.questions = questions
        usualWay = Self.way(of: questions.container, questions)
        tellsApart = questions.walk.host.rules.contains { $0.source.map(questions.network.overlaps) ?? false }
    }

    private static func way(of container: IPv4Address, _ questions: NetworkQuestions) -> PolicyDecision? {
        questions.target.map { target in
            questions.walk.host.decision(source: container, destination: target, input: questions.bridge)
        }
    }

    /// What leads nowhere of what this container sends, or of the answers. Nil where both arrive, or nobody has a way out.
    package func lost(of container: IPv4Address) throws(ObservationFailure) -> Lost? {
        guard usualWay?.kind == .unicast, let target = questions.target,
            let way = tellsApart ? Self.way(of: container, questions) : usualWay
        else { return nil }
        guard way.kind == .unicast else {
            guard let loss = try back.refusal(of: way, from: container, to: target) else { return nil }
            return Lost(
                isAnswer: false, loss: loss,
                evidence: Evidence(
                    source: "rtnetlink RTM_GETROUTE, RTM_GETRULE",
                    command: "ip rule; ip route get \(target) from \(container) iif \(questions.bridge)",
                    value: "\(container) to \(target): \(loss.way) (\(loss.reason))"))
        }
        for uplink in way.links {
            if let loss = try back.fate(of: container, from: target, input: uplink).loss {
                return Lost(
                    isAnswer: true, loss: loss,
                    evidence: Evidence(
                        wayTo: container, from: target, input: uplink, loss, bridge: questions.bridge))
            }
        }
        return nil
    }
}
