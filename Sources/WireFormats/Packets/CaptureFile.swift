/// The packets of a capture file: classic pcap (microseconds or nanoseconds, either byte order) or pcapng.
///
/// Source: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
package struct CaptureFile: Sendable {
    package struct Record: Sendable, Hashable {
        /// Since the epoch.
        package var nanoseconds: Int
        /// `if_name` of the pcapng interface block; empty where the file does not say.
        package var interface: String
        package var linkType: CapturedFrame.LinkType
        package var bytes: ArraySlice<UInt8>
    }

    package enum Failure: Error, Sendable, Hashable {
        case notACapture
        /// The file ends inside a block, or a length leads out of it.
        case malformed(offset: Int)
    }

    package private(set) var records: [Record] = []

    package init(_ bytes: [UInt8]) throws(Failure) {
        let head = PacketBytes(bytes[...]).longWord(0)
        switch head {
        case 0xa1b2_c3d4: try readClassic(bytes, bigEndian: true, nanosecondStamps: false)
        case 0xa1b2_3c4d: try readClassic(bytes, bigEndian: true, nanosecondStamps: true)
        case 0xd4c3_b2a1: try readClassic(bytes, bigEndian: false, nanosecondStamps: false)
        case 0x4d3c_b2a1: try readClassic(bytes, bigEndian: false, nanosecondStamps: true)
        case 0x0a0d_0d0a: try readNextGeneration(bytes)
        default: throw .notACapture
        }
    }

    private mutating func readClassic(
        _ bytes: [UInt8], bigEndian: Bool, nanosecondStamps: Bool
    ) throws(Failure) {
        let fields = Fields(bytes, bigEndian: bigEndian)
        guard let link = fields.longWord(20) else { throw .malformed(offset: 0) }
        guard let linkType = CapturedFrame.LinkType(Int32(link & 0xffff)) else { return }
        var offset = 24
        while offset < bytes.count {
            guard let seconds = fields.longWord(offset), let fraction = fields.longWord(offset + 4),
                let length = fields.longWord(offset + 8), let data = fields.slice(offset + 16, Int(length))
            else { throw .malformed(offset: offset) }
            records.append(
                Record(
                    nanoseconds: Int(seconds) * 1_000_000_000 + Int(fraction) * (nanosecondStamps ? 1 : 1000),
                    interface: "", linkType: linkType, bytes: data))
            offset += 16 + Int(length)
        }
    }

    /// What an interface description block says (pcapng §4.2).
    private struct Interface {
        var linkType: CapturedFrame.LinkType?
        var name = ""
        /// How many stamps make one second.
        var resolution: UInt64 = 1_000_000
    }

    private mutating func readNextGeneration(_ bytes: [UInt8]) throws(Failure) {
        var fields = Fields(bytes, bigEndian: false)
        var interfaces: [Interface] = []
        var offset = 0
        while offset < bytes.count {
            guard let type = fields.longWord(offset) else { throw .malformed(offset: offset) }
            if type == 0x0a0d_0d0a {
                // A section header says the byte order of all that follows, its own length included.
                guard let magic = PacketBytes(bytes[...]).longWord(offset + 8) else { throw .malformed(offset: offset) }
                fields = Fields(bytes, bigEndian: magic == 0x1a2b_3c4d)
                interfaces = []
            }
            guard let length = fields.longWord(offset + 4), length >= 12, length % 4 == 0,
                Int(length) <= bytes.count - offset
            else { throw .malformed(offset: offset) }
            let body = offset + 8
            let end = offset + Int(length) - 4
            switch type {
            case 1:
                guard interfaces.count < 4096 else { throw .malformed(offset: offset) }
                interfaces.append(interface(fields, body, end))
            case 6:
                try readEnhancedPacket(fields, body, end, interfaces)
            default: break
            }
            offset += Int(length)
        }
    }

    private func interface(_ fields: Fields, _ body: Int, _ end: Int) -> Interface {
        var result = Interface()
        if let link = fields.word(body) { result.linkType = CapturedFrame.LinkType(Int32(link)) }
        var option = body + 8
        while option + 4 <= end, let code = fields.word(option), let length = fields.word(option + 2), code != 0 {
            guard let value = fields.slice(option + 4, Int(length)), option + 4 + Int(length) <= end else { break }
            if code == 2 {
                result.name = String(decoding: value.prefix(while: { $0 != 0 }), as: UTF8.self)
            } else if code == 9, let power = value.first {
                result.resolution = Self.resolution(power)
            }
            option += 4 + (Int(length) + 3) / 4 * 4
        }
        return result
    }

    /// `if_tsresol`: a negative power of ten, or of two with the high bit set. What cannot be held counts as 10⁻⁹.
    private static func resolution(_ power: UInt8) -> UInt64 {
        let exponent = Int(power & 0x7f)
        if power & 0x80 != 0 { return exponent < 64 ? 1 << UInt64(exponent) : 1_000_000_000 }
        guard exponent <= 9 else { return 1_000_000_000 }
        return (0..<exponent).reduce(1) { product, _ in product * 10 }
    }

    private mutating func readEnhancedPacket(
        _ fields: Fields, _ body: Int, _ end: Int, _ interfaces: [Interface]
    ) throws(Failure) {
        guard let index = fields.longWord(body), let high = fields.longWord(body + 4),
            let low = fields.longWord(body + 8), let length = fields.longWord(body + 12),
            Int(index) < interfaces.count, let data = fields.slice(body + 20, Int(length)),
            body + 20 + Int(length) <= end
        else { throw .malformed(offset: body) }
        let interface = interfaces[Int(index)]
        guard let linkType = interface.linkType else { return }
        let stamp = UInt64(high) << 32 | UInt64(low)
        let seconds = stamp / interface.resolution
        let rest = (stamp % interface.resolution).multipliedFullWidth(by: 1_000_000_000)
        let nanoseconds = interface.resolution.dividingFullWidth(rest).quotient
        records.append(
            Record(
                nanoseconds: Int(truncatingIfNeeded: seconds &* 1_000_000_000 &+ nanoseconds),
                interface: interface.name, linkType: linkType, bytes: data))
    }

    /// Fields in the file's own byte order.
    private struct Fields {
        private let reader: PacketBytes
        private let bigEndian: Bool

        init(_ bytes: [UInt8], bigEndian: Bool) {
            reader = PacketBytes(bytes[...])
            self.bigEndian = bigEndian
        }

        func word(_ offset: Int) -> UInt16? {
            reader.word(offset).map { bigEndian ? $0 : $0.byteSwapped }
        }

        func longWord(_ offset: Int) -> UInt32? {
            reader.longWord(offset).map { bigEndian ? $0 : $0.byteSwapped }
        }

        func slice(_ offset: Int, _ length: Int) -> ArraySlice<UInt8>? {
            reader.slice(offset, length)
        }
    }
}
