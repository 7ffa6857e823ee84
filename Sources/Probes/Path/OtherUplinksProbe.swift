package import HostAccess
package import HostModel
internal import PacketFilter

/// `other-uplinks {network, bridge, address, target}`: every default route of the tables that containers may be sent to,
/// and whether their packets would be translated on it, and to an address that belongs there.
package struct OtherUplinksProbe: Probe {
    package init() {}

    package let specification = ProbeSpecification(
        name: "other-uplinks", summary: "Whether a network is translated on every uplink that it may leave by",
        parameters: ["network": .string, "bridge": .string, "address": .string, "target": .string],
        facts: [
            "uplinks": .strings, "count": .integer, "untranslated": .strings, "foreignSource": .strings,
            "inUse": .boolean, "reason": .string, "undecided": .boolean,
        ])

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let filter = try NetworkFilter(on: host)
        let network = try parameters.prefix("network")
        let bridge = try parameters.string("bridge")
        let target = try parameters.address("target")
        let questions = filter.questions(
            network: network, bridge: bridge, address: try parameters.address("address"), target: target)
        let egresses = Self.egresses(filter.forwarding, network: network, bridge: bridge)
        let now = filter.forwarding.decision(source: questions.someContainer, destination: target, input: bridge)
        // What leaves by one link alone now is asked about by the checks of translation themselves.
        let only = now.links.count == 1 ? now.links.first : nil
        var observation = Observation(facts: [
            "uplinks": .strings(egresses.map(\.name)), "count": .integer(egresses.count), "reason": .string(""),
        ])
        var untranslated: [String] = []
        var foreign: [String] = []
        var inUse = false
        var undecided = false
        var isTranslatedAnywhere = false
        for egress in egresses where egresses.count > 1 {
            let answer: SourceTranslation
            do {
                answer = try questions.translation(by: egress.name)
            } catch {
                undecided = true
                observation.facts["reason"] = .string(error.description)
                continue
            }
            let text = answer.rule.map(filter.ruleset.text(ofRule:)) ?? ""
            if answer.translated == .all { isTranslatedAnywhere = true }
            if answer.translated == .all {
                guard let other = Self.owner(ofSourceIn: text, filter.forwarding, egresses, besides: egress.name)
                else { continue }
                foreign.append("\(egress.name): the address of \(other)")
            } else if egress.name != only {
                untranslated.append(egress.name)
            } else {
                continue
            }
            if now.links.contains(egress.name) { inUse = true }
            if let rule = answer.rule { observation.evidence.append(Evidence(rule: rule, of: filter.ruleset)) }
        }
        // Translated nowhere: that is not the second uplink's fault, and the checks of translation say so.
        if !isTranslatedAnywhere { untranslated = [] }
        observation.facts["untranslated"] = .strings(untranslated)
        observation.facts["foreignSource"] = .strings(foreign)
        observation.facts["inUse"] = .boolean(inUse)
        observation.facts["undecided"] = .boolean(undecided)
        observation.evidence.append(
            Evidence(
                source: "rtnetlink RTM_GETROUTE", command: "ip route show table all default",
                value: egresses.isEmpty ? "no default route" : egresses.map(\.route).joined(separator: ", ")))
        return observation
    }

    struct Egress {
        var name: String
        /// `default via 192.0.2.1 dev up1 metric 200`.
        var route: String
    }

    /// The links of default routes in the tables that unmarked packets of the network may be looked up in.
    private static func egresses(_ host: HostForwarding, network: IPv4Prefix, bridge: String) -> [Egress] {
        var tables: Set<UInt32> = host.rules.isEmpty ? [253, 254] : []
        for rule in host.rules where rule.action == 1 && !rule.hasOtherMatch {
            if rule.markMask != 0, !rule.isInverted { continue }
            if !rule.isInverted {
                if let source = rule.source, !source.overlaps(network) { continue }
                if let input = rule.inputInterface, input != bridge { continue }
                if rule.outputInterface != nil { continue }
                // Such a rule looks a table up for everything but its default routes.
                if let length = rule.suppressedPrefixLength, length >= 0 { continue }
            }
            tables.insert(rule.table)
        }
        var found: [Egress] = []
        for route in host.routes
        where route.destination.length == 0 && route.kind == .unicast && tables.contains(route.table) {
            for hop in route.nextHops where !hop.isDead {
                guard let link = host.link(hop.link), link.isUp, link.name != bridge,
                    !found.contains(where: { $0.name == link.name })
                else { continue }
                var words = "default"
                if let gateway = hop.gateway { words += " via \(gateway)" }
                words += " dev \(link.name)"
                if route.table != 254 { words += " table \(HostForwarding.FibRule.tableName(route.table))" }
                if route.metric != 0 { words += " metric \(route.metric)" }
                found.append(Egress(name: link.name, route: words))
            }
        }
        return found
    }

    /// The other uplink whose address a rule gives to what leaves.
    private static func owner(
        ofSourceIn text: String, _ host: HostForwarding, _ egresses: [Egress], besides name: String
    ) -> String? {
        let words = text.split(separator: " ")
        guard let place = words.lastIndex(where: { $0 == "to" || $0 == "--to-source" }), place + 1 < words.count,
            let address = IPv4Address(String(words[place + 1].prefix { $0 != "-" && $0 != ":" }))
        else { return nil }
        func carries(_ link: HostForwarding.Interface?) -> Bool {
            link?.addresses.contains { $0.address.address == address } ?? false
        }
        guard !carries(host.link(name)) else { return nil }
        return egresses.first { $0.name != name && carries(host.link($0.name)) }?.name
    }
}
