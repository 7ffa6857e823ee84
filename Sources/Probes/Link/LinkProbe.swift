package import HostAccess
package import HostModel
internal import WireFormats

/// `link {name}`: whether there is such a link, what it is and in which state.
package struct LinkProbe: Probe {
    package init() {}

    package let specification = ProbeSpecification(
        name: "link", summary: "A network interface: its kind, state, hardware address and ports",
        parameters: ["name": .string],
        facts: [
            "exists": .boolean, "kind": .string, "up": .boolean, "carrier": .boolean, "ports": .integer,
            "mtu": .integer, "mac": .string, "index": .integer,
        ])

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let name = try parameters.string("name")
        let links = try NetworkState(host: host).links()
        guard let link = links.named(name) else {
            return Observation(
                facts: ["exists": .boolean(false), "kind": .string("")],
                evidence: [evidence(name, "there is no link \(name)")])
        }
        let ports = links.count { $0.master == link.index }
        var facts: [String: FactValue] = [
            "exists": .boolean(true), "kind": .string(kind(of: link)), "up": .boolean(link.isUp),
            "ports": .integer(ports), "mtu": .integer(link.mtu), "index": .integer(link.index),
        ]
        facts["carrier"] = link.carrier.map { .boolean($0) }
        facts["mac"] = link.mac.map { .string($0.description) }
        var words = ["\(name) is of kind \(kind(of: link))", link.isUp ? "up" : "down"]
        if let carrier = link.carrier { words.append(carrier ? "carrier" : "no carrier") }
        if link.kind == "bridge" { words.append("\(ports) \(ports == 1 ? "port" : "ports")") }
        words.append("mtu \(link.mtu)")
        return Observation(facts: facts, evidence: [evidence(name, words.joined(separator: ", "))])
    }

    /// What the kernel calls it, or a word for links that have no driver name.
    private func kind(of link: Link) -> String {
        link.kind.isEmpty ? link.isLoopback ? "loopback" : "physical" : link.kind
    }

    private func evidence(_ name: String, _ value: String) -> Evidence {
        Evidence(source: "rtnetlink RTM_GETLINK", command: "ip -d link show dev \(name)", value: value)
    }
}
