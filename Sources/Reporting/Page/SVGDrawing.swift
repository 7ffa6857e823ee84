/// A drawing of boxes and lines, as SVG that takes its colours from the page's style.
///
/// Units are those of the view box; the page scales it.
struct SVGDrawing {
    private var parts: [String] = []
    let width: Int
    let height: Int

    init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }

    mutating func box(x: Int, y: Int, width: Int, height: Int, _ tone: Tone, dashed: Bool = false) {
        parts.append(
            "<rect class=\"box \(tone.rawValue)\(dashed ? " dashed" : "")\" x=\"\(x)\" y=\"\(y)\" width=\"\(width)\" "
                + "height=\"\(height)\" rx=\"8\"/>")
    }

    /// Text around a middle; longer than `room` characters is cut.
    mutating func label(x: Int, y: Int, _ text: String, style: String = "name", room: Int) {
        parts.append(
            "<text class=\"\(style)\" x=\"\(x)\" y=\"\(y)\">\(Escape.markup(TextWidth.cut(SafeText.line(text), to: room)))</text>"
        )
    }

    mutating func line(_ x1: Int, _ y1: Int, _ x2: Int, _ y2: Int, _ tone: Tone, dashed: Bool = false) {
        parts.append(
            "<line class=\"way \(tone.rawValue)\(dashed ? " dashed" : "")\" x1=\"\(x1)\" y1=\"\(y1)\" x2=\"\(x2)\" y2=\"\(y2)\"/>"
        )
    }

    /// The head of an arrow that ends here, pointing right or down.
    mutating func head(x: Int, y: Int, down: Bool, _ tone: Tone) {
        let points =
            down ? "\(x - 5),\(y - 8) \(x + 5),\(y - 8) \(x),\(y)" : "\(x - 8),\(y - 5) \(x - 8),\(y + 5) \(x),\(y)"
        parts.append("<polygon class=\"head \(tone.rawValue)\" points=\"\(points)\"/>")
    }

    /// A cross in a circle: here it ended.
    mutating func cross(x: Int, y: Int) {
        parts.append("<circle class=\"cross\" cx=\"\(x)\" cy=\"\(y)\" r=\"11\"/>")
        parts.append(
            "<path class=\"crossmark\" d=\"M\(x - 4) \(y - 4)L\(x + 4) \(y + 4)M\(x + 4) \(y - 4)L\(x - 4) \(y + 4)\"/>"
        )
    }

    /// - Parameter id: unique on the page; names the description.
    func markup(id: String, title: String, description: String, style: String) -> String {
        "<svg class=\"\(style)\" role=\"img\" aria-label=\"\(Escape.markup(title))\" "
            + "aria-describedby=\"\(id)-description\" viewBox=\"0 0 \(width) \(height)\" width=\"\(width)\" "
            + "height=\"\(height)\">\n<desc id=\"\(id)-description\">\(Escape.markup(description))</desc>\n"
            + parts.joined(separator: "\n") + "\n</svg>\n"
    }
}
