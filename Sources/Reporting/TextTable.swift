/// Rows for people, as `list …` shows them: columns lined up, the last one wrapped into what is left of the line.
package struct TextTable: Sendable, Hashable {
    package var columns: [String]
    /// Missing cells are empty; cells beyond the columns are not shown.
    package var rows: [[String]]

    package init(columns: [String], rows: [[String]]) {
        self.columns = columns
        self.rows = rows
    }

    /// Columns (on the terminal) that a cell may take when it is not the last.
    private static let widest = 40

    /// Columns that the last cell wants; with fewer it stands below its row.
    private static let narrowest = 24

    package func render(options: RenderingOptions = RenderingOptions()) -> String {
        guard let last = columns.indices.last, !options.quiet else { return "" }
        let cells = ([columns] + rows).map { row in
            columns.indices.map { SafeText.line($0 < row.count ? row[$0] : "") }
        }
        let widths = columns.indices.map { column in
            min(Self.widest, cells.map { TextWidth.columns($0[column]) }.max() ?? 0)
        }
        let lead = widths[..<last].reduce(0) { $0 + $1 + 2 }
        var page = TextPage(options)
        for (index, row) in cells.enumerated() {
            let head = row[..<last].enumerated().map {
                TextWidth.pad(TextWidth.cut($1, to: Self.widest), to: widths[$0] + 2)
            }
            let style = index == 0 ? TextStyle.strong : .plain
            if page.columns - lead < Self.narrowest {
                page.line(head.joined(), style: style)
                page.labelled("", row[last], indent: 4, column: 0, style: style)
            } else {
                page.labelled(
                    String(head.joined().dropLast()), row[last], column: lead, labelStyle: style, style: style)
            }
        }
        return page.text
    }
}
