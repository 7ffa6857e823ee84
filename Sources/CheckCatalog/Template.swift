package import HostModel

/// Text with `{{name}}` in it.
package enum Template {
    /// The names in a text, in order. Throws the offending part where a `{{` has no `}}`.
    package static func names(in text: String) throws(TemplateProblem) -> [String] {
        var names: [String] = []
        var rest = text[...]
        while let open = range(of: "{{", in: rest) {
            guard let close = range(of: "}}", in: rest[open.upperBound...]) else {
                throw TemplateProblem(message: "\"{{\" without \"}}\"")
            }
            names.append(trimmed(rest[open.upperBound..<close.lowerBound]))
            rest = rest[close.upperBound...]
        }
        return names
    }

    /// The text with every known name replaced; an unknown one stays as it is written.
    package static func render(_ text: String, _ variables: Variables) -> String {
        guard text.utf8.contains(UInt8(ascii: "{")) else { return text }
        var result = ""
        var rest = text[...]
        while let open = range(of: "{{", in: rest), let close = range(of: "}}", in: rest[open.upperBound...]) {
            result.append(contentsOf: rest[..<open.lowerBound])
            let name = trimmed(rest[open.upperBound..<close.lowerBound])
            result += variables[name]?.description ?? "{{\(name)}}"
            rest = rest[close.upperBound...]
        }
        result.append(contentsOf: rest)
        return result
    }

    /// A value with its templates filled in. Text that is nothing but one name takes that variable's own type, and a
    /// list variable is spliced into the list that holds it.
    package static func resolve(_ value: FactValue, _ variables: Variables) -> FactValue {
        switch value {
        case .string(let text):
            if let whole = wholeName(text), let value = variables[whole] { return value }
            return .string(render(text, variables))
        case .strings(let items):
            return .strings(
                items.flatMap { item -> [String] in
                    if let whole = wholeName(item), case .strings(let values)? = variables[whole] { return values }
                    return [render(item, variables)]
                })
        case .integer, .boolean: return value
        }
    }

    /// The name, where the text is exactly one `{{name}}`.
    package static func wholeName(_ text: String) -> String? {
        guard text.hasPrefix("{{"), text.hasSuffix("}}"), text.utf8.count > 4 else { return nil }
        let inner = text.utf8.dropFirst(2).dropLast(2)
        return inner.contains { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "}") } ? nil : trimmed(Substring(inner))
    }

    private static func range(of pair: String, in text: Substring) -> Range<Substring.Index>? {
        let wanted = Array(pair.utf8)
        let bytes = text.utf8
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let next = bytes.index(after: index)
            if bytes[index] == wanted[0], next < bytes.endIndex, bytes[next] == wanted[1] {
                return index..<bytes.index(after: next)
            }
            index = next
        }
        return nil
    }

    private static func trimmed(_ text: Substring) -> String {
        let bytes = text.utf8
        guard let first = bytes.firstIndex(where: { $0 != UInt8(ascii: " ") }),
            let last = bytes.lastIndex(where: { $0 != UInt8(ascii: " ") })
        else { return "" }
        return String(Substring(bytes[first...last]))
    }
}

/// What is wrong with a template.
package struct TemplateProblem: Error, Sendable {
    package var message: String
}
