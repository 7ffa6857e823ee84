/// One of shorewall's tables, edited by whole rows; comments, directives and every other row stay as they are.
/// Source: shorewall-files(5), shorewall-zones(5), shorewall-interfaces(5), shorewall-policy(5), shorewall-rules(5).
package struct ShorewallFile: Hashable, Sendable {
    package private(set) var lines: TextLines
    private let path: String

    package init(path: String, bytes: [UInt8]) {
        self.path = path
        lines = TextLines(bytes)
    }

    package var bytes: [UInt8] { lines.bytes }

    package var rows: [ColumnFile.Row] { ColumnFile(path: path, bytes: lines.bytes).rows }

    /// Whether the rows of `interfaces` have no column for the broadcast address: `?FORMAT 2`, or `FORMAT 2` of old.
    package var isFormat2: Bool {
        lines.numbered.contains { _, line in
            let words = line.blankSeparated
            return words.count >= 2 && ["?FORMAT", "FORMAT"].contains(words[0].uppercased()) && words[1] == "2"
        }
    }

    /// Adds a row behind all others.
    package mutating func append(_ columns: [String]) { lines.append(columns.joined(separator: "\t")) }

    /// Adds a row ahead of all others, behind what comes before them: the first match decides in `policy`.
    package mutating func insertFirst(_ columns: [String]) {
        guard let first = rows.first?.location.line else { return append(columns) }
        lines.insert(columns.joined(separator: "\t"), afterLine: first - 1)
    }

    /// Adds a row at the beginning of a section of `rules`, and the section where the file has none at all.
    package mutating func insert(_ columns: [String], section: String) {
        let heading = lines.numbered.first { _, line in
            let words = line.blankSeparated.map { $0.uppercased() }
            return words == ["?SECTION", section] || words == ["SECTION", section]
        }
        let row = columns.joined(separator: "\t")
        if let heading { return lines.insert(row, afterLine: heading.number) }
        // Without headings every row belongs to NEW; behind others' headings it would not.
        if lines.numbered.contains(where: { $0.text.uppercased().contains("SECTION ") && !$0.text.hasPrefix("#") }) {
            lines.append("?SECTION \(section)")
            lines.append(row)
        } else {
            insertFirst(columns)
        }
    }

    package mutating func replace(_ row: ColumnFile.Row, with columns: [String]) {
        lines.replaceLine(row.location.line, with: columns.joined(separator: "\t"))
    }
}
