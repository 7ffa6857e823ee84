/// Paragraphs of a text: what lies between blank lines, as in the databases of package managers.
package enum TextParagraph {
    private static let newline: UInt8 = 0x0a

    /// The paragraph around a whole line: from the blank line before it to the blank line after it, without either.
    package static func range(around line: [UInt8], in text: [UInt8]) -> Range<Int>? {
        text.withUnsafeBufferPointer { bytes in
            guard let place = place(of: line, in: bytes) else { return nil }
            var start = place
            while start > 0, !(bytes[start - 1] == newline && (start == 1 || bytes[start - 2] == newline)) {
                start -= 1
            }
            var end = place + line.count
            while end + 1 < bytes.count, !(bytes[end] == newline && bytes[end + 1] == newline) { end += 1 }
            return start..<(end + 1 < bytes.count ? end + 1 : bytes.count)
        }
    }

    /// Where the last paragraph begins, which may not be whole yet.
    package static func lastStart(in text: [UInt8]) -> Int {
        var start = text.count
        while start > 1, !(text[start - 1] == newline && text[start - 2] == newline) { start -= 1 }
        return start > 1 ? start : 0
    }

    /// Where a whole line begins. What stands where its last byte would tells how far the next place can be: most bytes
    /// are never looked at. Source: Horspool, Practical fast searching in strings, 1980.
    private static func place(of line: [UInt8], in bytes: UnsafeBufferPointer<UInt8>) -> Int? {
        guard let last = line.last else { return nil }
        var shifts = [Int](repeating: line.count, count: 256)
        for (index, byte) in line.dropLast().enumerated() { shifts[Int(byte)] = line.count - 1 - index }
        var start = 0
        while start + line.count <= bytes.count {
            let byte = bytes[start + line.count - 1]
            if byte == last, start == 0 || bytes[start - 1] == newline,
                start + line.count == bytes.count || bytes[start + line.count] == newline,
                line.indices.allSatisfy({ bytes[start + $0] == line[$0] })
            {
                return start
            }
            start += shifts[Int(byte)]
        }
        return nil
    }
}
