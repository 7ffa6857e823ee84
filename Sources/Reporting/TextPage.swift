/// What a text means; colour only ever repeats what the words say.
enum TextStyle: Sendable {
    case plain, strong, good, bad, doubtful, faint

    /// SGR parameters (ECMA-48).
    var code: String {
        switch self {
        case .plain: ""
        case .strong: "1"
        case .good: "32"
        case .bad: "1;31"
        case .doubtful: "33"
        case .faint: "2"
        }
    }
}

/// Lines for a terminal, built from top to bottom.
///
/// Everything that is put on the page goes through `SafeText` here, and colour is added after that, so no caller can
/// forget it.
struct TextPage {
    private var lines: [String] = []
    private let colour: Bool
    private let width: Int

    init(_ options: RenderingOptions) {
        colour = options.colour
        width = max(40, options.width)
    }

    var text: String {
        lines.isEmpty ? "" : lines.joined(separator: "\n") + "\n"
    }

    mutating func blank() {
        if let last = lines.last, !last.isEmpty { lines.append("") }
    }

    /// A wrapped text.
    mutating func paragraph(_ text: String, indent: Int = 0, style: TextStyle = .plain) {
        labelled("", text, indent: indent, column: 0, style: style)
    }

    /// A label, then text that is wrapped and continues `hanging` columns further in than the label (below its own
    /// beginning unless said otherwise).
    mutating func labelled(
        _ label: String, _ text: String, indent: Int = 0, column: Int, hanging: Int? = nil,
        labelStyle: TextStyle = .plain, style: TextStyle = .plain
    ) {
        let label = SafeText.line(label)
        let padded = label.isEmpty && column == 0 ? "" : TextWidth.pad(label, to: column - 1) + " "
        let rest = indent + (hanging ?? column)
        let pieces = TextWidth.wrap(
            SafeText.line(text), first: width - indent - TextWidth.columns(padded), rest: width - rest)
        for (index, piece) in pieces.enumerated() {
            let margin = String(repeating: " ", count: index == 0 ? indent : rest)
            let head = index == 0 ? paint(piece.isEmpty ? label : padded, labelStyle) : ""
            append(margin + head + paint(piece, style))
        }
    }

    /// A text that is cut to the line.
    mutating func line(_ text: String, style: TextStyle = .plain) {
        let bare = String(SafeText.line(text).reversed().drop { $0 == " " }.reversed())
        append(paint(TextWidth.cut(bare, to: width), style))
    }

    /// A label and a text that is cut to the rest of the line.
    mutating func row(_ label: String, _ text: String, indent: Int = 0, column: Int, labelStyle: TextStyle = .plain) {
        let padded = TextWidth.pad(SafeText.line(label), to: column - 1) + " "
        let room = width - indent - TextWidth.columns(padded)
        let margin = String(repeating: " ", count: indent)
        append(margin + paint(padded, labelStyle) + TextWidth.cut(SafeText.line(text), to: room))
    }

    /// Something to copy, alone on its line.
    mutating func verbatim(_ text: String, style: TextStyle = .strong) {
        append(paint(SafeText.line(text, limit: 4000), style))
    }

    /// A label and something to copy, which stays on one line however long it is.
    mutating func verbatim(_ label: String, _ text: String, indent: Int = 0, column: Int, style: TextStyle = .strong) {
        let padded = TextWidth.pad(SafeText.line(label), to: column - 1) + " "
        append(String(repeating: " ", count: indent) + padded + paint(SafeText.line(text, limit: 4000), style))
    }

    /// Columns of the longest line that may stand on the page.
    var columns: Int { width }

    private func paint(_ text: String, _ style: TextStyle) -> String {
        guard colour, !style.code.isEmpty, !text.isEmpty else { return text }
        return "\u{1b}[\(style.code)m\(text)\u{1b}[0m"
    }

    private mutating func append(_ line: String) {
        lines.append(line.hasSuffix(" ") ? String(line.reversed().drop { $0 == " " }.reversed()) : line)
    }
}
