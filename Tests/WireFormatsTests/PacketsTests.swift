import HostModel
import Testing

@testable import WireFormats

struct PacketsTests {
    static let source: [UInt8] = [10, 5, 0, 9]
    static let destination: [UInt8] = [198, 51, 100, 7]

    static func packet(_ protocolNumber: UInt8, _ segment: [UInt8]) throws -> IPPacket {
        IPPacket(
            source: try #require(IPAddress(octets: source)),
            destination: try #require(IPAddress(octets: destination)), identification: 0xbeef, timeToLive: 2,
            protocolNumber: protocolNumber, payload: segment)
    }

    @Test("RFC 1071 §3, the worked example")
    func checksumExample() {
        var sum = InternetChecksum()
        sum.add([0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7])
        #expect(sum.value == ~0xddf2)
    }

    @Test("An odd byte counts as the high half of a word")
    func checksumOdd() {
        var odd = InternetChecksum()
        odd.add([0x12, 0x34, 0x56])
        var even = InternetChecksum()
        even.add([0x12, 0x34, 0x56, 0x00])
        #expect(odd.value == even.value)
    }

    @Test("What is encoded is decoded, and sums to zero")
    func roundTrip() throws {
        let udp = Segment.udp(
            source: 1000, destination: 53, payload: [1, 2, 3], from: Self.source, to: Self.destination)
        let packet = try Self.packet(17, udp)
        let decoded = try #require(IPPacket(packet.encoded[...]))
        #expect(decoded.source == packet.source && decoded.destination == packet.destination)
        #expect(decoded.identification == 0xbeef && decoded.timeToLive == 2)
        #expect(Transport(of: decoded) == .udp(source: 1000, destination: 53, payload: [1, 2, 3]))
        var header = InternetChecksum()
        header.add(packet.encoded.prefix(20))
        #expect(header.value == 0)
        #expect(
            InternetChecksum.ofSegment(udp, protocolNumber: 17, source: Self.source, destination: Self.destination)
                == 0)
        let syn = try Self.packet(
            6,
            Segment.tcpSYN(source: 7, destination: 443, sequence: 0xfeed_beef, from: Self.source, to: Self.destination))
        #expect(
            Transport(of: syn)
                == .tcp(source: 7, destination: 443, sequence: 0xfeed_beef, acknowledgement: 0, flags: 2))
    }

    @Test("Padding behind the packet is not payload")
    func padding() throws {
        let bytes = try Self.packet(17, [0, 1, 0, 2, 0, 8, 0, 0]).encoded + [UInt8](repeating: 9, count: 18)
        #expect(try #require(IPPacket(bytes[...])).payload.count == 8)
    }

    @Test("Every cut of a packet is refused or decoded, never a trap")
    func cuts() throws {
        let quoted = try Self.packet(
            17, Segment.udp(source: 1, destination: 2, payload: [1, 2, 3, 4, 5, 6, 7, 8], from: [], to: []))
        let error = try Self.packet(1, [3, 1, 0, 0, 0, 0, 0, 0] + quoted.encoded).encoded
        for length in 0...error.count {
            let packet = IPPacket(error.prefix(length))
            #expect((packet == nil) == (length < 20))
            guard let packet else { continue }
            let quote = Transport(of: packet).quoted
            #expect((quote == nil) == (length < 48))
        }
        for length in 0..<64 {
            for type in [CapturedFrame.LinkType.ethernet, .cooked, .cooked2, .raw] {
                _ = CapturedFrame([UInt8](repeating: 0x81, count: length)[...], linkType: type)
            }
        }
    }

    @Test(
        "Headers that lie",
        arguments: [
            [0x65], [0x45], [0x44] + [UInt8](repeating: 0, count: 40),
            // A header length beyond the bytes; a total length below the header.
            [0x4f] + [UInt8](repeating: 0, count: 30), [0x45, 0, 0, 19] + [UInt8](repeating: 0, count: 40),
        ] as [[UInt8]])
    func lies(_ bytes: [UInt8]) {
        #expect(IPPacket(bytes[...]) == nil)
    }

    @Test("VLAN tags are passed over")
    func vlan() throws {
        let inner = try Self.packet(17, []).encoded
        let frame = [UInt8](repeating: 2, count: 12) + [0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 8, 0] + inner
        let decoded = try #require(CapturedFrame(frame[...], linkType: .ethernet))
        #expect(decoded.protocolNumber == 0x0800 && Array(decoded.payload) == inner)
    }

    @Test("A mark is found behind translation and in the quote of an error, and nowhere else")
    func mark() throws {
        let nonce: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]
        let udp = Segment.udp(
            source: 1000, destination: 53, payload: nonce, from: Self.source, to: Self.destination)
        let sent = try Self.packet(17, udp)
        let mark = try #require(ProbeMark(packet: sent.encoded, nonce: nonce))
        var translated = sent
        translated.source = try #require(IPAddress("203.0.113.2"))
        translated.payload[translated.payload.startIndex] = 0x55
        #expect(mark.matches(sent) && mark.matches(translated))
        var other = sent
        other.identification = 1
        #expect(!mark.matches(other))
        let foreign = try Self.packet(17, Segment.udp(source: 1, destination: 2, payload: [9], from: [], to: []))
        #expect(!mark.matches(foreign) && !mark.isQuoted(by: foreign))
        let whole = try Self.packet(1, [11, 0, 0, 0, 0, 0, 0, 0] + sent.encoded)
        let least = try Self.packet(1, [11, 0, 0, 0, 0, 0, 0, 0] + sent.encoded.prefix(28))
        #expect(mark.isQuoted(by: whole) && mark.isQuoted(by: least) && !mark.matches(whole))
        // Three bytes of the nonce, and then three that are not its own.
        let cut = sent.encoded.prefix(31)
        #expect(mark.isQuoted(by: try Self.packet(1, [11, 0, 0, 0, 0, 0, 0, 0] + cut)))
        #expect(!mark.isQuoted(by: try Self.packet(1, [11, 0, 0, 0, 0, 0, 0, 0] + cut.prefix(28) + [7, 7, 7])))
        #expect(!mark.isQuoted(by: try Self.packet(1, [11, 0, 0, 0, 0, 0, 0, 0] + other.encoded)))
    }
}

