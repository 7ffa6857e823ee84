/// The lines of a text file. Nothing is lost: `TextLines(bytes).bytes == bytes` for any bytes.
///
/// Shape: a line is what stands before a newline; a carriage return before it stays part of the line. A last line
/// without newline is a line too, and `endsWithNewline` is false. An empty file has no lines.
package struct TextLines: Hashable, Sendable {
    package private(set) var lines: [[UInt8]]
    package private(set) var endsWithNewline: Bool

    package init(_ bytes: [UInt8]) {
        var lines: [[UInt8]] = []
        var start = 0
        for (index, byte) in bytes.enumerated() where byte == Self.newline {
            lines.append(Array(bytes[start..<index]))
            start = index + 1
        }
        endsWithNewline = start == bytes.count && !bytes.isEmpty
        if start < bytes.count {
            lines.append(Array(bytes[start...]))
        }
        self.lines = lines
    }

    package init(_ text: String) {
        self.init(Array(text.utf8))
    }

    static let newline: UInt8 = 0x0a
    static let carriageReturn: UInt8 = 0x0d

    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(lines.reduce(0) { $0 + $1.count + 1 })
        for (index, line) in lines.enumerated() {
            bytes.append(contentsOf: line)
            if index < lines.count - 1 || endsWithNewline {
                bytes.append(Self.newline)
            }
        }
        return bytes
    }

    package var text: String { String(decoding: bytes, as: UTF8.self) }
    package var count: Int { lines.count }

    /// A line as text, without its carriage return; invalid UTF-8 becomes U+FFFD. `number` counts from 1.
    package func line(_ number: Int) -> String? {
        guard number >= 1, number <= lines.count else { return nil }
        return Self.text(lines[number - 1])
    }

    /// Every line with its number, without carriage returns.
    package var numbered: [(number: Int, text: String)] {
        lines.enumerated().map { ($0.offset + 1, Self.text($0.element)) }
    }

    /// Of a file, only the lines that contain a text, with their numbers: of the others no text is made.
    package static func numbered(_ bytes: [UInt8], containing part: String) -> [(number: Int, text: String)] {
        let part = Array(part.utf8)
        var found: [(number: Int, text: String)] = []
        var (number, start, isWanted) = (1, 0, part.isEmpty)
        for index in 0...bytes.count {
            if index == bytes.count || bytes[index] == newline {
                let isLine = index < bytes.count || start < index
                if isWanted, isLine { found.append((number, text(bytes[start..<index]))) }
                (number, start, isWanted) = (number + 1, index + 1, part.isEmpty)
            } else if !isWanted, bytes[index] == part[0] {
                isWanted = bytes[index...].starts(with: part)
            }
        }
        return found
    }

    private static func text(_ line: some BidirectionalCollection<UInt8>) -> String {
        line.last == carriageReturn
            ? String(decoding: line.dropLast(), as: UTF8.self) : String(decoding: line, as: UTF8.self)
    }

    /// Whether the lines end in CR LF, so that an edit follows suit.
    package var usesCarriageReturns: Bool { lines.first?.last == Self.carriageReturn }

    /// Replaces one line; its carriage return, if any, is kept. Out of range changes nothing.
    package mutating func replaceLine(_ number: Int, with text: String) {
        guard number >= 1, number <= lines.count else { return }
        let hadReturn = lines[number - 1].last == Self.carriageReturn
        lines[number - 1] = Array(text.utf8) + (hadReturn ? [Self.carriageReturn] : [])
    }

    /// Adds a line after line `number` (0: at the top).
    package mutating func insert(_ text: String, afterLine number: Int) {
        let line = Array(text.utf8) + (usesCarriageReturns ? [Self.carriageReturn] : [])
        if lines.isEmpty {
            endsWithNewline = true
        }
        lines.insert(line, at: max(0, min(number, lines.count)))
    }

    package mutating func append(_ text: String) {
        insert(text, afterLine: lines.count)
    }

    package mutating func removeLine(_ number: Int) {
        guard number >= 1, number <= lines.count else { return }
        lines.remove(at: number - 1)
        if lines.isEmpty {
            endsWithNewline = false
        }
    }
}

extension String {
    /// Without spaces, tabs and carriage returns at both ends.
    package var trimmedBlanks: String {
        let bytes = utf8
        guard let first = bytes.firstIndex(where: { !Self.isBlank($0) }),
            let last = bytes.lastIndex(where: { !Self.isBlank($0) })
        else { return "" }
        // Blanks are ASCII, so that both ends fall between characters.
        return String(self[first..<bytes.index(after: last)])
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || (0x09...0x0d).contains(byte) && byte != 0x0a
    }

    /// The words between blanks.
    package var blankSeparated: [String] {
        split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\r" || $0 == "\r\n" }).map(String.init)
    }
}

extension StringProtocol {
    /// The spaces and tabs that it begins with.
    var leadingBlanks: SubSequence { prefix { $0 == " " || $0 == "\t" } }
}

/// Why a file is not edited.
package enum ConfigEditError: Error, Hashable, Sendable {
    /// The file does not parse as its own tool would parse it, so no change to it can be trusted.
    case notUnderstood(String)
    /// The value cannot be written in this format.
    case unwritable(String)
}
