/// A shell variable's value, as far as it can be known without running the shell.
package enum ShellValue: Hashable, Sendable {
    case known(String)
    /// Why it cannot be known.
    case unknown(String)

    package var text: String? {
        if case .known(let text) = self { text } else { nil }
    }
}

/// What the file system says when a shell file asks for another file.
package enum ShellFile: Sendable {
    case text([UInt8])
    case missing
    /// It may exist, but it could not be read; the text says why.
    case unreadable(String)
}

/// The variables after a shell has read some files.
package struct ShellEnvironment: Sendable {
    struct Variable: Hashable, Sendable {
        var value: ShellValue
        var location: SourceLocation?
    }

    var variables: [String: Variable] = [:]
    /// Set once something was met that may have assigned any variable.
    var taint: String?
    /// The files that were read, in order.
    package internal(set) var sourced: [String] = []
    /// What a shell would complain about, or what was not understood: `file:line: message`.
    package internal(set) var problems: [String] = []
    /// Whether the shell would leave here for sure (`exit`, a missing file to read, a syntax error).
    package internal(set) var exits: SourceLocation?

    package init(_ initial: [String: String] = [:]) {
        variables = initial.mapValues { Variable(value: .known($0), location: nil) }
    }

    /// The value of a variable; nil where nothing sets it.
    package func value(_ name: String) -> ShellValue? {
        if let variable = variables[name] { return variable.value }
        return taint.map(ShellValue.unknown)
    }

    /// Where the value comes from; nil for an initial value.
    package func location(_ name: String) -> SourceLocation? {
        variables[name]?.location
    }

    mutating func taintAll(_ reason: String) {
        taint = reason
        for name in variables.keys {
            variables[name]?.value = .unknown(reason)
        }
    }
}
