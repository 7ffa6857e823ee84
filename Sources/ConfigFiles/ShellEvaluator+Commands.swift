/// What simple commands do to the variables. Source: POSIX, XCU 2.9.1 and 2.14.
extension ShellEvaluator {
    mutating func command(_ words: [ShellWord], piped: Bool) {
        let runs = piped ? running && .maybe : running
        guard runs != .no else { return }
        status = .maybe
        let prefix = words.prefix { $0.assignedName != nil }
        let rest = Array(words.dropFirst(prefix.count))
        guard let first = rest.first else {
            for word in prefix { assign(word, runs) }
            status = .yes
            return
        }
        switch expand(first.parts) {
        case .unknown(let reason):
            environment.taintAll("\(location(first)): \(reason)")
        case .known(let name):
            builtin(name, Array(rest.dropFirst()), at: first, runs)
        }
    }

    private mutating func builtin(_ name: String, _ arguments: [ShellWord], at first: ShellWord, _ runs: Certainty) {
        switch name {
        case ":", "true":
            for word in arguments { _ = expand(word.parts) }
            status = .yes
        case "false":
            status = .no
        case "export", "readonly":
            for word in arguments where word.assignedName != nil { assign(word, runs) }
            status = .yes
        case "local", "declare", "typeset", "read":
            for word in arguments {
                let name = word.assignedName ?? word.plain ?? ""
                set(name, .unknown("\(location(word)): \(first.plain ?? "") sets it"), at: word, .yes)
            }
        case "unset":
            let reason = "\(location(first)): unset under a condition"
            for word in arguments {
                guard case .known(let name) = expand(word.parts) else { continue }
                if runs == .yes {
                    environment.variables[name] = nil
                } else if environment.variables[name] != nil {
                    environment.variables[name]?.value = .unknown(reason)
                }
            }
            status = .yes
        case "eval":
            environment.taintAll("\(location(first)): eval")
        case "exit", "return":
            leave(name, at: first, runs)
        case ".", "source":
            if let word = arguments.first { source(word, runs) }
        case "[", "test":
            var words = arguments.map { expand($0.parts) }
            if name == "[" {
                guard words.last == .known("]") else { return }
                words.removeLast()
            }
            status = test(words)
        default:
            break
        }
    }

    private mutating func leave(_ name: String, at word: ShellWord, _ runs: Certainty) {
        guard !blocks.contains(where: { $0.kind == .function || $0.kind == .subshell }) else { return }
        if runs == .yes {
            if name == "exit" || depth == 0 { environment.exits = location(word) }
            fileRuns = .no
        } else {
            fileRuns = .maybe
        }
    }

    private mutating func source(_ word: ShellWord, _ runs: Certainty) {
        guard case .known(let file) = expand(word.parts), file.contains("/") else {
            environment.taintAll("\(location(word)): reads a file whose name is not known")
            return
        }
        guard depth < Self.maximumDepth, environment.sourced.count < Self.maximumFiles else {
            environment.taintAll("\(location(word)): files read each other without end")
            return
        }
        switch reader(file) {
        case .unreadable(let reason):
            environment.taintAll("\(file): \(reason)")
        case .missing:
            // A missing file ends a non-interactive shell (XCU 2.8.1).
            environment.problems.append("\(location(word)): \(file) does not exist")
            if runs == .yes { environment.exits = location(word) } else { fileRuns = .maybe }
        case .text(let bytes):
            var inner = ShellEvaluator(environment: environment, reader: reader)
            inner.depth = depth + 1
            inner.fileRuns = runs
            inner.evaluate(path: file, bytes: bytes)
            environment = inner.environment
            status = .maybe
        }
    }

    private func test(_ words: [ShellValue]) -> Certainty {
        if words.first == .known("!"), words.count > 1 { return !test(Array(words.dropFirst())) }
        if words.count == 1, case .known(let text) = words[0] { return text.isEmpty ? .no : .yes }
        if words.count == 2, case .known(let sign) = words[0], case .known(let operand) = words[1] {
            switch sign {
            case "-n": return operand.isEmpty ? .no : .yes
            case "-z": return operand.isEmpty ? .yes : .no
            case "-f", "-e", "-r", "-s":
                switch reader(operand) {
                case .text(let bytes): return sign == "-s" && bytes.isEmpty ? .no : .yes
                case .missing: return .no
                case .unreadable: return .maybe
                }
            default: return .maybe
            }
        }
        if words.count == 3, case .known(let left) = words[0], case .known(let sign) = words[1],
            case .known(let right) = words[2]
        {
            switch sign {
            case "=", "==": return left == right ? .yes : .no
            case "!=": return left == right ? .no : .yes
            default: return .maybe
            }
        }
        return .maybe
    }

    private func location(_ word: ShellWord) -> SourceLocation {
        SourceLocation(file: path, line: word.line)
    }

    private mutating func assign(_ word: ShellWord, _ runs: Certainty) {
        guard let name = word.assignedName, case .literal(let bytes, _)? = word.parts.first else { return }
        var parts = word.parts
        parts[0] = .literal(Array(bytes.dropFirst(name.utf8.count + 1)), quoted: false)
        var value = expand(parts)
        if case .literal(let head, quoted: false) = parts[0], head.first == UInt8(ascii: "~") {
            value = .unknown("a home directory")
        }
        if case .unknown(let reason) = value { value = .unknown("\(location(word)): \(reason)") }
        set(name, value, at: word, runs)
        if depth == 0 {
            let start = word.range.lowerBound + name.utf8.count + 1
            // A line continuation inside the name would shift the value: then it is not edited in place.
            let isPlain = start <= word.range.upperBound && source[start - 1] == UInt8(ascii: "=")
            assignments.append(
                Assignment(
                    name: name, value: min(start, word.range.upperBound)..<word.range.upperBound,
                    certain: runs == .yes && isPlain))
        }
    }

    private mutating func set(_ name: String, _ value: ShellValue, at word: ShellWord, _ runs: Certainty) {
        let old = environment.variables[name]
        if runs == .maybe, old?.value != value {
            let reason = "\(location(word)): set only under a condition"
            environment.variables[name] = .init(value: .unknown(reason), location: location(word))
        } else {
            environment.variables[name] = .init(value: value, location: location(word))
        }
    }
}
