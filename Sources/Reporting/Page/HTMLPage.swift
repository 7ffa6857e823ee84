/// Markup built from top to bottom. Texts and attribute values are escaped here, so no caller can forget it.
struct HTMLPage {
    private(set) var text = ""
    private var open: [String] = []

    /// An element with content: it is closed after the body.
    mutating func element(
        _ name: String, _ attributes: [(String, String)] = [], _ body: (inout HTMLPage) -> Void
    ) {
        start(name, attributes)
        text += "\n"
        body(&self)
        text += "</\(name)>\n"
    }

    /// An element that holds nothing but text.
    mutating func element(_ name: String, _ content: String) {
        element(name, [], content)
    }

    mutating func element(_ name: String, _ attributes: [(String, String)], _ content: String) {
        start(name, attributes)
        text += Escape.markup(content) + "</\(name)>\n"
    }

    /// An element without content and without end: `meta`, `input`.
    mutating func void(_ name: String, _ attributes: [(String, String)]) {
        start(name, attributes)
        text += "\n"
    }

    /// Text between elements.
    mutating func words(_ content: String) {
        text += Escape.markup(content)
    }

    /// What is markup already: the style, the script, a drawing.
    mutating func raw(_ markup: String) {
        text += markup
    }

    private mutating func start(_ name: String, _ attributes: [(String, String)]) {
        text += "<" + name
        for (key, value) in attributes {
            text += value.isEmpty && Self.flags.contains(key) ? " \(key)" : " \(key)=\"\(Escape.markup(value))\""
        }
        text += ">"
    }

    /// Attributes that mean something by being there.
    private static let flags: Set<String> = ["open", "hidden", "checked"]
}

/// What a place of a drawing or a word of the page means; colour only ever repeats what the words say.
enum Tone: String {
    case good, bad, doubtful, unseen, faint, plain
}
