/// One file of ifupdown: `/etc/network/interfaces` or a file that it sources.
///
/// Source: interfaces(5). `source` and `source-directory` are listed in place; the caller reads those files.
package struct IfupdownFile: Hashable, Sendable {
    package struct Option: Hashable, Sendable {
        package var name: String
        package var value: String
        package var location: SourceLocation
    }

    package struct Interface: Hashable, Sendable {
        package var name: String
        /// `inet`, `inet6`.
        package var family: String
        /// `static`, `manual`, `dhcp`.
        package var method: String
        package var location: SourceLocation
        package var options: [Option] = []

        package func value(_ name: String) -> Option? {
            options.first { $0.name == name || $0.name == String(name.map { $0 == "_" ? "-" : $0 }) }
        }
    }

    package let path: String
    package let lines: TextLines
    /// Interfaces that `ifup -a` brings up.
    package private(set) var automatic: Set<String> = []
    package private(set) var interfaces: [Interface] = []
    /// Patterns of `source`, and directories of `source-directory` with a slash at the end.
    package private(set) var sources: [String] = []

    package init(path: String, bytes: [UInt8]) {
        self.path = path
        lines = TextLines(bytes)
        parse()
    }

    private mutating func parse() {
        var pending: (text: String, line: Int)?
        var inside = false
        for (number, raw) in lines.numbered {
            var text = raw.trimmedBlanks
            var start = number
            if let open = pending {
                text = open.text + " " + text
                start = open.line
                pending = nil
            } else if text.hasPrefix("#") || text.isEmpty {
                continue
            }
            if text.hasSuffix("\\"), text.utf8.count < 1 << 16 {
                pending = (String(text.dropLast()), start)
                continue
            }
            line(text, SourceLocation(file: path, line: start), &inside)
        }
    }

    private mutating func line(_ text: String, _ location: SourceLocation, _ inside: inout Bool) {
        let words = text.blankSeparated
        guard let first = words.first else { return }
        switch first {
        case "auto", "allow-auto":
            automatic.formUnion(words.dropFirst())
            inside = false
        case "iface":
            guard words.count >= 2 else { return }
            interfaces.append(
                Interface(
                    name: words[1], family: words.count > 2 ? words[2] : "inet",
                    method: words.count > 3 ? words[3] : "", location: location))
            inside = true
        case "source":
            sources += words.dropFirst()
            inside = false
        case "source-directory":
            sources += words.dropFirst().map { $0.hasSuffix("/") ? $0 : $0 + "/" }
            inside = false
        case "mapping", "template", "rename", "no-auto-down", "no-scripts":
            inside = false
        default:
            if first.hasPrefix("allow-") {
                inside = false
            } else if inside, !interfaces.isEmpty {
                let value = String(text.dropFirst(first.count)).trimmedBlanks
                interfaces[interfaces.count - 1].options.append(
                    Option(name: first, value: value, location: location))
            }
        }
    }
}
