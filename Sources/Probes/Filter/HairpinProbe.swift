package import HostAccess
package import HostModel
internal import PacketFilter
internal import WireFormats

/// `hairpin {network, bridge, uplink, target}`: port forwardings into the network that the containers themselves cannot
/// use by the host's public address.
///
/// For each rule that sends packets on to a container, the model is asked about one packet from another container to
/// the host's address at the uplink: it has to reach that container, and with an address of the host as its source, or
/// the answer goes straight back and is not recognised.
package struct HairpinProbe: Probe {
    /// Rules beyond these are not asked about.
    private static let maximum = 64

    package init() {}

    package let specification = ProbeSpecification(
        name: "hairpin", summary: "Port forwardings that containers cannot use by the host's own address",
        parameters: ["network": .string, "bridge": .string, "uplink": .string, "target": .string],
        facts: ["forwardings": .integer, "broken": .strings, "why": .string])

    private struct Forwarding {
        var rule: Int
        var container: IPv4Address
        var `protocol`: SamplePacket.Transport
        var port: UInt16
    }

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let network = try parameters.prefix("network").network
        let bridge = try parameters.string("bridge")
        let ruleset = try RulesetState(host: host).ruleset()
        let forwardings = Self.forwardings(ruleset, network)
        guard !forwardings.isEmpty else { throw .notApplicable("no rule forwards a port to a container of \(bridge)") }
        let filter = try NetworkFilter(on: host)
        let state = NetworkState(host: host)
        let uplink = try Uplink(
            named: parameters.string("uplink"), target: try parameters.address("target"), state: state)
        let links = try state.links()
        let index = links.named(uplink.name)?.index
        guard let own = try state.addresses().first(where: { $0.link == index })?.address.address else {
            throw .unknown("no way to the outside: \(uplink.reason)")
        }
        let walk = PacketWalk(ruleset: ruleset, host: filter.forwarding)
        var broken: [String] = []
        var reasons: [String] = []
        var evidence: [Evidence] = []
        for forwarding in forwardings {
            let other = network.hosts(beside: forwarding.container)
            let packet = SamplePacket(
                inputInterface: bridge, source: other, destination: own, protocol: forwarding.protocol,
                sourcePort: 40_000, destinationPort: forwarding.port)
            let result = walk.walk(packet)
            guard result.verdict != .undecided else { continue }
            let reached = result.destinationAfter == forwarding.container
            if reached, let source = result.sourceAfter, !network.contains(source) || source != other { continue }
            let name = "\(forwarding.protocol) \(own):\(forwarding.port) to \(forwarding.container)"
            broken.append(name)
            reasons.append(
                reached ? "the source stays a container's" : "the rule does not take packets of containers")
            evidence.append(
                Evidence(
                    source: ruleset.place(ofRule: forwarding.rule),
                    command: ruleset.command(forRule: forwarding.rule),
                    value: ruleset.text(ofRule: forwarding.rule)))
        }
        if evidence.isEmpty {
            evidence.append(
                Evidence(
                    source: "nfnetlink NFT_MSG_GETRULE", command: "nft list ruleset",
                    value: "\(forwardings.count) forwardings, all usable from within \(network)"))
        }
        return Observation(
            facts: [
                "forwardings": .integer(forwardings.count), "broken": .strings(broken),
                "why": .string(reasons.first ?? ""),
            ], evidence: evidence)
    }

    /// Rules that send one port of one protocol on to a container, in either notation.
    private static func forwardings(_ ruleset: Ruleset, _ network: IPv4Prefix) -> [Forwarding] {
        var found: [Forwarding] = []
        for (index, rule) in ruleset.rules.enumerated() where found.count < maximum {
            let family = ruleset.tables[ruleset.chains[rule.chain].table].name.family
            guard family == .ipv4 || family == .inet, let container = ruleset.newDestination(ofRule: index),
                network.contains(container)
            else { continue }
            let words = ruleset.text(ofRule: index).split(separator: " ").map(String.init)
            guard let place = words.dropLast().firstIndex(where: { $0 == "--dport" || $0 == "dport" }),
                let port = UInt16(words[place + 1])
            else { continue }
            let isUDP = words.contains("udp")
            found.append(
                Forwarding(rule: index, container: container, protocol: isUDP ? .udp : .tcp, port: port))
        }
        return found
    }
}

extension IPv4Prefix {
    /// An address of the network other than this one and the first, which is the gateway's as a rule.
    fileprivate func hosts(beside taken: IPv4Address) -> IPv4Address {
        let first = network.first.value
        return IPv4Address(value: first &+ 2 == taken.value ? first &+ 3 : first &+ 2)
    }
}
