/// One rule more in a file for `iptables-restore`; every other line stays as it is.
extension IptablesRestoreFile {
    /// Where in its table a new rule goes.
    package enum Place: Hashable, Sendable {
        /// Ahead of the chain's first rule.
        case first
        /// Behind the table's last rule.
        case last
        /// Ahead of the rule with this text.
        case before(String)
    }

    /// The file with the rule (`-A CHAIN …`) in the table; unchanged where the table has it already. Nil where the file
    /// has no such table, or not the rule that it is to stand before.
    package func adding(_ rule: String, chain: String, table: String, at place: Place) -> IptablesRestoreFile? {
        let all = lines(ofTable: table)
        let content = all.prefix { $0.text != "COMMIT" }
        if content.contains(where: { $0.text == rule }) { return self }
        guard content.count < all.count else { return nil }
        let end = all[content.count].number
        let line: Int
        switch place {
        case .first: line = content.first { $0.text.hasPrefix("-A \(chain) ") }?.number ?? end
        case .last: line = end
        case .before(let neighbour):
            guard let found = content.first(where: { $0.text == neighbour }) else { return nil }
            line = found.number
        }
        var edited = lines
        edited.insert(rule, afterLine: line - 1)
        return IptablesRestoreFile(path: path, bytes: edited.bytes)
    }

    /// The lines of a table with their numbers, trimmed, from `*TABLE` to the line before the next table.
    private func lines(ofTable table: String) -> [(number: Int, text: String)] {
        var isInside = false
        return lines.numbered.compactMap { number, line in
            let text = line.trimmedBlanks
            if text.hasPrefix("*") { isInside = String(text.dropFirst()).trimmedBlanks == table }
            return isInside ? (number, text) : nil
        }
    }

    /// The lines of a table as one text.
    package func text(ofTable table: String) -> String {
        lines(ofTable: table).map(\.text).joined(separator: "\n")
    }

    /// Whether rules of a table carry their counters (`[12:3456] -A FORWARD …`): they cannot be told by their text.
    package func hasCounters(in table: String) -> Bool {
        lines(ofTable: table).contains { $0.text.hasPrefix("[") }
    }

    /// Whether a table holds rules or chains with a policy that is not ACCEPT.
    package func decides(in table: String) -> Bool {
        lines(ofTable: table).contains { _, text in
            text.hasPrefix("-A ") || text.hasPrefix("-I ")
                || text.hasPrefix(":") && text.blankSeparated.dropFirst().first == "DROP"
        }
    }
}

/// ufw's `/etc/ufw/user.rules`: rules for iptables-restore, each below a `### tuple ###` comment in which ufw itself
/// keeps what was asked for. Source: ufw(8), `backend_iptables.py`.
package struct UFWRulesFile: Hashable, Sendable {
    package let lines: TextLines

    package init(bytes: [UInt8]) { lines = TextLines(bytes) }

    package var bytes: [UInt8] { lines.bytes }

    /// The file with one rule more, exactly as ufw writes it; unchanged where the tuple is there. Nil where the place
    /// for rules is not found.
    package func adding(tuple: String, rules: [String]) -> UFWRulesFile? {
        let comment = "### tuple ### " + tuple
        if lines.numbered.contains(where: { $0.text == comment }) { return self }
        guard let end = lines.numbered.first(where: { $0.text == "### END RULES ###" })?.number else { return nil }
        var edited = lines
        for (offset, line) in ([comment] + rules + [""]).enumerated() {
            edited.insert(line, afterLine: end - 1 + offset)
        }
        return UFWRulesFile(bytes: edited.bytes)
    }
}
