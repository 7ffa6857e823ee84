internal import HostAccess

/// Programs of others that a repair runs. They cannot outlive this one: see `GuardedProgram`.
extension LiveHost {
    /// Runs the program; another status than 0 is an error with the end of what it printed.
    func run(_ program: OwnedProgram) throws(HostError) {
        switch program {
        case .checkShorewall(let reach): return try checkShorewall(reach, program.command)
        case .checkNetplan:
            let copy = OwnedProgram.copy
            return try withCopy(of: "/etc/netplan", at: "\(copy)/etc/netplan", below: copy) { () throws(HostError) in
                _ = try runToEnd(program.command, milliseconds: 60_000, limit: 64 << 10)
            }
        case .installLXC(let manager, _): return try install(by: manager, program.command)
        default: break
        }
        let output = try runToEnd(program.command, milliseconds: 60_000, limit: 64 << 10)
        // It tells of what it does not like, and yet ends well.
        if case .checkUnit(let path) = program, output.contains(path + ":") {
            throw HostError(
                .malformed, operation: program.command.joined(separator: " "), message: CollectedOutput.tail(output))
        }
    }

    /// The compiler may write into the directory that it checks, so it gets a copy; and it accepts files that reject
    /// all traffic, so its ruleset is judged.
    private func checkShorewall(_ reach: ShorewallReach, _ command: [String]) throws(HostError) {
        let output = try withCopy(of: "/etc/shorewall", at: OwnedProgram.copy, below: OwnedProgram.copy) {
            () throws(HostError) in
            try runToEnd(command, milliseconds: 60_000, limit: 16 << 20)
        }
        if let complaint = reach.complaint(aboutOutput: output) {
            throw HostError(.malformed, operation: command.joined(separator: " "), message: complaint)
        }
    }

    /// What `COMMAND` prints, on both outputs. `notFound`: it is not installed.
    @discardableResult
    func runToEnd(_ command: [String], milliseconds: Int, limit: Int) throws(HostError) -> String {
        let operation = command.joined(separator: " ")
        guard let name = command.first else {
            throw HostError(.malformed, operation: "run", message: "there is no program to run")
        }
        let path = try trustedPath(of: name, in: LiveHost.programDirectories + ["/sbin"], operation)
        let output = try CollectedOutput(operation)
        let number = output.descriptor.rawValue
        let program = GuardedProgram(
            path: path, command: command, output: number, messages: number, milliseconds: milliseconds)
        let status = try program.run()
        let text = try output.text(limit: limit, fails: status == 0, operation)
        guard status == 0 else {
            throw HostError(
                .other, operation: operation,
                message: text.isEmpty
                    ? "it ended with status \(status)" : "\(CollectedOutput.tail(text)) (status \(status))")
        }
        return text
    }

    /// Where it was cut short, the package is installed to its end; where that is not possible, it is removed.
    private func install(by manager: PackageManager, _ command: [String]) throws(HostError) {
        let bounds = (milliseconds: 3_600_000, limit: 16 << 20)
        guard isRestoring else {
            try runToEnd(command, milliseconds: bounds.milliseconds, limit: bounds.limit)
            return
        }
        // Cut short before the package was touched, there is nothing to complete.
        if manager.state != nil, try isSound(manager) { return }
        for step in manager.completion {
            do throws(HostError) {
                try runToEnd(step, milliseconds: bounds.milliseconds, limit: bounds.limit)
            } catch {
                // Nothing to complete is an error to some of them: whether it is half done is asked next.
            }
            if manager.state != nil, try isSound(manager) { return }
        }
        if let removal = manager.removal {
            try runToEnd(removal, milliseconds: bounds.milliseconds, limit: bounds.limit)
        }
        guard try isSound(manager) else {
            throw HostError(
                .other, operation: command.joined(separator: " "),
                message: "the package is half installed: " + (manager.state?.joined(separator: " ") ?? ""))
        }
    }

    /// Whether the package is installed or absent, as far as the package manager can be asked.
    private func isSound(_ manager: PackageManager) throws(HostError) -> Bool {
        guard let query = manager.state else { return true }
        do throws(HostError) {
            return PackageManager.isSound(state: try runToEnd(query, milliseconds: 60_000, limit: 4096))
        } catch {
            // It knows no such package.
            if error.code == .other { return true }
            throw error
        }
    }
}
