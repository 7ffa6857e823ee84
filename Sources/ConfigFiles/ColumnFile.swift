/// A table of columns separated by blanks, as shorewall's files are. Source: shorewall-files(5).
package struct ColumnFile: Hashable, Sendable {
    package struct Row: Hashable, Sendable {
        package var columns: [String]
        package var location: SourceLocation
    }

    package let path: String
    package let lines: TextLines

    package init(path: String, bytes: [UInt8]) {
        self.path = path
        lines = TextLines(bytes)
    }

    /// Rows without comments, blank lines and `?` directives.
    package var rows: [Row] {
        lines.numbered.compactMap { number, line in
            let columns = String(line.prefix { $0 != "#" }).blankSeparated
            guard let first = columns.first, !first.hasPrefix("?") else { return nil }
            return Row(columns: columns, location: SourceLocation(file: path, line: number))
        }
    }
}
