import HostModel
import Testing

@testable import WireFormats

/// Probes of IPv6, and what comes back for them.
struct IPv6PacketTests {
    private static let nonce: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]

    private static func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

    private func packet(_ number: UInt8, from: String = "fd42:5::9") throws -> IPPacket {
        let source = try Self.address(from)
        let target = try Self.address("2001:db8::7")
        let segment: [UInt8] =
            switch number {
            case 17:
                Segment.udp(
                    source: 4000, destination: 53, payload: Self.nonce, from: source.octets, to: target.octets)
            case 6:
                Segment.tcpSYN(
                    source: 4000, destination: 443, sequence: ProbeMark.sequence(Self.nonce), from: source.octets,
                    to: target.octets)
            default:
                Segment.icmpv6Echo(
                    identifier: 7, sequence: 1, payload: Self.nonce, from: source.octets, to: target.octets)
            }
        return IPPacket(
            source: source, destination: target, identification: 0xbeef, timeToLive: 2, protocolNumber: number,
            payload: segment)
    }

    private static func sum(_ packet: IPPacket) -> UInt16 {
        InternetChecksum.ofSegment(
            Array(packet.payload), protocolNumber: packet.protocolNumber, source: packet.source.octets,
            destination: packet.destination.octets)
    }

    @Test(arguments: [17, 6, 58] as [UInt8])
    func whatIsEncodedIsDecodedAndSumsToZero(_ number: UInt8) throws {
        let sent = try packet(number)
        let bytes = sent.encoded
        #expect(bytes.count == 40 + sent.payload.count && bytes[0] == 0x60)
        let decoded = try #require(IPPacket(bytes[...]))
        #expect(decoded.source == sent.source && decoded.destination == sent.destination)
        #expect(decoded.identification == 0xbeef && decoded.timeToLive == 2 && decoded.family == .ipv6)
        #expect(Array(decoded.payload) == Array(sent.payload) && Self.sum(decoded) == 0)
        // What was cut short is no packet, and link padding no part of one.
        #expect(IPPacket(bytes.prefix(39)) == nil)
        #expect(IPPacket((bytes + [0, 0, 0])[...])?.payload.count == sent.payload.count)
    }

    @Test(arguments: [17, 6, 58] as [UInt8])
    func aProbeIsKnownAfterTranslationAndInAnError(_ number: UInt8) throws {
        let sent = try packet(number)
        let mark = try #require(ProbeMark(packet: sent.encoded, nonce: Self.nonce))
        var translated = sent
        translated.source = try Self.address("2001:db8:1::2")
        #expect(mark.matches(translated))
        var other = sent
        other.identification = 1
        #expect(!mark.matches(other))
        // Time exceeded (3) of the first router.
        let router = try Self.address("2001:db8:1::1")
        let error = IPPacket(
            source: router, destination: sent.source, identification: 0, timeToLive: 64, protocolNumber: 58,
            payload: Segment.icmpv6(
                type: 3, rest: [0, 0, 0, 0] + sent.encoded, from: router.octets, to: sent.source.octets))
        #expect(mark.isQuoted(by: error) && !mark.matches(error))
    }

    @Test func anEchoReplyIsAnAnswer() throws {
        let sent = try packet(58)
        let mark = try #require(ProbeMark(packet: sent.encoded, nonce: Self.nonce))
        let reply = Segment.icmpv6(
            type: 129, rest: [0, 7, 0, 1] + Self.nonce, from: sent.destination.octets, to: sent.source.octets)
        var answer = IPPacket(
            source: sent.destination, destination: sent.source, identification: 0, timeToLive: 60, protocolNumber: 58,
            payload: reply)
        #expect(mark.isAnswered(by: answer))
        answer.destination = try Self.address("fd42:5::a")
        #expect(!mark.isAnswered(by: answer))
    }

    @Test func neighboursAreAskedAndToldAsTheStandardSays() throws {
        let address = try #require(IPv6Address("fd42:5::12:3456"))
        #expect(NeighbourDiscovery.group(of: address).description == "ff02::1:ff12:3456")
        #expect(NeighbourDiscovery.groupHardwareAddress(of: address) == [0x33, 0x33, 0xff, 0x12, 0x34, 0x56])
        let question = try #require(IPPacket(NeighbourDiscovery.question(for: address)[...]))
        #expect(question.source == .v6(.unspecified) && question.timeToLive == 255 && Self.sum(question) == 0)
        #expect(NeighbourDiscovery.asked(question) == address && NeighbourDiscovery.advertised(question) == nil)
        let asker = try #require(IPv6Address("fe80::1"))
        let answer = try #require(
            IPPacket(NeighbourDiscovery.advertisement(of: address, at: [2, 0, 0, 0, 0, 9], to: asker)[...]))
        #expect(NeighbourDiscovery.advertised(answer) == address && Self.sum(answer) == 0)
        #expect(Array(answer.payload.suffix(8)) == [2, 1, 2, 0, 0, 0, 0, 9])
        // One that came over a router is nobody's.
        var forged = answer
        forged.timeToLive = 254
        #expect(NeighbourDiscovery.advertised(forged) == nil)
    }
}
