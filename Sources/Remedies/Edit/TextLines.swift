/// A text file as its lines, so that single lines can be replaced or added and every other byte stays.
///
/// Lines are kept as bytes: what is not UTF-8 survives. A missing newline at the end stays missing unless a line is
/// added after it.
struct TextLines {
    private(set) var lines: [[UInt8]]
    private var terminated: Bool

    init(_ bytes: [UInt8]) {
        lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false).map(Array.init)
        terminated = bytes.last == 0x0a || bytes.isEmpty
        if terminated { lines.removeLast() }
    }

    var texts: [String] { lines.map { String(decoding: $0, as: UTF8.self) } }

    var bytes: [UInt8] {
        var bytes = Array(lines.joined(separator: [0x0a]))
        if terminated, !lines.isEmpty { bytes.append(0x0a) }
        return bytes
    }

    mutating func replace(_ index: Int, with texts: [String]) {
        guard lines.indices.contains(index) else { return }
        lines.replaceSubrange(index...index, with: texts.map { Array($0.utf8) })
    }

    mutating func append(_ text: String) {
        lines.append(Array(text.utf8))
        terminated = true
    }

    /// A command that makes one text out of another, as a person would type it: printf for a new file or for lines
    /// at the end, `sed -i` for lines in between.
    static func command(from before: [UInt8]?, to after: [UInt8], path: String) -> String {
        let new = TextLines(after)
        guard let before, !before.isEmpty else { return printf(new.texts[...], ">", path) }
        let old = TextLines(before).texts
        let texts = new.texts
        if texts.starts(with: old) { return printf(texts[old.count...], ">>", path) }
        let prefix = zip(old, texts).prefix { $0 == $1 }.count
        let room = min(old.count, texts.count) - prefix
        let suffix = zip(old.reversed(), texts.reversed()).prefix(max(0, room)).prefix { $0 == $1 }.count
        let inserted = texts[prefix..<(texts.count - suffix)]
        let first = prefix + 1
        let last = old.count - suffix
        let place = first == last ? "\(first)" : "\(first),\(last)"
        if first > last { return sed("\(prefix)a\\" + inserted.joined(separator: "\\n"), path) }
        if inserted.isEmpty { return sed("\(place)d", path) }
        return sed("\(place)c\\" + inserted.joined(separator: "\\n"), path)
    }

    private static func sed(_ script: String, _ path: String) -> String {
        "sed -i \(Shell.quote(script)) \(Shell.quote(path))"
    }

    private static func printf(_ lines: ArraySlice<String>, _ redirection: String, _ path: String) -> String {
        let words = lines.isEmpty ? "''" : lines.map { Shell.quote($0) }.joined(separator: " ")
        return "printf '%s\\n' \(words) \(redirection) \(Shell.quote(path))"
    }
}
