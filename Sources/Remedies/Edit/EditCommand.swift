internal import ConfigFiles

/// A command that makes one text of a file out of another, as a person would type it.
enum EditCommand {
    /// `printf` for a new file or for lines at the end, `sed -i` (GNU) for one block of lines in between.
    static func text(from before: [UInt8]?, to after: [UInt8], path: String) -> String {
        let new = lines(after)
        guard let before, !before.isEmpty else { return printf(new[...], ">", path) }
        let old = lines(before)
        if new.starts(with: old) { return printf(new[old.count...], ">>", path) }
        let prefix = zip(old, new).prefix { $0 == $1 }.count
        let room = min(old.count, new.count) - prefix
        let suffix = zip(old.reversed(), new.reversed()).prefix(max(0, room)).prefix { $0 == $1 }.count
        let inserted = new[prefix..<(new.count - suffix)]
        let first = prefix + 1
        let last = old.count - suffix
        let place = first == last ? "\(first)" : "\(first),\(last)"
        if first > last { return sed("\(prefix)a\\" + inserted.joined(separator: "\\n"), path) }
        if inserted.isEmpty { return sed("\(place)d", path) }
        return sed("\(place)c\\" + inserted.joined(separator: "\\n"), path)
    }

    static func lines(_ bytes: [UInt8]) -> [String] {
        TextLines(bytes).numbered.map(\.text)
    }

    private static func sed(_ script: String, _ path: String) -> String {
        "sed -i \(Shell.quote(script)) \(Shell.quote(path))"
    }

    private static func printf(_ lines: ArraySlice<String>, _ redirection: String, _ path: String) -> String {
        if lines.isEmpty { return ": \(redirection) \(Shell.quote(path))" }
        let words = lines.map { Shell.quote($0) }.joined(separator: " ")
        return "printf '%s\\n' \(words) \(redirection) \(Shell.quote(path))"
    }
}
