/// A netplan file, as far as bridges and their addresses: found by indentation, without a YAML library.
///
/// Source: netplan(5). Only block mappings, block lists and one-line flow lists are understood; where the part in
/// question is written in another way, the answer is unknown.
package struct NetplanFile: Hashable, Sendable {
    package enum Bridge: Hashable, Sendable {
        case absent
        /// Where it is defined, and its addresses as written.
        case present(SourceLocation, addresses: [String])
        case unknown(String)
    }

    private struct Line {
        var number: Int
        var indent: Int
        var text: String
    }

    package let path: String
    package let lines: TextLines

    package init(path: String, bytes: [UInt8]) {
        self.path = path
        lines = TextLines(bytes)
    }

    package func bridge(_ name: String) -> Bridge {
        var content: [Line] = []
        for (number, raw) in lines.numbered {
            let text = Self.withoutComment(raw)
            guard !text.trimmedBlanks.isEmpty, text != "---" else { continue }
            let indent = text.prefix { $0 == " " }.count
            if text.dropFirst(indent).first == "\t" { return oddity(number, "a tab in the indentation") }
            content.append(Line(number: number, indent: indent, text: text.trimmedBlanks))
        }
        guard let network = child("network", of: content[...]) else { return mention(name, content) }
        guard let bridges = child("bridges", of: network) else {
            return network.contains { $0.text.contains("{") } ? mention(name, content) : .absent
        }
        guard let first = bridges.first else { return mention(name, content) }
        guard let header = bridges.first(where: { $0.indent == first.indent && Self.key($0.text)?.name == name })
        else { return bridges.contains { $0.text.hasPrefix("{") } ? mention(name, content) : .absent }
        guard Self.key(header.text)?.rest.isEmpty == true else { return oddity(header.number, "a flow mapping") }
        guard let body = child(name, of: bridges), let addresses = child("addresses", of: body) else {
            if let body = child(name, of: bridges),
                let line = body.first(where: { Self.key($0.text)?.name == "addresses" })
            {
                return flow(line, header: header)
            }
            return .present(SourceLocation(file: path, line: header.number), addresses: [])
        }
        var found: [String] = []
        for line in addresses {
            // An item may carry options below it: `- "10.5.0.1/16": {lifetime: 0}`.
            guard line.text.hasPrefix("-") else { continue }
            let item = String(line.text.dropFirst()).trimmedBlanks
            found.append(Self.unquoted(item.hasSuffix(":") ? String(item.dropLast()) : item))
        }
        if let line = body.first(where: { Self.key($0.text)?.name == "addresses" }),
            Self.key(line.text)?.rest.isEmpty == false
        {
            return flow(line, header: header)
        }
        return .present(SourceLocation(file: path, line: header.number), addresses: found)
    }

    private func flow(_ line: Line, header: Line) -> Bridge {
        let location = SourceLocation(file: path, line: header.number)
        let rest = Self.key(line.text)?.rest ?? ""
        if rest.isEmpty { return .present(location, addresses: []) }
        guard rest.hasPrefix("["), rest.hasSuffix("]") else { return oddity(line.number, "a list of another form") }
        let items = rest.dropFirst().dropLast().split(separator: ",").map { Self.unquoted(String($0).trimmedBlanks) }
        return .present(location, addresses: items.filter { !$0.isEmpty })
    }

    /// What is odd matters only where the file speaks of the bridge at all.
    private func mention(_ name: String, _ content: [Line]) -> Bridge {
        guard let line = content.first(where: { $0.text.contains(name) }) else { return .absent }
        return oddity(line.number, "a form that is not understood")
    }

    private func oddity(_ line: Int, _ what: String) -> Bridge {
        .unknown("\(SourceLocation(file: path, line: line)): \(what)")
    }

    /// The lines below `key:` at the outermost level of `block`. Lists may stand at the key's own indentation.
    private func child(_ key: String, of block: ArraySlice<Line>) -> ArraySlice<Line>? {
        guard let outer = block.first?.indent,
            let start = block.firstIndex(where: { $0.indent == outer && Self.key($0.text)?.name == key })
        else { return nil }
        let end =
            block[(start + 1)...].firstIndex { $0.indent < outer || ($0.indent == outer && !$0.text.hasPrefix("-")) }
            ?? block.endIndex
        return end > start + 1 ? block[(start + 1)..<end] : nil
    }

    private static func key(_ text: String) -> (name: String, rest: String)? {
        guard !text.hasPrefix("-"), let colon = text.firstIndex(of: ":") else { return nil }
        return (
            unquoted(String(text[..<colon]).trimmedBlanks), String(text[text.index(after: colon)...]).trimmedBlanks
        )
    }

    private static func unquoted(_ text: String) -> String {
        guard let first = text.first, first == "\"" || first == "'", text.count > 1, text.last == first else {
            return text
        }
        return String(text.dropFirst().dropLast())
    }

    private static func withoutComment(_ line: String) -> String {
        var previous: Character = " "
        for index in line.indices {
            if line[index] == "#", previous == " " || previous == "\t" { return String(line[..<index]) }
            previous = line[index]
        }
        return line
    }
}
