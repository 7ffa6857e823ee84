internal import HostModel

/// Why a text is no packet, and where: columns count from 1.
package struct PacketSyntaxError: Error, Hashable, Sendable, CustomStringConvertible {
    package var column: Int
    package var message: String

    package var description: String { "column \(column): \(message)" }
}

/// `udp 10.5.0.9:40000 > 198.51.100.7:53 iif lxcbr1 mark 7 ct new`.
extension SamplePacket {
    private struct Word {
        var text: String
        var column: Int
    }

    private struct Reader {
        var words: [Word]
        var next = 0
        var end: Int

        var isAtEnd: Bool { next >= words.count }

        mutating func take(_ wanted: String) throws(PacketSyntaxError) -> Word {
            guard next < words.count else { throw PacketSyntaxError(column: end, message: "\(wanted) is missing") }
            next += 1
            return words[next - 1]
        }
    }

    /// Reads a packet. ICMP has no ports: an echo request, unless `type N` and `code N` say otherwise.
    package init(text: String) throws(PacketSyntaxError) {
        guard text.utf8.count <= 1000 else { throw PacketSyntaxError(column: 1, message: "longer than 1,000 bytes") }
        var words: [Word] = []
        var isInside = false
        for (index, character) in text.enumerated() {
            // Brackets around optional parts, as the manual writes them, may stay.
            guard !" \t[]".contains(character) else {
                isInside = false
                continue
            }
            if isInside {
                words[words.count - 1].text.append(character)
            } else {
                words.append(Word(text: String(character), column: index + 1))
            }
            isInside = true
        }
        var reader = Reader(words: words, end: text.count + 1)
        let transport = try Self.transport(try reader.take("a protocol (udp, tcp, icmp or a number)"))
        let hasPorts = transport == .udp || transport == .tcp
        let (source, sourcePort) = try Self.end(try reader.take("the source"), hasPorts)
        let arrow = try reader.take("'>'")
        guard arrow.text == ">" else {
            throw PacketSyntaxError(column: arrow.column, message: "'>' is wanted, not '\(arrow.text)'")
        }
        let (destination, destinationPort) = try Self.end(try reader.take("the destination"), hasPorts)
        self.init(
            inputInterface: nil, source: source, destination: destination, protocol: transport,
            sourcePort: transport == .icmp ? 8 : sourcePort ?? (hasPorts ? 40000 : 0),
            destinationPort: destinationPort ?? 0)
        while !reader.isAtEnd { try option(&reader) }
    }

    private mutating func option(_ reader: inout Reader) throws(PacketSyntaxError) {
        let key = try reader.take("")
        func value(_ what: String) throws(PacketSyntaxError) -> Word { try reader.take("\(what) after '\(key.text)'") }
        func address() throws(PacketSyntaxError) -> IPv4Address {
            let word = try value("an address")
            guard let address = IPv4Address(word.text) else { throw Self.bad(word, "an IPv4 address") }
            return address
        }
        switch key.text {
        case "iif": inputInterface = try value("a link").text
        case "port": inputPort = try value("a bridge port").text
        case "mark": mark = try Self.number(try value("a mark"), .max)
        case "ttl": timeToLive = UInt8(truncatingIfNeeded: try Self.number(try value("a time to live"), 255))
        case "length": length = UInt16(truncatingIfNeeded: try Self.number(try value("a length"), 65535))
        case "uid": user = try Self.number(try value("a user's number"), .max)
        case "gid": group = try Self.number(try value("a group's number"), .max)
        case "ct-mark": connectionMark = try Self.number(try value("a mark"), .max)
        case "type": sourcePort = UInt16(truncatingIfNeeded: try Self.number(try value("a type"), 255))
        case "code": destinationPort = UInt16(truncatingIfNeeded: try Self.number(try value("a code"), 255))
        case "flags": tcpFlags = UInt8(truncatingIfNeeded: try Self.number(try value("TCP flags"), 255))
        case "fragment": fragment = true
        case "ct":
            let word = try value("a state")
            guard let state = ConnectionState(rawValue: word.text) else {
                throw Self.bad(word, ConnectionState.allCases.map(\.rawValue).joined(separator: ", "))
            }
            connectionState = state
            if state != .new { tcpFlags = 16 }
        case "direction":
            let word = try value("original or reply")
            guard let wanted = Direction(rawValue: word.text) else { throw Self.bad(word, "original, reply") }
            direction = wanted
        case "mapped-source": mappedSource = try address()
        case "mapped-destination": mappedDestination = try address()
        default:
            throw PacketSyntaxError(
                column: key.column,
                message:
                    "'\(key.text)' is not known here; there are: iif, port, mark, ct, ct-mark, direction, type, code, "
                    + "flags, fragment, ttl, length, uid, gid, mapped-source, mapped-destination")
        }
    }

