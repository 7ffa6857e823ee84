/// A file of `[Section]` headings and `Key=value` lines: systemd units, networkd files, NetworkManager keyfiles.
///
/// Shape: sections and keys may repeat; order is kept. A line that is neither is ignored, as the tools do.
/// Source: systemd.syntax(7), nm-settings-keyfile(5).
package struct SectionFile: Hashable, Sendable {
    package struct Entry: Hashable, Sendable {
        package var section: String
        /// Counts the headings before it: entries of the same `[Address]` block share it.
        package var block: Int
        package var key: String
        package var value: String
        package var location: SourceLocation
    }

    package let path: String
    package private(set) var lines: TextLines

    package init(path: String, bytes: [UInt8]) {
        self.path = path
        lines = TextLines(bytes)
    }

    package init(path: String, text: String) {
        self.init(path: path, bytes: Array(text.utf8))
    }

    package var bytes: [UInt8] { lines.bytes }

    /// Every setting; a backslash at the end of a line continues it (systemd only, harmless elsewhere).
    package var entries: [Entry] {
        var entries: [Entry] = []
        var section = ""
        var block = 0
        var pending: (text: String, line: Int)?
        for (number, line) in lines.numbered {
            let trimmed = line.trimmedBlanks
            if trimmed.hasPrefix("#") || trimmed.hasPrefix(";") { continue }
            var text = trimmed
            var start = number
            if let open = pending {
                text = open.text + " " + trimmed
                start = open.line
                pending = nil
            }
            if text.hasSuffix("\\"), text.utf8.count < 1 << 16 {
                pending = (String(text.dropLast()), start)
                continue
            }
            if text.hasPrefix("["), text.hasSuffix("]") {
                section = String(text.dropFirst().dropLast())
                block += 1
            } else if let equals = text.firstIndex(of: "=") {
                entries.append(
                    Entry(
                        section: section, block: block, key: String(text[..<equals]).trimmedBlanks,
                        value: String(text[text.index(after: equals)...]).trimmedBlanks,
                        location: SourceLocation(file: path, line: start)))
            }
        }
        return entries
    }

    package func entries(_ section: String, _ key: String) -> [Entry] {
        entries.filter { $0.section == section && $0.key == key }
    }

    /// The last setting of a key.
    package func last(_ section: String, _ key: String) -> Entry? {
        entries.last { $0.section == section && $0.key == key }
    }

    /// Sets a key: replaces its last setting in place, adds it at the end of the section's last block, or appends a
    /// section. Every other line stays.
    package mutating func set(_ section: String, _ key: String, to value: String) throws(ConfigEditError) {
        if let last = last(section, key) {
            try replace(last, with: value)
        } else {
            try insert(section, key, value, afterLine: ends(ofBlocks: section).last)
        }
    }

    /// Adds a setting at the end of the first block of a section, beside others of the same key, or appends a section.
    package mutating func add(_ section: String, _ key: String, _ value: String) throws(ConfigEditError) {
        try insert(section, key, value, afterLine: ends(ofBlocks: section).first)
    }

    /// Gives one setting another value, in place.
    package mutating func replace(_ entry: Entry, with value: String) throws(ConfigEditError) {
        guard let line = lines.line(entry.location.line), !line.trimmedBlanks.hasSuffix("\\") else {
            throw .notUnderstood("\(entry.location): the setting goes over several lines")
        }
        try Self.requireOneLine(value)
        lines.replaceLine(entry.location.line, with: "\(entry.key)=\(value)")
    }

    private mutating func insert(
        _ section: String, _ key: String, _ value: String, afterLine number: Int?
    ) throws(ConfigEditError) {
        for text in [section, key, value] { try Self.requireOneLine(text) }
        if let number {
            lines.insert("\(key)=\(value)", afterLine: number)
        } else {
            lines.append("[\(section)]")
            lines.append("\(key)=\(value)")
        }
    }

    private static func requireOneLine(_ text: String) throws(ConfigEditError) {
        if text.contains(where: \.isNewline) || text.utf8.contains(0) {
            throw .unwritable("a setting must be one line")
        }
    }

    /// The last line that is not empty, of each block of the section.
    private func ends(ofBlocks section: String) -> [Int] {
        var ends: [Int] = []
        var isInside = false
        for (number, line) in lines.numbered {
            let text = line.trimmedBlanks
            if text.hasPrefix("["), text.hasSuffix("]") {
                isInside = text == "[\(section)]"
                if isInside { ends.append(number) }
            } else if isInside, !text.isEmpty {
                ends[ends.count - 1] = number
            }
        }
        return ends
    }

    /// A boolean as systemd and NetworkManager write it; nil for anything else.
    package static func boolean(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "1", "yes", "y", "true", "t", "on": true
        case "0", "no", "n", "false", "f", "off": false
        default: nil
        }
    }
}
