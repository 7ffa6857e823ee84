import HostModel
import PacketFilter
import WireFormats

/// The bytes of a test packet. All carry one IPv4 identification, by which they are known wherever they come out.
enum Frames {
    static let identification: UInt16 = 0xbeef
    /// Where nothing else is wanted.
    static let timeToLive: UInt8 = 64
    /// Local experimental EtherType 1 (IEEE 802): seen by nobody's rules.
    static let fenceType: [UInt8] = [0x88, 0xb5]

    /// - Parameter quoted: the packet that an ICMP error is about.
    static func packet(_ sample: SamplePacket, quoting quoted: [UInt8] = []) -> [UInt8] {
        let payload: [UInt8]
        let from = Array(sample.source.octets)
        let to = Array(sample.destination.octets)
        switch sample.protocol {
        case .udp:
            payload = Segment.udp(
                source: sample.sourcePort, destination: sample.destinationPort, payload: Array("oracle".utf8),
                from: from,
                to: to)
        case .tcp: payload = tcp(sample, from, to)
        case .icmp where !quoted.isEmpty: payload = error(sample, quoted)
        case .icmp: payload = icmp(type: UInt8(truncatingIfNeeded: sample.sourcePort))
        case .other: payload = [UInt8](repeating: 0, count: 8)
        }
        let whole = IPPacket(
            source: .v4(sample.source), destination: .v4(sample.destination), identification: identification,
            timeToLive: sample.timeToLive ?? timeToLive, protocolNumber: sample.protocol.number, payload: payload
        ).encoded
        return sample.fragment ? secondFragment(whole) : whole
    }

    /// The same header, 1,480 bytes in; what follows is the middle of something.
    private static func secondFragment(_ packet: [UInt8]) -> [UInt8] {
        var bytes = packet
        (bytes[6], bytes[7], bytes[10], bytes[11]) = (0, 185, 0, 0)
        var checksum = InternetChecksum()
        checksum.add(Array(bytes[..<20]))
        (bytes[10], bytes[11]) = (UInt8(checksum.value >> 8), UInt8(checksum.value & 0xff))
        return bytes
    }

    private static func tcp(_ sample: SamplePacket, _ from: [UInt8], _ to: [UInt8]) -> [UInt8] {
        var bytes = Segment.tcpSYN(
            source: sample.sourcePort, destination: sample.destinationPort, sequence: 1, from: from, to: to)
        guard sample.tcpFlags != 2, bytes.count >= 20 else { return bytes }
        bytes[13] = sample.tcpFlags
        // Numbers of a handshake, as conntrack wants them: the answer begins at 1000.
        if sample.tcpFlags & 16 != 0 {
            let isAnswer = sample.tcpFlags & 2 != 0
            bytes.replaceSubrange(4..<8, with: isAnswer ? [0, 0, 0x03, 0xe8] : [0, 0, 0, 2])
            bytes.replaceSubrange(8..<12, with: isAnswer ? [0, 0, 0, 2] : [0, 0, 0x03, 0xe9])
        }
        bytes[16] = 0
        bytes[17] = 0
        let sum = InternetChecksum.ofSegment(bytes, protocolNumber: 6, source: from, destination: to)
        bytes[16] = UInt8(sum >> 8)
        bytes[17] = UInt8(sum & 0xff)
        return bytes
    }

    private static func error(_ sample: SamplePacket, _ quoted: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = [
            UInt8(truncatingIfNeeded: sample.sourcePort), UInt8(truncatingIfNeeded: sample.destinationPort), 0, 0, 0, 0,
            0, 0,
        ]
        bytes += quoted
        var checksum = InternetChecksum()
        checksum.add(bytes)
        (bytes[2], bytes[3]) = (UInt8(checksum.value >> 8), UInt8(checksum.value & 0xff))
        return bytes
    }

    static let echoIdentifier: UInt16 = 7

    /// A query or its reply: identifier, sequence number, and enough for three timestamps.
    private static func icmp(type: UInt8) -> [UInt8] {
        var bytes = Segment.icmpEcho(
            identifier: echoIdentifier, sequence: 1, payload: Array("oracle".utf8) + [0, 0, 0, 0, 0, 0])
        (bytes[0], bytes[2], bytes[3]) = (type, 0, 0)
        var checksum = InternetChecksum()
        checksum.add(bytes)
        (bytes[2], bytes[3]) = (UInt8(checksum.value >> 8), UInt8(checksum.value & 0xff))
        return bytes
    }

    static func frame(to destination: String, from source: String, _ packet: [UInt8]) -> [UInt8] {
        Ground.macBytes(destination) + Ground.macBytes(source) + [0x08, 0x00] + packet
    }

    static func fence(_ number: UInt32) -> [UInt8] {
        var bytes = Ground.macBytes("fence1") + Ground.macBytes("fence0") + fenceType
        for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: number >> UInt32(shift))) }
        return bytes + [UInt8](repeating: 0, count: 46)
    }

    /// The IPv4 packet in a frame, where it is one of ours.
    static func ours(_ frame: [UInt8]) -> IPPacket? {
        guard frame.count > 14, frame[12] == 0x08, frame[13] == 0, let packet = IPPacket(frame[14...]),
            packet.identification == identification
        else { return nil }
        return packet
    }
}