    private static func bad(_ word: Word, _ wanted: String) -> PacketSyntaxError {
        PacketSyntaxError(column: word.column, message: "'\(word.text)' is not \(wanted)")
    }

    private static func number(_ word: Word, _ limit: UInt32) throws(PacketSyntaxError) -> UInt32 {
        let value =
            word.text.hasPrefix("0x") ? UInt32(word.text.dropFirst(2), radix: 16) : UInt32(word.text)
        guard let value, value <= limit else { throw bad(word, "a number up to \(limit)") }
        return value
    }

    private static func transport(_ word: Word) throws(PacketSyntaxError) -> Transport {
        switch word.text {
        case "udp": return .udp
        case "tcp": return .tcp
        case "icmp": return .icmp
        default:
            guard let number = UInt8(word.text) else { throw bad(word, "a protocol: udp, tcp, icmp or a number") }
            return Transport(number: number)
        }
    }

    private static func end(
        _ word: Word, _ hasPorts: Bool
    ) throws(PacketSyntaxError) -> (IPv4Address, UInt16?) {
        let parts = word.text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPv4Address(String(parts[0])) else { throw bad(word, "an IPv4 address") }
        guard parts.count == 2 else { return (address, nil) }
        let column = word.column + parts[0].count + 1
        guard hasPorts else {
            throw PacketSyntaxError(column: column - 1, message: "only udp and tcp have ports")
        }
        guard let port = UInt16(parts[1]) else {
            throw PacketSyntaxError(column: column, message: "'\(parts[1])' is not a port")
        }
        return (address, port)
    }
}

extension SamplePacket: CustomStringConvertible {
    /// As `init(text:)` reads it.
    package var description: String {
        let hasPorts = `protocol` == .udp || `protocol` == .tcp
        func end(_ address: IPv4Address, _ port: UInt16) -> String { hasPorts ? "\(address):\(port)" : "\(address)" }
        var text = "\(`protocol`) \(end(source, sourcePort)) > \(end(destination, destinationPort))"
        if `protocol` == .icmp, sourcePort != 8 { text += " type \(sourcePort)" }
        if `protocol` == .icmp, destinationPort != 0 { text += " code \(destinationPort)" }
        if let inputInterface { text += " iif \(inputInterface)" }
        if let inputPort { text += " port \(inputPort)" }
        if mark != 0 { text += " mark \(mark)" }
        if connectionState != .new { text += " ct \(connectionState.rawValue)" }
        if direction != .original { text += " direction \(direction.rawValue)" }
        if fragment { text += " fragment" }
        if `protocol` == .tcp, tcpFlags != (connectionState == .new ? 2 : 16) { text += " flags \(tcpFlags)" }
        if let timeToLive { text += " ttl \(timeToLive)" }
        if let length { text += " length \(length)" }
        if let user { text += " uid \(user)" }
        if let group { text += " gid \(group)" }
        if let connectionMark { text += " ct-mark \(connectionMark)" }
        if let mappedSource { text += " mapped-source \(mappedSource)" }
        if let mappedDestination { text += " mapped-destination \(mappedDestination)" }
        return text
    }
}
