/// Whether something happens: for sure, for sure not, or only a running shell knows.
enum Certainty {
    case yes, no, maybe

    static prefix func ! (value: Certainty) -> Certainty {
        switch value {
        case .yes: .no
        case .no: .yes
        case .maybe: .maybe
        }
    }

    static func && (left: Certainty, right: Certainty) -> Certainty {
        if left == .no || right == .no { return .no }
        return left == .yes && right == .yes ? .yes : .maybe
    }

    static func || (left: Certainty, right: Certainty) -> Certainty {
        !(!left && !right)
    }
}

/// Walks through the tokens of shell files and keeps the variables. See `ShellSettings` for what it understands.
struct ShellEvaluator {
    /// An assignment in the first file, for editing.
    struct Assignment {
        var name: String
        /// The bytes of its value, quotes included.
        var value: Range<Int>
        /// Whether it happens whatever else is true.
        var certain: Bool
    }

    private struct Block {
        enum Kind { case conditional, loop, cases, group, subshell, function }
        var kind: Kind
        /// Whether the commands at this point of the block run, seen from outside of the block.
        var runs: Certainty
        /// For `if`: whether it is entered at all, and whether a branch was already taken.
        var entered = Certainty.yes
        var taken = Certainty.no
    }

    private static let maximumDepth = 8
    private static let maximumFiles = 64
    /// Set by the environment of the process that reads the files, so not known here.
    private static let inherited: Set<String> = [
        "PATH", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "OLDPWD", "HOSTNAME", "LANG", "LC_ALL", "TERM", "IFS",
        "RUNLEVEL", "PREVLEVEL", "UPSTART_JOB", "RANDOM", "UID", "EUID", "PPID",
    ]

    var environment: ShellEnvironment
    let reader: (String) -> ShellFile
    private(set) var assignments: [Assignment] = []
    private(set) var endsInBlock = false
    private var path = ""
    private var source: [UInt8] = []
    private var depth = 0
    private var blocks: [Block] = []
    /// Whether commands of this file still run: `maybe` after a conditional exit.
    private var fileRuns = Certainty.yes
    private var chain = Certainty.yes
    private var status = Certainty.yes
    /// Whether the last thing read was `&&`, `||` or `|`.
    private var isInsideList = false

    init(environment: ShellEnvironment, reader: @escaping (String) -> ShellFile) {
        self.environment = environment
        self.reader = reader
    }

    private var running: Certainty {
        blocks.reduce(fileRuns && chain) { $0 && $1.runs }
    }

    mutating func evaluate(path: String, bytes: [UInt8]) {
        self.path = path
        source = bytes
        environment.sourced.append(path)
        var lexer = ShellLexer(bytes)
        let tokens = lexer.tokenize()
        var position = 0
        while position < tokens.count, environment.exits == nil, fileRuns != .no {
            step(tokens, &position)
        }
        if environment.exits == nil, fileRuns != .no, let error = lexer.error {
            let location = SourceLocation(file: path, line: error.line)
            environment.problems.append("\(location): \(error.message)")
            environment.taintAll("\(location): \(error.message)")
            environment.exits = location
        }
        endsInBlock = !blocks.isEmpty
    }

    private mutating func step(_ tokens: [ShellToken], _ position: inout Int) {
        switch tokens[position] {
        case .control(let control, _):
            position += 1
            self.control(control)
        case .redirection:
            position += 2
        case .word(let first):
            isInsideList = false
            if let keyword = first.plain, reserved(keyword) {
                position += 1
                return
            }
            var words: [ShellWord] = []
            while position < tokens.count {
                if case .word(let word) = tokens[position] {
                    words.append(word)
                    position += 1
                } else if case .redirection = tokens[position] {
                    position += 2
                } else {
                    break
                }
            }
            let next = position < tokens.count ? tokens[position] : nil
            if case .control("(", _)? = next, words.count == 1, words[0].assignedName == nil {
                // A function: its body may or may not be called.
                position += 1
                if position < tokens.count, case .control(")", _) = tokens[position] { position += 1 }
                while position < tokens.count, case .control("\n", _) = tokens[position] { position += 1 }
                if position < tokens.count, case .word(let word) = tokens[position], word.plain == "{" {
                    position += 1
                    blocks.append(Block(kind: .function, runs: .maybe))
                }
                return
            }
            var piped = false
            if case .control(let control, _)? = next { piped = control == "|" || control == "&" }
            command(words, piped: piped)
        }
    }

    private mutating func control(_ control: String) {
        // Newlines after an operator do not end the list (XCU 2.10, `linebreak`).
        if control == "\n", isInsideList { return }
        isInsideList = control == "&&" || control == "||" || control == "|"
        switch control {
        case "&&": chain = status
        case "||": chain = !status
        case "|": chain = .maybe
        case "(":
            blocks.append(Block(kind: .subshell, runs: .no))
            chain = .yes
        case ")":
            if blocks.last?.kind == .subshell {
                blocks.removeLast()
                status = .maybe
            }
            chain = .yes
        default:
            chain = .yes
        }
    }

    /// Handles a reserved word at the start of a command. False where it is none.
    private mutating func reserved(_ word: String) -> Bool {
        switch word {
        case "if":
            blocks.append(Block(kind: .conditional, runs: chain, entered: chain))
        case "then":
            guard var block = blocks.popLast(), block.kind == .conditional else { return true }
            block.runs = block.entered && !block.taken && status
            block.taken = block.taken || status
            blocks.append(block)
        case "elif", "else":
            guard var block = blocks.popLast(), block.kind == .conditional else { return true }
            block.runs = block.entered && !block.taken
            blocks.append(block)
        case "for", "while", "until":
            blocks.append(Block(kind: .loop, runs: .maybe))
        case "case":
            blocks.append(Block(kind: .cases, runs: .maybe))
        case "{":
            blocks.append(Block(kind: .group, runs: chain))
        case "fi", "done", "esac", "}":
            if !blocks.isEmpty { blocks.removeLast() }
            status = .maybe
        case "do", "!":
            if word == "!" { status = .maybe }
            return true
        default:
            return false
        }
        chain = .yes
        return true
    }

    private mutating func command(_ words: [ShellWord], piped: Bool) {
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

    /// The text of a word. Assigns for `${NAME:=word}`.
    private mutating func expand(_ parts: [ShellWordPart]) -> ShellValue {
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
