import HostModel
import PacketFilter

/// One packet to send, and where from.
struct TestPacket {
    enum Sender: Hashable {
        /// Index into `Ground.containers`; to another container's hardware address, or to the bridge's.
        case container(Int, to: Int?)
        /// From outside, by up0 or up1.
        case outside(Int)
        case host
    }

    var sender: Sender
    var sample: SamplePacket
    /// Whether an answer was received before, so that conntrack has seen both directions: it is sent, answered by the
    /// other end, and sent again.
    var isEstablished = false
}

struct PacketGenerator {
    var random: SeededGenerator

    mutating func packet() -> TestPacket {
        switch random.weighted([(72, 0), (11, 1), (9, 2), (8, 3)]) {
        case 0: return routed()
        case 1: return eastWest()
        case 2: return inbound()
        default: return local()
        }
    }

    private mutating func transport() -> (SamplePacket.Transport, UInt16, UInt16, UInt8) {
        let source = UInt16(random.pick(Ground.sourcePorts))
        let destination = UInt16(random.pick(Ground.ports))
        switch random.weighted([(42, 0), (36, 1), (16, 2), (3, 3), (3, 4)]) {
        case 0: return (.udp, source, destination, 0)
        case 1: return (.tcp, source, destination, 2)
        // SYN with FIN is no packet that opens a flow: invalid to conntrack.
        case 3: return (.tcp, source, destination, 3)
        case 2: return (.icmp, 8, 0, 0)
        default: return (.other(47), 0, 0, 0)
        }
    }

    private mutating func sample(
        _ input: String?, _ port: String?, _ source: String, _ destination: String
    ) -> SamplePacket {
        let (kind, sourcePort, destinationPort, flags) = transport()
        return SamplePacket(
            inputInterface: input, inputPort: port, source: Self.address(source),
            destination: Self.address(destination),
            protocol: kind, sourcePort: sourcePort, destinationPort: destinationPort,
            connectionState: flags == 3 ? .invalid : .new, tcpFlags: flags)
    }

    private mutating func routed() -> TestPacket {
        let index = random.below(Ground.containers.count)
        let from = Ground.containers[index]
        let destination = random.weighted([
            (80, random.pick(Ground.outside)), (15, random.pick(Ground.own)), (5, "10.66.1.1"),
        ])
        return TestPacket(
            sender: .container(index, to: nil), sample: sample(Ground.bridge, from.port, from.address, destination))
    }

    private mutating func eastWest() -> TestPacket {
        let from = random.below(Ground.containers.count)
        let other = (from + 1 + random.below(Ground.containers.count - 1)) % Ground.containers.count
        return TestPacket(
            sender: .container(from, to: other),
            sample: sample(
                Ground.bridge, Ground.containers[from].port, Ground.containers[from].address,
                Ground.containers[other].address))
    }

    private mutating func inbound() -> TestPacket {
        let uplink = random.below(2)
        let source =
            uplink == 0
            ? random.pick(["198.51.100.7", "203.0.113.50"]) : random.pick(["198.51.100.200", "192.0.2.50"])
        let destination = random.pick(["203.0.113.2", "192.0.2.2", "10.5.0.9", "10.5.1.20", "203.0.113.77"])
        return TestPacket(
            sender: .outside(uplink), sample: sample(Ground.uplinks[uplink], nil, source, destination))
    }

    private mutating func local() -> TestPacket {
        let destination = random.pick(Ground.outside + ["10.5.0.9"])
        let source = destination == "10.5.0.9" ? "10.5.0.1" : random.pick(["203.0.113.2", "192.0.2.2"])
        return TestPacket(sender: .host, sample: sample(nil, nil, source, destination))
    }

    static func address(_ text: String) -> IPv4Address {
        IPv4Address(text) ?? IPv4Address(value: 0)
    }
}
