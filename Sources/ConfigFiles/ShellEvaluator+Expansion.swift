/// Words, and the variables in them. Source: POSIX, XCU 2.6.2.
extension ShellEvaluator {
    /// The text of a word. Assigns for `${NAME:=word}`.
    mutating func expand(_ parts: [ShellWordPart]) -> ShellValue {
        var text: [UInt8] = []
        var unknown: ShellValue?
        for part in parts {
            let value: ShellValue
            switch part {
            case .literal(let bytes, _):
                text += bytes
                continue
            case .unknown(let what): value = .unknown(what)
            case .variable(let name, let operation): value = variable(name, operation)
            }
            // Later parts are still looked at: they may assign.
            guard case .known(let expanded) = value else {
                unknown = unknown ?? value
                continue
            }
            text += expanded.utf8
            guard text.count <= 1 << 16 else { return .unknown("an expansion that grows without end") }
        }
        return unknown ?? .known(String(decoding: text, as: UTF8.self))
    }

    private mutating func variable(_ name: String, _ operation: ShellExpansion?) -> ShellValue {
        let current = environment.value(name)
        if current == nil, Self.inherited.contains(name) { return .unknown("$\(name) of the environment") }
        if case .unknown = current { return .unknown("$\(name) is not known") }
        let text = current?.text ?? ""
        guard let operation else { return .known(text) }
        let isSet = current != nil && !(operation.colon && text.isEmpty)
        switch operation.sign {
        case UInt8(ascii: "+"):
            return isSet ? expand(operation.word) : .known("")
        case UInt8(ascii: "="):
            if isSet { return .known(text) }
            let value = expand(operation.word)
            let assigned = running == .yes ? value : .unknown("$\(name) is set only under a condition")
            environment.variables[name] = .init(value: assigned, location: nil)
            return value
        default:
            return isSet ? .known(text) : expand(operation.word)
        }
    }
}
