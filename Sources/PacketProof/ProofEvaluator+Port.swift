internal import HostAccess
internal import HostModel
internal import WireFormats

/// What keeps the packets of a real container from the bridge.
extension ProofEvaluator {
    /// Nil where its port received the packet, or where nothing speaks against the port.
    func portKiller(_ sent: IPPacket, _ trail: ProbeTrail) -> Killer? {
        guard !trail.reachedPort, let resident = order.resident else { return nil }
        if isRefused(sent) {
            return Killer(
                hook: "container", text: "a rule of \(resident.title)'s own OUTPUT chains does not let it out")
        }
        guard let state = result.portState else { return nil }
        let port = resident.port
        guard state.isUp else { return Killer(hook: "port", text: "\(port) is down (ip link show \(port))") }
        guard state.forwards else {
            return Killer(hook: "port", text: "the port does not forward (bridge link show dev \(port))")
        }
        guard state.gatewayAnswers == false, let gateway = resident.gateways(of: network.family).first
        else { return nil }
        let question = network.family == .ipv4 ? "ARP" : "neighbour discovery"
        var text = "nobody answers \(question) for the gateway \(gateway) of \(resident.title)"
        if ownAddresses.contains(sent.source) {
            text += ": its source is an address of this host (\(sent.source))"
        } else if sent.source.v4.map({ $0.value >> 24 }) == 127 {
            text += ": its source lies in 127.0.0.0/8"
        }
        return Killer(hook: "container", text: text)
    }

    private func isRefused(_ sent: IPPacket) -> Bool {
        result.refused?.contains { index in
            order.packets.indices.contains(index)
                && IPPacket(order.packets[index].bytes[...])?.identification == sent.identification
        } == true
    }
}
