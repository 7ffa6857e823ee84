import HostModel
import PacketFilter
import WireFormats

/// One packet to send, and where from.
struct TestPacket {
    enum Sender: Hashable {
        /// Index into `Ground.containers`; to another container's hardware address, or to the bridge's.
        case container(Int, to: Int?)
        /// From outside, by up0 or up1.
        case outside(Int)
        case host
    }

    /// Which packet of its flow it is.
    enum Stage: Hashable {
        case opening
        /// The answer to an opening packet, as that arrived.
        case answer
        /// The next packet of who opened the flow, after an answer.
        case again
        /// The word of who got the opening packet that nobody listens there.
        case error
    }

    var sender: Sender
    var sample: SamplePacket
    var stage = Stage.opening
    /// The packet that an error is about.
    var quoted: [UInt8] = []

    /// Where an opening packet came out: the link of the host, who received it, and the packet.
    struct Sighting {
        var link: String
        /// Who saw it: index into the containers or the uplinks.
        var receiver: Int
        var source: IPv4Address
        var destination: IPv4Address
        var packet: IPPacket

        var ports: (source: UInt16, destination: UInt16) {
            switch Transport(of: packet) {
            case .udp(let source, let destination, _), .tcp(let source, let destination, _, _, _):
                (source, destination)
            default: (0, 0)
            }
        }

        var echoIdentifier: UInt16? {
            if case .icmp(_, _, let rest, _) = Transport(of: packet) { UInt16(rest >> 16) } else { nil }
        }
    }

    /// With all that its sender knows of it besides.
    var described: TestPacket {
        var packet = self
        if packet.sample.timeToLive == nil { packet.sample.timeToLive = Frames.timeToLive }
        packet.sample.length = UInt16(truncatingIfNeeded: Frames.packet(sample, quoting: quoted).count)
        if sender == .host { (packet.sample.user, packet.sample.group) = (0, 0) }
        return packet
    }

    /// The answer of who saw this packet. Nil where there is none, or where a port or the identifier of an echo was
    /// translated: a sample tells of the addresses alone what conntrack makes of them.
    func answer(to seen: Sighting) -> TestPacket? {
        var reply = sample
        switch sample.protocol {
        case .udp, .tcp:
            guard seen.ports == (sample.sourcePort, sample.destinationPort) else { return nil }
            (reply.sourcePort, reply.destinationPort) = (sample.destinationPort, sample.sourcePort)
            // SYN and ACK.
            reply.tcpFlags = 18
        // An echo reply.
        case .icmp where sample.sourcePort == 8 && seen.echoIdentifier == Frames.echoIdentifier:
            (reply.sourcePort, reply.destinationPort) = (0, 0)
        default: return nil
        }
        return comingBack(reply, .established, .answer, seen)
    }

    /// The error of who saw this packet; nil where the flow has no ports, or others than it had.
    func error(about seen: Sighting) -> TestPacket? {
        guard sample.protocol == .udp || sample.protocol == .tcp,
            seen.ports == (sample.sourcePort, sample.destinationPort)
        else { return nil }
        var reply = sample
        // Destination unreachable: the port.
        (reply.protocol, reply.sourcePort, reply.destinationPort) = (.icmp, 3, 3)
        var packet = comingBack(reply, .related, .error, seen)
        packet.quoted = seen.packet.encoded
        return packet
    }

    private func comingBack(
        _ sample: SamplePacket, _ state: SamplePacket.ConnectionState, _ stage: Stage, _ seen: Sighting
    ) -> TestPacket {
        var reply = sample
        (reply.source, reply.destination) = (seen.destination, seen.source)
        (reply.connectionState, reply.direction, reply.mark) = (state, .reply, 0)
        if seen.source != sample.source { reply.mappedDestination = sample.source }
        if seen.destination != sample.destination { reply.mappedSource = sample.destination }
        var packet = self
        packet.stage = stage
        if seen.link == Ground.bridge {
            // Who answers a neighbour knows its hardware address, whoever passed the packet on.
            let other = Ground.containers.indices.first {
                Ground.containers[$0].address == reply.destination.description
            }
            packet.sender = .container(seen.receiver, to: other)
            (reply.inputInterface, reply.inputPort) = (Ground.bridge, Ground.containers[seen.receiver].port)
        } else {
            packet.sender = .outside(seen.receiver)
            (reply.inputInterface, reply.inputPort) = (seen.link, nil)
        }
        packet.sample = reply
        return packet
    }

    /// The next packet in the same direction, once an answer was received.
    func again(after seen: Sighting) -> TestPacket {
        var packet = self
        packet.stage = .again
        packet.sample.connectionState = .established
        // ACK.
        packet.sample.tcpFlags = 16
        if seen.source != sample.source { packet.sample.mappedSource = seen.source }
        if seen.destination != sample.destination { packet.sample.mappedDestination = seen.destination }
        return packet
    }
}
