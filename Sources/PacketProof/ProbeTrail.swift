internal import HostAccess
internal import HostModel
internal import WireFormats

/// The sightings of one probe, put in the order of its way.
struct ProbeTrail {
    /// The probe seen leaving, or stopped by the fence where it would have left.
    struct Exit {
        var interface: String
        var source: IPAddress
        var destination: IPAddress
        /// Nil: really sent. `postrouting` or `input`: stopped by the fence there.
        var hook: String?
        /// The family of the fence.
        var family: String?
    }

    private(set) var reachedPort = false
    /// The positive control: the bridge itself, not just its port, received the probe.
    private(set) var reachedBridge = false
    private(set) var exit: Exit?
    /// Stations of ours in the family of the packet that it passed: `forward.first`. Empty where there were none to pass.
    private(set) var stations: Set<String> = []
    /// Where a rule sent it instead, as far as a station saw; nil where it kept its destination. Under br_netfilter such a
    /// packet leaves the bridge's way for another port, and reaches nobody who looks.
    var divertedTo: IPAddress? {
        kill == nil && exit == nil && !stations.contains("forward.first") ? otherDestination : nil
    }
    private var otherDestination: IPAddress?
    /// The last rule or policy that dropped it.
    private(set) var kill: RuleKill?
    /// An ICMP error about the probe, in words, that came back to the container or was sent towards it.
    private(set) var error: String?
    /// Somebody answered for the target. A reset for a probe that was lost in FORWARD is no answer but a rule that
    /// rejects it in the target's name (`REJECT --reject-with tcp-reset`).
    var answered: Bool { gotAnswer && !(exit == nil && stations.contains("forward.first")) }
    private var gotAnswer = false
    /// Who sent that error.
    private(set) var errorSource: IPAddress?
    /// An answer or an error came into the container.
    private(set) var isBack = false
    /// It went out, and nothing was heard of it again.
    var isUnanswered: Bool { exit != nil && exit?.hook == nil && !isBack && cameBackBy == nil }
    /// The interface by which an answer or an error came to this host.
    private(set) var cameBackBy: String?

    init(of mark: ProbeMark, target: IPAddress, bridge: String, in result: ProbeSightings) {
        for sighting in result.sightings.sorted(by: { $0.microseconds < $1.microseconds }) {
            guard let packet = IPPacket(sighting.packet.bytes[...]) else { continue }
            if mark.matches(packet) {
                note(sighting, packet, bridge, result.port)
                let isStation = sighting.direction == .passed && sighting.family == packet.family.netfilterName
                if isStation, packet.destination != target { otherDestination = packet.destination }
            } else if mark.isQuoted(by: packet) {
                noteError(packet, target)
                noteReturn(sighting, bridge, result.port)
            } else if mark.isAnswered(by: packet) {
                gotAnswer = true
                noteReturn(sighting, bridge, result.port)
            }
        }
        kill = result.kills.last { kill in
            IPPacket(kill.packet.bytes[...]).map(mark.matches) ?? false
        }
    }

    /// Not seen leaving, nor taken by anybody.
    var isLost: Bool { exit == nil && !answered && !stations.contains("input.last") }

    /// Where on the ip way it was lost; nil where no station saw it.
    ///
    /// Stations stand at both ends of each hook: behind the last that saw it and before the next is where it died.
    var lossHook: String? {
        let order = [
            ("postrouting.last", "uplink"), ("postrouting.first", "postrouting"), ("forward.last", "postrouting"),
            ("forward.first", "forward"), ("prerouting.last", "routing"), ("prerouting.first", "prerouting"),
        ]
        return order.first { stations.contains($0.0) }?.1
    }

    private mutating func note(_ sighting: Sighting, _ packet: IPPacket, _ bridge: String, _ port: String) {
        switch sighting.direction {
        case .received:
            if sighting.interface == port { reachedPort = true }
            if sighting.interface == bridge { reachedBridge = true }
        case .sent:
            // The way back down to our own port would be a reflection, not an exit.
            guard sighting.interface != port, exit == nil else { return }
            exit = Exit(interface: sighting.interface, source: packet.source, destination: packet.destination)
        case .fenced:
            // The fence of the packet's own family sees a routed packet first; what it missed the bridge's fence catches.
            guard exit?.hook == nil || exit?.family == "bridge" else { return }
            exit = Exit(
                interface: sighting.interface, source: packet.source, destination: packet.destination,
                hook: sighting.hook ?? "postrouting", family: sighting.family)
        case .passed:
            if sighting.family == packet.family.netfilterName, let hook = sighting.hook { stations.insert(hook) }
        case .returned: break
        }
    }

    private mutating func noteReturn(_ sighting: Sighting, _ bridge: String, _ port: String) {
        switch sighting.direction {
        case .returned: isBack = true
        case .sent: isBack = isBack || sighting.interface == port
        case .received: if sighting.interface != bridge, sighting.interface != port { cameBackBy = sighting.interface }
        case .fenced, .passed: break
        }
    }

    private mutating func noteError(_ packet: IPPacket, _ target: IPAddress) {
        let words: String
        let isClosedPort: Bool
        switch Transport(of: packet) {
        case .icmp(let type, let code, let rest, _):
            words = Self.words(type, code, rest)
            isClosedPort = type == 3 && code == 3
        case .icmpv6(let type, let code, let rest, _):
            words = Self.words6(type, code, rest)
            isClosedPort = type == 1 && code == 4
        default: return
        }
        // The target itself speaking of a closed port is an answer.
        if isClosedPort, packet.source == target { gotAnswer = true }
        guard error == nil else { return }
        errorSource = packet.source
        error = "\(words) from \(packet.source)"
    }

    /// Types and codes of ICMPv6 (RFC 4443 §3).
    private static func words6(_ type: UInt8, _ code: UInt8, _ rest: UInt32) -> String {
        switch (type, code) {
        case (1, 0): "network unreachable"
        case (1, 1), (1, 5), (1, 6): "administratively prohibited"
        case (1, 3): "host unreachable"
        case (1, 4): "port unreachable"
        case (2, _): "packet too big (MTU \(rest))"
        case (3, 0): "time to live exceeded"
        default: "ICMPv6 \(type)/\(code)"
        }
    }

    /// ICMP types and codes as people know them (RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1).
    private static func words(_ type: UInt8, _ code: UInt8, _ rest: UInt32) -> String {
        switch (type, code) {
        case (3, 0): "network unreachable"
        case (3, 1): "host unreachable"
        case (3, 2): "protocol unreachable"
        case (3, 3): "port unreachable"
        case (3, 4): "fragmentation needed (MTU \(rest & 0xffff))"
        case (3, 9), (3, 10), (3, 13): "administratively prohibited"
        case (5, _): "redirect"
        case (11, 0): "time to live exceeded"
        default: "ICMP \(type)/\(code)"
        }
    }
}
