package import HostAccess
package import HostModel
internal import PacketFilter

/// `forwarding-filter {network, bridge, address, target}`: whether the rules let the containers' packets through, and
/// the answers, and their DHCP and DNS, and what they send each other.
package struct ForwardingFilterProbe: Probe {
    package init() {}

    package let specification = ProbeSpecification(
        name: "forwarding-filter",
        summary: "Whether the rules forward a network's packets and their answers, and take its DHCP and DNS",
        parameters: ["network": .string, "bridge": .string, "address": .string, "target": .string],
        facts: [
            "forwarded": .string, "forwardedShape": .string, "forwardedRule": .string, "forwardedPacket": .string,
            "allowed": .strings, "closed": .strings,
            "answered": .string, "answeredShape": .string, "answeredRule": .string, "answeredPacket": .string,
            "dhcp": .string, "dns": .string, "inputRule": .string, "inputPacket": .string, "inputShape": .string,
            "eastWest": .string,
            "eastWestShape": .string, "eastWestRule": .string, "eastWestPacket": .string, "eastWestFamily": .string,
            "bridgeNetfilter": .boolean,
            "duplicates": .integer,
            "duplicatedRule": .string, "outsideModel": .strings,
        ])

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let filter = try NetworkFilter(on: host)
        let bridge = try parameters.string("bridge")
        guard let link = filter.forwarding.link(bridge) else { throw .unknown("there is no link \(bridge)") }
        let isShown = filter.forwarding.bridgeNetfilter(of: link)
        let questions = filter.questions(
            network: try parameters.prefix("network"), bridge: bridge, address: try parameters.address("address"),
            target: try parameters.address("target"))
        var observation = Observation(facts: [
            "bridgeNetfilter": .boolean(isShown),
            "outsideModel": .strings(filter.forwarding.outsideModel + filter.forwarding.deviceChains),
        ])
        note(questions, .forwarded, "forwarded", &observation)
        note(questions, .answered, "answered", &observation)
        note(questions, .eastWest, "eastWest", &observation)
        // What makes the rules of IPv4 count between containers at all.
        if isShown, observation.facts["eastWestRule"] != nil, observation.facts["eastWestFamily"] != .string("bridge") {
            observation.show(
                "eastWest", "bridgeNetfilter", by: Evidence(bridgeNetfilter: link, of: filter.forwarding))
        }
        observation.facts["inputShape"] = .string("")
        for (question, name) in [(NetworkQuestion.dhcp, "dhcp"), (.dns, "dns")] {
            let answer = questions.answerOfRules(question)
            // Who sends queries on to another resolver means to: they are heard, though not here.
            let isHeard =
                question == .dns && answer.verdict == .counterexample
                && answer.packet.map { questions.walk.walk($0).verdict == .accepted } ?? false
            observation.facts[name] = .string(isHeard ? "all" : Self.word(answer, questions))
            guard !isHeard, answer.verdict == .counterexample, let killer = answer.decidedBy else { continue }
            observation.facts["inputRule"] = .string(killer.text)
            observation.facts["inputPacket"] = .string(answer.packet?.description ?? "")
            // Of what drops it, where that drops what is forwarded as well: one program, and one repair.
            if let shape = questions.shape(beside: .forwarded, of: killer, chain: "INPUT") {
                observation.facts["inputShape"] = .string(shape.rawValue)
            }
            observation.show(name, by: Evidence(killer))
        }
        let translated = questions.answerOfRules(.translated)
        let maker = translated.verdict == .proven ? translated.provenBy : nil
        let duplicates = maker.map(questions.duplicates) ?? 0
        observation.facts["duplicates"] = .integer(duplicates)
        if duplicates > 0, let maker { observation.show("duplicates", by: Evidence(maker)) }
        observation.facts["duplicatedRule"] = .string(maker?.text ?? "")
        return observation
    }

    private func note(
        _ questions: NetworkQuestions, _ question: NetworkQuestion, _ name: String, _ observation: inout Observation
    ) {
        let answer = questions.answerOfRules(question)
        let word = Self.word(answer, questions)
        observation.facts[name] = .string(word)
        // One service that is closed is the business of whoever closed it.
        if question == .forwarded, word != "all", let open = questions.openEgress(),
            word != "some" || open.stopped.contains(OpenEgress.others)
        {
            note(open, &observation)
            return
        }
        guard answer.verdict == .counterexample, let decisive = answer.decidedBy else { return }
        // Where the usual packets are dropped, what drops those is the matter, not what drops a rare one.
        let usual =
            word == "none"
            ? questions.samples(question).lazy.map { ($0, questions.walk.walk($0)) }
                .first { $0.1.verdict == .dropped && $0.1.killer != nil } : nil
        let killer = usual?.1.killer ?? decisive
        let packet = usual?.0 ?? answer.packet
        let isDropped = usual != nil || answer.packet.map { questions.walk.walk($0).verdict == .dropped } ?? true
        observation.facts[name + "Shape"] = .string(
            isDropped || killer.hook == "routing" ? questions.shape(of: killer).rawValue : "translated")
        observation.facts[name + "Rule"] = .string(killer.text)
        if question == .eastWest { observation.facts["eastWestFamily"] = .string(killer.family ?? "") }
        observation.facts[name + "Packet"] = .string(packet?.description ?? "")
        observation.show(name, by: Evidence(killer))
    }

    /// Rules that are closed with openings in them, on purpose.
    private func note(_ open: OpenEgress, _ observation: inout Observation) {
        observation.facts["forwarded"] = .string(open.width.rawValue)
        observation.facts["allowed"] = .strings(open.passing)
        observation.facts["closed"] = .strings(open.stopped)
        observation.facts["forwardedRule"] = .string(open.killer.text)
        observation.show("forwarded", by: Evidence(open.killer))
        observation.show(
            "forwarded",
            by: Evidence(
                source: "the rules, asked about the usual services", command: "lxc-doctor verify",
                value: "passes: \(open.passing.joined(separator: ", ")); "
                    + "does not: \(open.stopped.joined(separator: ", "))"))
    }

    /// `all`, `some` (the usual packets come through, others do not or may not), `none`, `undecided`. Of what is forwarded
    /// also `most` and `listed`: the width of an open.
    private static func word(_ answer: QuestionAnswer, _ questions: NetworkQuestions) -> String {
        if answer.verdict == .proven { return "all" }
        let isUndecided = answer.verdict == .undecided
        guard answer.question != .dhcp, answer.question != .dns else { return isUndecided ? "undecided" : "none" }
        let results = questions.samples(answer.question).map { ($0, questions.walk.walk($0)) }
        let fates = results.map { packet, result -> Bool? in
            if result.verdict == .undecided { return nil }
            guard result.verdict == .accepted else { return false }
            switch answer.question {
            case .eastWest: return result.sourceAfter == packet.source
            case .answered: return result.uplink == questions.bridge
            default: return true
            }
        }
        if !fates.isEmpty, fates.allSatisfy({ $0 == true }) { return "some" }
        // A rare packet that is dropped says nothing about usual ones whose fate is not known.
        let areUnknown = fates.contains(nil) && !fates.contains(false)
        return isUndecided || areUnknown ? "undecided" : "none"
    }
}
