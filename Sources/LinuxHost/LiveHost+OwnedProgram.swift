internal import HostAccess

/// Programs of others that a repair runs. They cannot outlive this one: see `GuardedProgram`.
extension LiveHost {
    /// Runs the program; another status than 0 is an error with the end of what it printed.
    func run(_ program: OwnedProgram) throws(HostError) {
        switch program {
        case .checkShorewall(let reach): return try checkShorewall(reach, program.command)
        case .shorewallReload(_, let isOpen): return try reloadShorewall(isOpen: isOpen, program.command)
        case .checkNetplan:
            let copy = OwnedProgram.copy
            return try withCopy(of: "/etc/netplan", at: "\(copy)/etc/netplan", below: copy) { () throws(HostError) in
                _ = try runToEnd(program.command, milliseconds: 60_000, limit: 64 << 10)
            }
        case .installLXC(let manager, let again): return try install(by: manager, again: again)
        case .checkKeyfile(let path, let address): return try checkKeyfile(path, address, program.command)
        case .checkNetworkManager(let devices): return try checkNetworkManager(devices, program.command)
        case .reloadNetworkManager(let ports): return try reloadNetworkManager(program.command, ports)
        default: break
        }
        let output = try runToEnd(program.command, milliseconds: 60_000, limit: 64 << 10)
        // It tells of what it does not like, and yet ends well.
        if case .checkUnit(let path) = program, output.contains(path + ":") {
            throw HostError(
                .malformed, operation: program.command.joined(separator: " "), message: CollectedOutput.tail(output))
        }
    }

    /// What `COMMAND` prints, on both outputs. `notFound`: it is not installed.
    /// `input`: an open descriptor that it reads from; nil: it reads nothing.
    @discardableResult
    func runToEnd(
        _ command: [String], input: Int32? = nil, milliseconds: Int, limit: Int
    ) throws(HostError) -> String {
        let operation = command.joined(separator: " ")
        guard let name = command.first else {
            throw HostError(.malformed, operation: "run", message: "there is no program to run")
        }
        let path = try trustedPath(of: name, in: LiveHost.programDirectories + ["/sbin"], operation)
        let output = try CollectedOutput(operation)
        let number = output.descriptor.rawValue
        let program = GuardedProgram(
            path: path, command: command, input: input, output: number, messages: number, milliseconds: milliseconds)
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
}
