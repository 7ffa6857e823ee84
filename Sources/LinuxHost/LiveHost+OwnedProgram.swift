internal import CLinux
internal import Glibc
internal import HostAccess
internal import HostModel
internal import WireFormats

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
        case .lxcNetStop(let outcome): try endServer(of: outcome)
        default: break
        }
        let output = try runToEnd(program.command, milliseconds: 60_000, limit: 64 << 10)
        // It tells of what it does not like, and yet ends well.
        if case .checkUnit(let path) = program, output.contains(path + ":") {
            throw HostError(
                .malformed, operation: program.command.joined(separator: " "), message: CollectedOutput.tail(output))
        }
    }

    /// Where lxc-net's bridge is gone, its script stops nothing but itself: then its server is ended here, as the script
    /// does it elsewhere, and the file with its number goes.
    private func endServer(of outcome: LxcNetOutcome) throws(HostError) {
        let path = DnsmasqProcess.pidFileOfLXCNet
        let operation = "end the server of \(path)"
        guard try !links(operation).contains(where: { $0.name == outcome.bridge }) else { return }
        if let server = try DnsmasqProcess(pidFile: path, on: self) {
            guard server.serves(outcome.bridge, at: outcome.address.address) == true else { return }
            try kill(server, operation)
        }
        do throws(HostError) {
            let directory = try TrustedDirectory(of: path, operation: operation)
            if try directory.facts() != nil { try directory.remove() }
        } catch {
            if error.code != .notFound { throw error }
        }
    }

    /// Ends a server at once and waits until it is gone.
    private func kill(_ server: DnsmasqProcess, _ operation: String) throws(HostError) {
        let number = clinux_pidfd(pid_t(clamping: server.process))
        // Before Linux 5.3 by its number, as lxc-net's script does.
        if number == -ENOSYS {
            _ = Glibc.kill(pid_t(clamping: server.process), SIGKILL)
            return
        }
        guard number != -ESRCH else { return }
        let handle = try Descriptor(number, operation: operation)
        // Still the same one, now that its number cannot pass to another.
        guard try DnsmasqProcess(server.process, on: self) == server else { return }
        let result = clinux_pidfd_kill(handle.rawValue)
        guard result == 0 || result == -ESRCH else { throw HostError(errno: -result, operation: operation) }
        guard try Deadline(milliseconds: 5_000).waitForInput(on: handle.rawValue, operation) else {
            throw HostError(errno: ETIMEDOUT, operation: operation)
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