struct PacketsCaptureFileTests {
    private static func classic(magic: [UInt8], _ record: [UInt8]) -> [UInt8] {
        magic + [2, 0, 4, 0] + [UInt8](repeating: 0, count: 12) + [1, 0, 0, 0] + record
    }

    @Test("Stamps in microseconds and nanoseconds")
    func stamps() throws {
        let record: [UInt8] = [1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0, 7, 8, 9]
        let micro = try CaptureFile(Self.classic(magic: [0xd4, 0xc3, 0xb2, 0xa1], record))
        #expect(micro.records.map(\.nanoseconds) == [1_000_002_000])
        #expect(micro.records.map { Array($0.bytes) } == [[7, 8, 9]])
        let nano = try CaptureFile(Self.classic(magic: [0x4d, 0x3c, 0xb2, 0xa1], record))
        #expect(nano.records.map(\.nanoseconds) == [1_000_000_002])
    }

    @Test("A file that ends inside a record, or is none")
    func malformed() {
        let record: [UInt8] = [1, 0, 0, 0, 2, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 3, 0, 0, 0, 7]
        #expect(throws: CaptureFile.Failure.malformed(offset: 24)) {
            try CaptureFile(Self.classic(magic: [0xd4, 0xc3, 0xb2, 0xa1], record))
        }
        #expect(throws: CaptureFile.Failure.notACapture) { try CaptureFile([1, 2, 3, 4, 5]) }
        #expect(throws: CaptureFile.Failure.notACapture) { try CaptureFile([]) }
        // A pcapng block whose length would not move on.
        #expect(throws: CaptureFile.Failure.malformed(offset: 0)) {
            try CaptureFile([0x0a, 0x0d, 0x0d, 0x0a, 0, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a])
        }
    }
}
