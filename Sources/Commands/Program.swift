internal import ArgumentParser
internal import LinuxHost
internal import PracticeHost

/// The whole program: parses, runs, and turns every end into a message and an exit code.
package func runLXCDoctor() -> Never {
    becomePracticeInitIfAsked()
    Console.ignoreBrokenPipes()
    do {
        var command = try LXCDoctor.parseAsRoot()
        try command.run()
    } catch {
        finish(error)
    }
    LXCDoctor.exit()
}

private func finish(_ error: any Error) -> Never {
    if let failure = error as? CommandError {
        Console.write("lxc-doctor: \(failure.message)\n", to: .error)
        LXCDoctor.exit(withError: ExitCode(failure.code.rawValue))
    }
    let code = LXCDoctor.exitCode(for: error)
    if error is ExitCode || code.isSuccess {
        // A verdict as exit code, or help and version, which go to standard output.
        LXCDoctor.exit(withError: error)
    }
    // One line: what is wrong, and where the help is.
    let message = LXCDoctor.message(for: error).split(whereSeparator: \.isNewline).joined(separator: " ")
    Console.write("lxc-doctor: \(message) (lxc-doctor --help lists what there is)\n", to: .error)
    LXCDoctor.exit(withError: ExitCode(CommandError.Code.usage.rawValue))
}
