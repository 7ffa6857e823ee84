package import HostModel

/// One file of sysctl settings. Source: sysctl.d(5), sysctl.conf(5).
package struct SysctlFile: Hashable, Sendable {
    package struct Assignment: Hashable, Sendable {
        package var key: SysctlKey
        /// Nil for an exclusion: `-key` without a value keeps wildcards away from the key.
        package var value: String?
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

    package var assignments: [Assignment] {
        lines.numbered.compactMap { number, line in Self.parse(line, SourceLocation(file: path, line: number)) }
    }

    private static func parse(_ line: String, _ location: SourceLocation) -> Assignment? {
        var text = line.trimmedBlanks
        guard let first = text.first, first != "#", first != ";" else { return nil }
        let tolerant = first == "-"
        if tolerant { text.removeFirst() }
        guard let equals = text.firstIndex(of: "=") else {
            guard tolerant else { return nil }
            return SysctlKey(line: text.trimmedBlanks).map { Assignment(key: $0, value: nil, location: location) }
        }
        guard let key = SysctlKey(line: String(text[..<equals]).trimmedBlanks) else { return nil }
        return Assignment(
            key: key, value: String(text[text.index(after: equals)...]).trimmedBlanks, location: location)
    }

    /// Sets a key: replaces its last assignment in this file, in whichever spelling, or appends one.
    package mutating func set(_ key: String, to value: String) throws(ConfigEditError) {
        guard !value.contains(where: \.isNewline), !value.utf8.contains(0) else {
            throw .unwritable("a value must be one line")
        }
        guard let wanted = SysctlKey(line: key), !wanted.isPattern,
            !key.contains(where: { $0.isWhitespace || $0 == "=" })
        else {
            throw .unwritable("not a sysctl key: \(key)")
        }
        let present = assignments.last { $0.value != nil && wanted.aliases.contains($0.key) }
        guard let present else {
            lines.append("\(key) = \(value)")
            return
        }
        guard let line = lines.line(present.location.line), let equals = line.firstIndex(of: "=") else { return }
        let head = line[...equals]
        let rest = line[line.index(after: equals)...]
        let blank = rest.leadingBlanks
        lines.replaceLine(present.location.line, with: head + blank + value)
    }
}
