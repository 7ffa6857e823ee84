/// Writes a pcapng file of IP packets, each with the interface that saw it and a comment.
///
/// One section in the byte order of this machine, one interface description block for each name, in the order in
/// which the names come. Source: draft-ietf-opsawg-pcapng §4.1 to §4.3.
package struct CaptureWriter {
    /// LINKTYPE_RAW: a packet begins with its IPv4 or IPv6 header.
    private static let rawLink: UInt16 = 101
    /// An option says its length in 16 bits. A Unicode scalar has at most four bytes in UTF-8.
    private static let longestComment = 1_000

    private var blocks: [UInt8] = []
    private var interfaces: [String] = []

    /// `application` is written down as what made the file.
    package init(application: String) {
        var body: [UInt8] = []
        body.appendHost(0x1a2b_3c4d as UInt32)
        body.appendHost(1 as UInt16)
        body.appendHost(0 as UInt16)
        // The length of the section is not given.
        body.appendHost(UInt64.max)
        Self.option(4, Array(application.utf8), to: &body)
        Self.endOptions(of: &body)
        block(0x0a0d_0d0a, body)
    }

    /// The whole file.
    package var bytes: [UInt8] { blocks }

    /// Adds a packet that an interface saw. `nanoseconds` since the epoch.
    package mutating func add(_ packet: [UInt8], on interface: String, nanoseconds: Int, comment: String) {
        let index = interfaces.firstIndex(of: interface) ?? describe(interface)
        let stamp = UInt64(max(0, nanoseconds))
        var body: [UInt8] = []
        body.appendHost(UInt32(clamping: index))
        body.appendHost(UInt32(truncatingIfNeeded: stamp >> 32))
        body.appendHost(UInt32(truncatingIfNeeded: stamp))
        body.appendHost(UInt32(clamping: packet.count))
        body.appendHost(UInt32(clamping: max(packet.count, Self.lengthOnTheWire(packet))))
        body += packet
        Self.pad(&body)
        if !comment.isEmpty {
            // By scalars: a character may consist of any number of them.
            let text = String(String.UnicodeScalarView(comment.unicodeScalars.prefix(Self.longestComment)))
            Self.option(1, Array(text.utf8), to: &body)
            Self.endOptions(of: &body)
        }
        block(6, body)
    }

    /// What the IP header says, where the packet was cut short.
    private static func lengthOnTheWire(_ packet: [UInt8]) -> Int {
        guard packet.count >= 20 else { return packet.count }
        switch packet[0] >> 4 {
        case 4: return Int(packet[2]) << 8 | Int(packet[3])
        // Without its header of forty octets.
        case 6: return 40 + (Int(packet[4]) << 8 | Int(packet[5]))
        default: return packet.count
        }
    }

    private mutating func describe(_ interface: String) -> Int {
        var body: [UInt8] = []
        body.appendHost(Self.rawLink)
        body.appendHost(0 as UInt16)
        body.appendHost(0 as UInt32)
        // if_name and if_tsresol: stamps are nanoseconds.
        Self.option(2, Array(interface.utf8.prefix(255)), to: &body)
        Self.option(9, [9], to: &body)
        Self.endOptions(of: &body)
        block(1, body)
        interfaces.append(interface)
        return interfaces.count - 1
    }

    private mutating func block(_ type: UInt32, _ body: [UInt8]) {
        let length = UInt32(clamping: body.count + 12)
        blocks.appendHost(type)
        blocks.appendHost(length)
        blocks += body
        blocks.appendHost(length)
    }

    private static func option(_ code: UInt16, _ value: [UInt8], to body: inout [UInt8]) {
        body.appendHost(code)
        body.appendHost(UInt16(clamping: value.count))
        body += value
        pad(&body)
    }

    private static func endOptions(of body: inout [UInt8]) {
        body += [0, 0, 0, 0]
    }

    /// Everything is padded to four bytes.
    private static func pad(_ body: inout [UInt8]) {
        while body.count % 4 != 0 { body.append(0) }
    }
}
