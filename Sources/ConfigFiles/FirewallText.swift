package import HostModel

/// A rule of a saved ruleset that translates source addresses, as far as its text tells.
package struct TranslationRule: Hashable, Sendable {
    package var text: String
    package var location: SourceLocation
    /// The networks that it translates; empty: whatever comes.
    package var sources: [IPv4Prefix]
    /// It names a source that is not a plain prefix (a set, a range, a negation).
    package var sourceUnknown: Bool

    package init(text: String, location: SourceLocation, sources: [IPv4Prefix] = [], sourceUnknown: Bool = false) {
        self.text = text
        self.location = location
        self.sources = sources
        self.sourceUnknown = sourceUnknown
    }

    package func covers(_ network: IPv4Prefix) -> Bool {
        !sourceUnknown && (sources.isEmpty || sources.contains { $0.contains(network) })
    }
}

/// A file for `iptables-restore`, such as `/etc/iptables/rules.v4` or ufw's `before.rules`. Source: iptables-restore(8).
package struct IptablesRestoreFile: Hashable, Sendable {
    package let path: String
    package let lines: TextLines

    package init(path: String, bytes: [UInt8]) {
        self.path = path
        lines = TextLines(bytes)
    }

    /// The tables that the file replaces.
    package var tables: [String] {
        lines.numbered.compactMap { $0.text.hasPrefix("*") ? String($0.text.dropFirst()).trimmedBlanks : nil }
    }

    /// MASQUERADE and SNAT rules in POSTROUTING of the nat table.
    package var translations: [TranslationRule] {
        var table = ""
        var rules: [TranslationRule] = []
        for (number, line) in lines.numbered {
            let text = line.trimmedBlanks
            if text.hasPrefix("*") { table = String(text.dropFirst()).trimmedBlanks }
            guard table == "nat", text.hasPrefix("-") else { continue }
            if let rule = Self.translation(text, SourceLocation(file: path, line: number)) { rules.append(rule) }
        }
        return rules
    }

    /// One `-A POSTROUTING … -j MASQUERADE|SNAT` command, with or without `iptables -t nat` before it.
    package static func translation(_ text: String, _ location: SourceLocation) -> TranslationRule? {
        let words = text.blankSeparated.map(Self.unquoted)
        guard let chain = words.firstIndex(where: { ["-A", "-I", "--append", "--insert"].contains($0) }),
            words.indices.contains(chain + 1), words[chain + 1] == "POSTROUTING",
            let jump = words.firstIndex(where: { $0 == "-j" || $0 == "--jump" }), words.indices.contains(jump + 1),
            words[jump + 1] == "MASQUERADE" || words[jump + 1] == "SNAT"
        else { return nil }
        var rule = TranslationRule(text: text, location: location)
        for (index, word) in words.enumerated() where word == "-s" || word == "--source" || word == "--src" {
            guard index + 1 < words.count else { continue }
            let negated = index > 0 && words[index - 1] == "!"
            for part in words[index + 1].split(separator: ",") {
                if !negated, let prefix = prefix(String(part)) {
                    rule.sources.append(prefix)
                } else {
                    rule.sourceUnknown = true
                }
            }
        }
        return rule
    }

    /// `10.5.0.0/16`, `10.5.0.0/255.255.0.0`.
    static func prefix(_ text: String) -> IPv4Prefix? {
        if let prefix = IPv4Prefix(text) { return prefix }
        let parts = text.split(separator: "/")
        guard parts.count == 2, let address = IPv4Address(String(parts[0])), let mask = IPv4Address(String(parts[1]))
        else { return nil }
        return IPv4Prefix(address: address, netmask: mask)
    }

    private static func unquoted(_ word: String) -> String {
        word.count > 1 && word.hasPrefix("\"") && word.hasSuffix("\"") ? String(word.dropFirst().dropLast()) : word
    }
}

/// A file for `nft -f`, only lexically: which tables it makes and deletes, and what it masquerades. Source: nft(8).
package struct NftablesConf: Hashable, Sendable {
    package let path: String
    package let lines: TextLines

    package init(path: String, bytes: [UInt8]) {
        self.path = path
        lines = TextLines(bytes)
    }

    private var content: [(number: Int, text: String)] {
        lines.numbered.map { number, line in (number, String(line.prefix { $0 != "#" }).trimmedBlanks) }
    }

    /// The lines that delete every table.
    package var flushes: [SourceLocation] {
        content.filter { line in
            line.text.split(separator: ";").contains { String($0).blankSeparated.prefix(2) == ["flush", "ruleset"] }
        }.map { SourceLocation(file: path, line: $0.number) }
    }

    /// Files and patterns that it includes.
    package var includes: [String] {
        content.compactMap { line in
            guard line.text.hasPrefix("include"), let open = line.text.firstIndex(of: "\"") else { return nil }
            return String(line.text[line.text.index(after: open)...].prefix { $0 != "\"" })
        }
    }

    /// Rules with `masquerade` or `snat` in a chain whose hook is postrouting.
    package var translations: [TranslationRule] {
        var rules: [TranslationRule] = []
        var pending: [TranslationRule] = []
        var depth = 0
        var chainDepth: Int?
        var postrouting = false
        for (number, text) in content {
            let words = text.blankSeparated
            if words.first == "chain" || words.contains("chain") && text.contains("{") {
                chainDepth = depth + text.prefix { $0 != "{" }.count { $0 == "{" }
                pending = []
                postrouting = false
            }
            if text.contains("hook postrouting") { postrouting = true }
            let command = words.prefix(2) == ["add", "rule"] || words.prefix(2) == ["insert", "rule"]
            if words.contains(where: { ["masquerade", "snat"].contains($0.filter { $0 != ";" && $0 != "}" }) }),
                chainDepth != nil || command
            {
                let rule = Self.rule(text, words, SourceLocation(file: path, line: number))
                if command { rules.append(rule) } else { pending.append(rule) }
            }
            depth += text.count { $0 == "{" } - text.count { $0 == "}" }
            if let start = chainDepth, depth <= start {
                if postrouting { rules += pending }
                pending = []
                chainDepth = nil
            }
        }
        return rules
    }

    private static func rule(_ text: String, _ words: [String], _ location: SourceLocation) -> TranslationRule {
        var rule = TranslationRule(text: text, location: location)
        for (index, word) in words.enumerated() where word == "saddr" && index > 0 && words[index - 1] == "ip" {
            guard index + 1 < words.count, let prefix = IPv4Prefix(words[index + 1]) else {
                rule.sourceUnknown = true
                continue
            }
            rule.sources.append(prefix)
        }
        return rule
    }
}
