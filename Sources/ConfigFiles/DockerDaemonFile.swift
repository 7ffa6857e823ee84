/// `/etc/docker/daemon.json`: one JSON object. It is edited as text, so that what stands in it stays byte for byte.
/// Source: dockerd(8), RFC 8259.
package struct DockerDaemonFile: Hashable, Sendable {
    private struct Member: Hashable {
        /// As written between its quotes.
        var key: String
        /// Where its key begins.
        var start: Int
        var value: Range<Int>
    }

    package let bytes: [UInt8]
    /// Behind the opening brace.
    private let inside: Int
    private let members: [Member]

    /// Nil: not one JSON object, or one that is nested too deeply.
    package init?(bytes: [UInt8]) {
        var scanner = JSONScanner(bytes)
        scanner.skipBlanks()
        guard scanner.take("{") else { return nil }
        inside = scanner.position
        var members: [Member] = []
        scanner.skipBlanks()
        if !scanner.take("}") {
            repeat {
                scanner.skipBlanks()
                let start = scanner.position
                guard scanner.skipString() else { return nil }
                let key = String(decoding: bytes[(start + 1)..<(scanner.position - 1)], as: UTF8.self)
                scanner.skipBlanks()
                guard scanner.take(":") else { return nil }
                scanner.skipBlanks()
                let first = scanner.position
                guard scanner.skipValue(depth: 0) else { return nil }
                members.append(Member(key: key, start: start, value: first..<scanner.position))
                scanner.skipBlanks()
            } while scanner.take(",")
            guard scanner.take("}") else { return nil }
        }
        scanner.skipBlanks()
        guard scanner.isAtEnd else { return nil }
        self.bytes = bytes
        self.members = members
    }

    /// The value of a key as written; nil: there is none.
    package func value(_ key: String) -> String? {
        members.last { $0.key == key }.map { String(decoding: bytes[$0.value], as: UTF8.self) }
    }

    /// The text with the key set: its value replaced in place, else ahead of the others and laid out as the first is.
    package func setting(_ key: String, to value: String) -> [UInt8] {
        var edited = bytes
        if let old = members.last(where: { $0.key == key }) {
            edited.replaceSubrange(old.value, with: value.utf8)
        } else if let first = members.first {
            edited.insert(contentsOf: bytes[inside..<first.start] + Array("\"\(key)\": \(value),".utf8), at: inside)
        } else {
            edited.insert(contentsOf: "\n    \"\(key)\": \(value)\n".utf8, at: inside)
        }
        return edited
    }
}

/// Walks over JSON without keeping it.
private struct JSONScanner {
    private static let deepest = 64

    private let bytes: [UInt8]
    private(set) var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }
    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func skipBlanks() {
        while let byte = next, [0x20, 0x09, 0x0a, 0x0d].contains(byte) { position += 1 }
    }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    mutating func skipString() -> Bool {
        guard take("\"") else { return false }
        while let byte = next {
            position += byte == UInt8(ascii: "\\") ? 2 : 1
            if byte == UInt8(ascii: "\"") { return true }
            if byte < 0x20 { return false }
        }
        return false
    }

    mutating func skipValue(depth: Int) -> Bool {
        guard depth < Self.deepest else { return false }
        switch next {
        case UInt8(ascii: "\""): return skipString()
        case UInt8(ascii: "{"), UInt8(ascii: "["): return skipCollection(depth: depth)
        default:
            let start = position
            while let byte = next, Self.isPlain(byte) { position += 1 }
            return position > start
        }
    }

    private mutating func skipCollection(depth: Int) -> Bool {
        let isObject = take("{")
        if !isObject { position += 1 }
        skipBlanks()
        let end: Unicode.Scalar = isObject ? "}" : "]"
        if take(end) { return true }
        repeat {
            skipBlanks()
            if isObject {
                guard skipString() else { return false }
                skipBlanks()
                guard take(":") else { return false }
                skipBlanks()
            }
            guard skipValue(depth: depth + 1) else { return false }
            skipBlanks()
        } while take(",")
        return take(end)
    }

    /// Of a number, true, false or null.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."): true
        default: false
        }
    }
}
