/// A file of shell assignments such as `/etc/default/lxc-net`, read as a POSIX shell would read it, without running one.
///
/// Understood: assignments, `export`, `readonly`, `unset`, quotes, expansion of variables, `.` and `source`, `[ … ]`
/// with file and string tests, `&&`, `||`, `if`. What is assigned under any other condition is unknown, not guessed.
///
/// Source: POSIX.1-2017 XCU 2; dash(1).
package struct ShellSettings: Sendable {
    package let path: String
    package private(set) var bytes: [UInt8]

    package init(path: String, bytes: [UInt8]) {
        self.path = path
        self.bytes = bytes
    }

    package init(path: String, text: String) {
        self.init(path: path, bytes: Array(text.utf8))
    }

    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The variables after the file was read, starting from `initial`. `reader` gives the files that it reads in turn.
    package func evaluate(
        initial: [String: String] = [:], reader: (String) -> ShellFile = { _ in .unreadable("it was not looked at") }
    ) -> ShellEnvironment {
        withoutActuallyEscaping(reader) { reader in
            var evaluator = ShellEvaluator(environment: ShellEnvironment(initial), reader: reader)
            evaluator.evaluate(path: path, bytes: bytes)
            return evaluator.environment
        }
    }

    /// Sets a variable for good: replaces the value of its last assignment in place, or appends an assignment.
    ///
    /// Every other byte stays. Throws `notUnderstood` where the file ends inside a quote, a block or an `exit`, and
    /// `unwritable` for a name that is none or a value with a NUL or newline.
    package mutating func set(_ name: String, to value: String) throws(ConfigEditError) {
        guard let first = name.utf8.first, !(0x30...0x39).contains(first),
            name.utf8.allSatisfy(ShellLexer.isNameByte)
        else { throw .unwritable("not a variable name: \(name)") }
        guard !value.utf8.contains(where: { $0 == 0 || $0 == 0x0a || $0 == 0x0d }) else {
            throw .unwritable("a value must be one line")
        }
        let assignments = try assignments()
        let quoted = Self.quote(value)
        if let last = assignments.last(where: { $0.name == name }), last.certain {
            bytes.replaceSubrange(last.value, with: quoted)
            return
        }
        let line = Array(name.utf8) + [UInt8(ascii: "=")] + quoted
        if bytes.isEmpty || bytes.last == TextLines.newline {
            bytes += line + [TextLines.newline]
        } else {
            bytes += [TextLines.newline] + line
        }
    }

    private func assignments() throws(ConfigEditError) -> [ShellEvaluator.Assignment] {
        var evaluator = ShellEvaluator(environment: ShellEnvironment(), reader: { _ in .unreadable("") })
        evaluator.evaluate(path: path, bytes: bytes)
        if let exit = evaluator.environment.exits {
            throw .notUnderstood("\(exit): nothing after this line is read")
        }
        guard !evaluator.endsInBlock, bytes.last != UInt8(ascii: "\\") else {
            throw .notUnderstood("\(path): the file ends inside a block")
        }
        return evaluator.assignments
    }

    /// Double quotes where they keep the value as it is, else single quotes.
    private static func quote(_ value: String) -> [UInt8] {
        let special: Set<UInt8> = [0x24, 0x60, 0x22, 0x5c]
        if !value.utf8.contains(where: special.contains) {
            return [0x22] + Array(value.utf8) + [0x22]
        }
        var quoted: [UInt8] = [0x27]
        for byte in value.utf8 {
            quoted += byte == 0x27 ? [0x27, 0x5c, 0x27, 0x27] : [byte]
        }
        return quoted + [0x27]
    }
}

extension ShellSettings {
    /// A byte that may stand in a variable's name.
    package static func isNameByte(_ byte: UInt8) -> Bool { ShellLexer.isNameByte(byte) }
}
