/// A job of upstart, a System V script, or a shell program: only what its text shows.
///
/// Source: init(5) of upstart (`env NAME=value`, `start on`).
package struct InitScript: Hashable, Sendable {
    package struct Variable: Hashable, Sendable {
        package var name: String
        package var value: String
        package var location: SourceLocation
    }

    /// A test such as `[ "x$USE_LXC_BRIDGE" = "xtrue" ]` that decides whether anything is done.
    package struct Guard: Hashable, Sendable {
        package var variable: String
        package var wanted: String
        package var location: SourceLocation
    }

    package let path: String
    package let lines: TextLines

    package init(path: String, bytes: [UInt8]) {
        self.path = path
        lines = TextLines(bytes)
    }

    private var code: [(number: Int, text: String)] {
        lines.numbered.compactMap { number, line in
            let text = line.trimmedBlanks
            return text.hasPrefix("#") ? nil : (number, text)
        }
    }

    /// `env NAME="value"` lines of an upstart job, and plain `NAME=value` lines of a script.
    package var variables: [Variable] { variables { _ in true } }

    private func variables(_ isWanted: (String) -> Bool) -> [Variable] {
        let sign = UInt8(ascii: "=")
        return lines.lines.indices.compactMap { index in
            // Most lines of a script assign nothing: they need not become text.
            guard lines.lines[index].contains(sign), var text = lines.line(index + 1)?.trimmedBlanks else { return nil }
            if text.hasPrefix("env ") { text = String(text.dropFirst(4)).trimmedBlanks }
            // A comment has no name either.
            guard let equals = text.utf8.firstIndex(of: sign), equals != text.startIndex,
                text.utf8[..<equals].allSatisfy(ShellLexer.isNameByte)
            else { return nil }
            let name = String(text[..<equals])
            guard isWanted(name) else { return nil }
            let settings = ShellSettings(path: path, text: text).evaluate()
            guard case .known(let value)? = settings.value(name) else { return nil }
            return Variable(name: name, value: value, location: SourceLocation(file: path, line: index + 1))
        }
    }

    package func variable(_ name: String) -> Variable? { variables { $0 == name }.last }

    /// The first test of `"x$VARIABLE" = "xVALUE"` form.
    package func firstGuard(_ variable: String) -> Guard? {
        for (number, line) in code {
            guard let at = line.range(ofText: "$" + variable) ?? line.range(ofText: "${" + variable) else { continue }
            guard line.hasPrefix("[") || line.hasPrefix("if ") || line.hasPrefix("test ") else { continue }
            let before = line[..<at.lowerBound].last == "x" ? "x" : ""
            let words = String(line[at.upperBound...]).blankSeparated
            guard let sign = words.firstIndex(where: { $0 == "=" || $0 == "==" }), words.indices.contains(sign + 1)
            else { continue }
            var wanted = words[sign + 1].filter { $0 != "\"" && $0 != "'" && $0 != ";" }
            if !before.isEmpty, wanted.hasPrefix("x") { wanted.removeFirst() }
            return Guard(variable: variable, wanted: wanted, location: SourceLocation(file: path, line: number))
        }
        return nil
    }

    /// The first line on which a program is called by this name.
    package func use(of program: String) -> SourceLocation? {
        code.first { line in
            line.text.split(whereSeparator: { " \t;&|(){}`\"'".contains($0) }).contains { word in
                word == program || word.hasSuffix("/" + program)
            }
        }.map { SourceLocation(file: path, line: $0.number) }
    }

    /// The first line that holds this text outside of comment lines.
    package func mention(of text: String) -> SourceLocation? {
        code.first { $0.text.range(ofText: text) != nil }.map { SourceLocation(file: path, line: $0.number) }
    }
}

extension String {
    /// The first place of a text; plain comparison of bytes.
    package func range(ofText needle: String) -> Range<String.Index>? {
        let mine = Array(utf8)
        let wanted = Array(needle.utf8)
        guard !wanted.isEmpty, mine.count >= wanted.count else { return nil }
        for start in 0...(mine.count - wanted.count) where mine[start] == wanted[0] {
            if mine[start..<(start + wanted.count)].elementsEqual(wanted) {
                let lower = utf8.index(utf8.startIndex, offsetBy: start)
                return lower..<utf8.index(lower, offsetBy: wanted.count)
            }
        }
        return nil
    }
}
