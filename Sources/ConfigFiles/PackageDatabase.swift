/// The version of an installed package, found by a scan over the package manager's own database.
///
/// The file may have megabytes: it is scanned as bytes, and text is made only of what is found.
package enum PackageDatabase {
    /// A package of `/var/lib/dpkg/status`; nil unless its state is `install ok installed` or `hold ok installed`.
    ///
    /// Source: dpkg(1), deb-control(5).
    package static func dpkg(_ name: String, in status: [UInt8]) -> String? {
        record(headed: "Package: " + name, in: status).flatMap { fields in
            guard let state = fields["Status"], state.hasSuffix(" ok installed") else { return nil }
            return fields["Version"]
        }
    }

    /// A package of `/lib/apk/db/installed`. Source: apk(5).
    package static func apk(_ name: String, in installed: [UInt8]) -> String? {
        record(headed: "P:" + name, in: installed)?["V"]
    }

    /// The fields of the record that has this line.
    private static func record(headed header: String, in bytes: [UInt8]) -> [String: String]? {
        let line = Array(header.utf8)
        guard let range = bytes.withUnsafeBufferPointer({ range(of: line, in: $0) }) else { return nil }
        var fields: [String: String] = [:]
        for line in bytes[range].split(separator: 0x0a) {
            guard let first = line.first, first != 0x20, first != 0x09, line.count < 4096,
                let colon = line.firstIndex(of: 0x3a)
            else { continue }
            let value = String(decoding: line[(colon + 1)...], as: UTF8.self).trimmedBlanks
            fields[String(decoding: line[..<colon], as: UTF8.self)] = value
        }
        return fields
    }

    /// The record around a whole line: from the blank line before it to the blank line after it.
    private static func range(of line: [UInt8], in bytes: UnsafeBufferPointer<UInt8>) -> Range<Int>? {
        let newline: UInt8 = 0x0a
        guard let place = place(of: line, in: bytes) else { return nil }
        var start = place
        while start > 0, !(bytes[start - 1] == newline && (start == 1 || bytes[start - 2] == newline)) { start -= 1 }
        var end = place + line.count
        while end + 1 < bytes.count, !(bytes[end] == newline && bytes[end + 1] == newline) { end += 1 }
        return start..<(end + 1 < bytes.count ? end + 1 : bytes.count)
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
            if byte == last, start == 0 || bytes[start - 1] == 0x0a,
                start + line.count == bytes.count || bytes[start + line.count] == 0x0a,
                line.indices.allSatisfy({ bytes[start + $0] == line[$0] })
            {
                return start
            }
            start += shifts[Int(byte)]
        }
        return nil
    }

    /// The upstream part of a version: `1:5.0.2-1+deb12u4` is `5.0.2`.
    package static func upstream(_ version: String) -> String {
        var text = version[...]
        if let colon = text.firstIndex(of: ":") { text = text[text.index(after: colon)...] }
        if let dash = text.lastIndex(of: "-") { text = text[..<dash] }
        return String(text)
    }

    /// The first number of a version.
    package static func major(_ version: String) -> Int? {
        let digits = upstream(version).prefix { $0.isASCII && $0.isNumber }
        return digits.count < 10 ? Int(digits) : nil
    }
}
