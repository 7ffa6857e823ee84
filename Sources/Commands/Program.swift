internal import ArgumentParser
internal import LinuxHost
internal import PracticeHost

/// The whole program: parses, runs, and turns every end into a message and an exit code.
package func runLXCDoctor() -> Never {
    becomePracticeInitIfAsked()
    Console.ignoreBrokenPipes()
    do {
        var command = try LXCDoctor.command(Array(CommandLine.arguments.dropFirst()))
        try command.run()
    } catch {
        finish(error)
    }
    LXCDoctor.exit()
}

private func finish(_ error: any Error) -> Never {
    // A verdict: everything is said. ArgumentParser would prepare its help first.
    if let code = error as? ExitCode { Console.exit(code.rawValue) }
    if let failure = error as? CommandError {
        Console.write("lxc-doctor: \(failure.message)\n", to: .error)
        Console.exit(failure.code.rawValue)
    }
    if LXCDoctor.exitCode(for: error).isSuccess {
        // Help and version, which go to standard output.
        LXCDoctor.exit(withError: error)
    }
    // One line: what is wrong, and where the help is.
    let message = oneLine(LXCDoctor.message(for: error))
    Console.write("lxc-doctor: \(message) (lxc-doctor --help lists what there is)\n", to: .error)
    Console.exit(CommandError.Code.usage.rawValue)
}

extension LXCDoctor {
    /// The command that the arguments ask for.
    ///
    /// A command of the first level is tried alone first. From the root ArgumentParser reads, by reflection, the options of
    /// its completion scripts (twice) and those of the default command (once more), before it comes to the command
    /// itself: a quarter of what parsing costs. What does not parse is left to the root, which words help and errors.
    fileprivate static func command(_ arguments: [String]) throws -> any ParsableCommand {
        let named = configuration.subcommands.first { $0._commandName == arguments.first }
        let type = named ?? DoctorCommand.self
        let asksTheRoot = arguments.contains { ["--help", "-h", "--version"].contains($0) }
        if type.configuration._superCommandName != nil, !asksTheRoot {
            do {
                let command = try type.parseAsRoot(Array(arguments.dropFirst(named == nil ? 0 : 1)))
                // Help is a command of its own.
                if Swift.type(of: command) == type { return command }
            } catch {
                // Said by the root.
            }
        }
        return try parseAsRoot(arguments)
    }
}

/// A message on one line; the points of a list in it become words with commas between them.
private func oneLine(_ message: String) -> String {
    message.split(whereSeparator: \.isNewline).reduce("") { line, part in
        let words = part.drop { $0 == " " }
        guard words.hasPrefix("- ") else { return line.isEmpty ? String(words) : "\(line) \(words)" }
        return line + (line.hasSuffix(":") ? " " : ", ") + words.dropFirst(2)
    }
}
