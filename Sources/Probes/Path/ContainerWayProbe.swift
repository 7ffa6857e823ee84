package import HostAccess
package import HostModel
internal import PacketFilter
internal import WireFormats

/// `container-way {network, bridge, address, target}`: by which link containers reach the outside, whether the routing
/// policy gives them another way than the host's own, with which source they leave, and whether the filter of the
/// reverse path lets them and their answers through.
package struct ContainerWayProbe: Probe {
    package init() {}

    package let specification = ProbeSpecification(
        name: "container-way",
        summary: "The way that a network's packets take to the outside, and their answers back",
        parameters: ["network": .string, "bridge": .string, "address": .string, "target": .string],
        facts: [
            "way": .string, "hostWay": .string, "rule": .string, "blocked": .boolean, "diverted": .boolean,
            "translated": .string, "source": .string, "borrowed": .boolean, "borrowedFrom": .string,
            "reversePath": .string, "reverseRule": .string, "reversePacket": .string, "reason": .string,
            "container": .string, "part": .string, "reach": .string,
        ])

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let filter = try NetworkFilter(on: host)
        let bridge = try parameters.string("bridge")
        let target = try parameters.address("target")
        guard filter.forwarding.link(bridge) != nil else { throw .notApplicable("there is no link \(bridge)") }
        let questions = filter.questions(
            network: try parameters.prefix("network"), bridge: bridge, address: try parameters.address("address"),
            target: target)
        guard let first = questions.samples(.forwarded).first else {
            throw .unknown("no packet stands for this network")
        }
        var found = try way(of: first, "containers", questions, filter)
        if !Self.isWrong(found) {
            // A rule may catch some containers only.
            for part in questions.partsRoutedApart where !part.contains(first.source) {
                guard let packet = questions.samples(.forwarded, of: part.first).first else { continue }
                let other = try way(of: packet, "containers of \(part.words)", questions, filter)
                guard Self.isWrong(other) else { continue }
                found = other
                found.facts["part"] = .string(part.words)
                let residents = try NetworkState(host: host).knownAddresses(behind: bridge)
                found.facts["reach"] = .string(
                    part.isAtAnEnd ? "end" : residents.contains(where: part.contains) ? "felt" : "nobody")
                break
            }
        }
        reversePath(questions.samples(.forwarded) + questions.samples(.answered), questions, &found)
        return found
    }

    /// Whether it is refused a way, or has one on which nothing translates.
    private static func isWrong(_ way: Observation) -> Bool {
        way.facts["blocked"] == .boolean(true) || way.facts["translated"] == .string("none")
            || way.facts["translated"] == .string("some")
    }

    private func way(
        of first: SamplePacket, _ senders: String, _ questions: NetworkQuestions, _ filter: NetworkFilter
    ) throws(ObservationFailure) -> Observation {
        let (bridge, target) = (questions.bridge, first.destination)
        let own = filter.forwarding.decision(source: IPv4Address(value: 0), destination: target, input: "lo")
        var way = filter.forwarding.decision(source: first.source, destination: target, input: bridge)
        let sent = questions.walk.walk(first)
        // A rule that marks packets may send them another way than routing alone would.
        let marked = sent.verdict == .accepted ? sent.uplink.flatMap { way.links.contains($0) ? nil : $0 } : nil
        if let marked { way = PolicyDecision(kind: .unicast, links: [marked], rule: nil) }
        guard own.kind == .unicast || way.kind == .unicast else {
            throw .notApplicable("neither the host nor its containers have a route to \(target)")
        }
        var observation = Observation(
            facts: [
                "way": .string(way.words), "hostWay": .string(own.words),
                "rule": .string(way.rule?.description ?? ""), "blocked": .boolean(way.kind != .unicast),
                "diverted": .boolean(way.kind == .unicast && way.links != own.links), "translated": .string(""),
                "source": .string(""), "borrowed": .boolean(false), "borrowedFrom": .string(""),
                "reversePath": .string("none"), "reverseRule": .string(""), "reversePacket": .string(""),
                "reason": .string(""), "container": .string(first.source.description),
                "part": .string(""), "reach": .string("all"),
            ],
            evidence: [
                Evidence(
                    source: "rtnetlink RTM_GETROUTE, RTM_GETRULE",
                    command: "ip rule; ip route get \(target) from \(first.source) iif \(bridge)",
                    value: "\(senders): \(way.words)"
                        + (way.rule.map { " (rule \($0))" } ?? marked.map { _ in " (by a mark)" } ?? "")
                        + "; the host: \(own.words)")
            ])
        if way.kind == .unicast, way.links != own.links { translate(way, own, questions, filter, &observation) }
        source(of: first, sent, questions, &observation)
        return observation
    }

    /// Whether what leaves by another link than the host's own is translated there; `nowhere` where it would not be on the
    /// host's own way either, so that the way is not to blame.
    private func translate(
        _ way: PolicyDecision, _ own: PolicyDecision, _ questions: NetworkQuestions, _ filter: NetworkFilter,
        _ observation: inout Observation
    ) {
        var worst = "all"
        for name in way.links {
            do {
                let answer = try questions.translation(by: name)
                guard answer.translated != .all else { continue }
                worst = answer.translated.rawValue
                if let rule = answer.rule { observation.evidence.append(Evidence(rule: rule, of: filter.ruleset)) }
            } catch {
                worst = "undecided"
                observation.facts["reason"] = .string(error.description)
            }
        }
        let isWrong = worst != "all" && worst != "undecided"
        if isWrong, own.kind == .unicast, !isTranslated(own, questions) { worst = "nowhere" }
        observation.facts["translated"] = .string(worst)
    }

    private func isTranslated(_ way: PolicyDecision, _ questions: NetworkQuestions) -> Bool {
        way.links.allSatisfy { name in
            do { return try questions.translation(by: name).translated == .all } catch { return true }
        }
    }

    /// Whether a rule masquerades, in either notation.
    private static func masquerades(_ rule: String) -> Bool {
        rule.split(separator: " ").contains { $0 == "masquerade" || $0 == "MASQUERADE" }
    }

    /// Masquerading takes an address of another link where the uplink has none of its own.
    private func source(
        of packet: SamplePacket, _ result: WalkResult, _ questions: NetworkQuestions, _ observation: inout Observation
    ) {
        guard result.verdict == .accepted, let after = result.sourceAfter else { return }
        observation.facts["source"] = .string(after.description)
        let host = questions.walk.host
        guard after != packet.source, let uplink = result.uplink.flatMap(host.link),
            result.translatedBy.map({ Self.masquerades($0.text) }) == true,
            !uplink.addresses.contains(where: { $0.scope == 0 }),
            let owner = host.links.first(where: { link in link.addresses.contains { $0.address.address == after } }),
            // A public address on another link may well be routed to this host: an uplink without a number.
            !owner.isLoopback, after.isPrivate
        else { return }
        observation.facts["borrowed"] = .boolean(true)
        observation.facts["borrowedFrom"] = .string(owner.name)
        observation.evidence.append(
            Evidence(
                source: "rtnetlink RTM_GETADDR", command: "ip -4 address show dev \(uplink.name)",
                value: "\(uplink.name) has no IPv4 address; \(after) is that of \(owner.name)"))
    }

    private func reversePath(
        _ packets: [SamplePacket], _ questions: NetworkQuestions, _ observation: inout Observation
    ) {
        for packet in packets {
            let result = questions.walk.walk(packet)
            guard result.verdict == .dropped, let killer = result.killer else { continue }
            let shape = questions.shape(of: killer)
            guard shape == .reversePath || shape == .reversePathRule else { continue }
            observation.facts["reversePath"] = .string(shape == .reversePath ? "sysctl" : "rule")
            observation.facts["reverseRule"] = .string(killer.text)
            observation.facts["reversePacket"] = .string(packet.description)
            observation.evidence.append(Evidence(killer))
            return
        }
    }
}

extension IPv4Address {
    /// RFC 1918, RFC 3927 and RFC 6598: addresses that nobody outside has a route to.
    var isPrivate: Bool {
        value >> 24 == 10 || value >> 20 == 0xac1 || value >> 16 == 0xc0a8 || value >> 16 == 0xa9fe
            || value >> 22 == 0x6440_0000 >> 22
    }
}
