import HostModel
import PacketFilter

struct PacketGenerator {
    var random: SeededGenerator

    mutating func packet() -> TestPacket {
        switch random.weighted([(73, 0), (9, 1), (8, 2), (6, 3), (4, 4)]) {
        case 0: return staged(routed())
        case 1: return staged(eastWest())
        case 2: return staged(inbound())
        case 3: return staged(local())
        default: return service()
        }
    }

    /// Of some flows not the first packet is judged, but the answer or the packet after that.
    private mutating func staged(_ packet: TestPacket) -> TestPacket {
        var packet = packet
        if random.chance(6) { packet.sample.timeToLive = random.pick([1, 2, 63, 128]) }
        let stage = random.weighted([(80, TestPacket.Stage.opening), (10, .answer), (6, .again), (4, .error)])
        if packet.sample.connectionState == .new { packet.stage = stage }
        return packet
    }

    /// What a container asks of its host: an address, a name. Also what is for everybody.
    private mutating func service() -> TestPacket {
        let index = random.below(Ground.containers.count)
        let from = Ground.containers[index]
        var sample = SamplePacket(
            inputInterface: Ground.bridge, inputPort: from.port, source: Self.address(from.address),
            destination: Self.address("10.5.0.1"), protocol: .udp, sourcePort: 68, destinationPort: 67)
        switch random.below(6) {
        case 4:
            sample.destination = IPv4Address(value: 0xe000_0001)
            if random.chance(30) { sample.source = IPv4Address(value: 0) }
        case 0: sample.destination = IPv4Address(value: .max)
        case 1:
            sample.source = IPv4Address(value: 0)
            sample.destination = IPv4Address(value: .max)
        case 2: (sample.sourcePort, sample.destinationPort) = (40000, 53)
        case 3:
            (sample.protocol, sample.sourcePort, sample.destinationPort) = (.tcp, 40000, 53)
            if random.chance(20) { sample.tcpFlags = 0xc2 }
        default: break
        }
        return TestPacket(sender: .container(index, to: nil), sample: sample)
    }

    private mutating func transport() -> (SamplePacket.Transport, UInt16, UInt16, UInt8) {
        let source = UInt16(random.pick(Ground.sourcePorts))
        let destination = UInt16(random.pick(Ground.ports))
        switch random.weighted([(42, 0), (33, 1), (14, 2), (3, 3), (2, 4), (2, 5), (1, 6), (3, 7)]) {
        case 0: return (.udp, source, destination, 0)
        case 1: return (.tcp, source, destination, 2)
        // With the two flags that ask for ECN.
        case 7: return (.tcp, source, destination, 0xc2)
        // SYN with FIN is no packet that opens a flow: invalid to conntrack.
        case 3: return (.tcp, source, destination, 3)
        case 2: return (.icmp, 8, 0, 0)
        // A timestamp request opens a flow, an echo reply that nobody asked for does not.
        case 5: return random.chance(50) ? (.icmp, 13, 0, 0) : (.icmp, 0, 0, 3)
        case 6: return (.other(50), 0, 0, 0)
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
        var sample = sample(nil, nil, source, destination)
        // SO_MARK, as a VPN's own packets have it.
        if random.chance(30) { sample.mark = random.pick([7, 0x10, 1]) }
        return TestPacket(sender: .host, sample: sample)
    }

    static func address(_ text: String) -> IPv4Address {
        IPv4Address(text) ?? IPv4Address(value: 0)
    }
}
