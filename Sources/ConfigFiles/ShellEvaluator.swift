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

    struct Block {
        enum Kind { case conditional, loop, cases, group, subshell, function }
        var kind: Kind
        /// Whether the commands at this point of the block run, seen from outside of the block.
        var runs: Certainty
        /// For `if`: whether it is entered at all, and whether a branch was already taken.
        var entered = Certainty.yes
        var taken = Certainty.no
    }

    static let maximumDepth = 8
    static let maximumFiles = 64
    /// Set by the environment of the process that reads the files, so not known here.
    static let inherited: Set<String> = [
        "PATH", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "OLDPWD", "HOSTNAME", "LANG", "LC_ALL", "TERM", "IFS",
        "RUNLEVEL", "PREVLEVEL", "UPSTART_JOB", "RANDOM", "UID", "EUID", "PPID",
    ]

    var environment: ShellEnvironment
    let reader: (String) -> ShellFile
    var assignments: [Assignment] = []
    private(set) var endsInBlock = false
    var path = ""
    var source: [UInt8] = []
    var depth = 0
    var blocks: [Block] = []
    /// Whether commands of this file still run: `maybe` after a conditional exit.
    var fileRuns = Certainty.yes
    private var chain = Certainty.yes
    var status = Certainty.yes
    /// Whether the last thing read was `&&`, `||` or `|`.
    private var isInsideList = false

    init(environment: ShellEnvironment, reader: @escaping (String) -> ShellFile) {
        self.environment = environment
        self.reader = reader
    }

    var running: Certainty {
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
}
