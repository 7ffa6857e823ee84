extension LXCConfig {
    /// Sets one key in the text of one configuration file: replaces the value of its last assignment in place, or
    /// appends the assignment. Includes are not followed; every other line stays.
    package static func setting(
        _ key: String, to value: String, in bytes: [UInt8]
    ) throws(ConfigEditError) -> [UInt8] {
        guard key.hasPrefix("lxc."), !key.contains(where: { $0.isWhitespace || $0 == "=" }) else {
            throw .unwritable("not a key: \(key)")
        }
        guard !value.contains(where: \.isNewline), !value.utf8.contains(0) else {
            throw .unwritable("a value must be one line")
        }
        var lines = TextLines(bytes)
        let location = SourceLocation(file: "", line: 0)
        let last = lines.numbered.last { number, line in
            let text = line.trimmedBlanks
            return text.hasPrefix("lxc.") && entry(text, location)?.key == key
        }
        guard let last, let equals = last.text.firstIndex(of: "=") else {
            lines.append("\(key) = \(value)")
            return lines.bytes
        }
        let rest = last.text[last.text.index(after: equals)...]
        let blank = rest.leadingBlanks
        lines.replaceLine(last.number, with: last.text[...equals] + blank + value)
        return lines.bytes
    }
}
