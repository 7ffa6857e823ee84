internal import CLinux
internal import Glibc
internal import HostAccess

/// Programs of others that a repair runs. They cannot outlive this one: see `clinux_program_start`.
extension LiveHost {
    private static let programEnvironment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "HOME=/root"]

    /// Runs the program; another status than 0 is an error with the end of what it printed.
    func run(_ program: OwnedProgram) throws(HostError) {
        switch program {
        case .checkShorewall(let reach): return try checkShorewall(reach, program.command)
        case .checkNetplan:
            let copy = OwnedProgram.copy
            return try withCopy(of: "/etc/netplan", at: "\(copy)/etc/netplan", below: copy) { () throws(HostError) in
                _ = try runToEnd(program.command, milliseconds: 60_000, limit: 64 << 10)
            }
        default: break
        }
        let output = try runToEnd(program.command, milliseconds: 60_000, limit: 64 << 10)
        // It tells of what it does not like, and yet ends well.
        if case .checkUnit(let path) = program, output.contains(path + ":") {
            throw HostError(.malformed, operation: program.command.joined(separator: " "), message: tail(output))
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
        let memory = clinux_lab_anonymous_file()
        let output = try Descriptor(memory, operation: operation)
        let status = try start(path, command, output.rawValue, milliseconds, operation)
        guard lseek(output.rawValue, 0, SEEK_SET) == 0 else { throw HostError(errno: errno, operation: operation) }
        let text = try read(output.rawValue, limit: limit, fails: status == 0, operation)
        guard status == 0 else {
            throw HostError(
                .other, operation: operation,
                message: text.isEmpty ? "it ended with status \(status)" : "\(tail(text)) (status \(status))")
        }
        return text
    }

    private func start(
        _ path: String, _ command: [String], _ output: Int32, _ milliseconds: Int, _ operation: String
    ) throws(HostError) -> Int32 {
        var ends: [Int32] = [-1, -1]
        let result = clinux_pipe(&ends)
        guard result == 0 else { throw HostError(errno: -result, operation: operation) }
        let lifeline = Descriptor(owning: ends[0])
        let ours = Descriptor(owning: ends[1])
        let arguments = command.map { strdup($0) } + [nil]
        let environment = LiveHost.programEnvironment.map { strdup($0) } + [nil]
        defer { (arguments + environment).forEach { free($0) } }
        let guardian = clinux_program_start(
            path, arguments, environment, output, lifeline.rawValue, ours.rawValue)
        guard guardian > 0 else { throw HostError(errno: -guardian, operation: operation) }
        let deadline = Deadline(milliseconds: milliseconds)
        var status: Int32 = 0
        while true {
            let ended = waitpid(guardian, &status, WNOHANG)
            if ended == guardian { break }
            guard ended == 0 || errno == EINTR else { throw HostError(errno: errno, operation: operation) }
            if deadline.milliseconds == 0 {
                kill(-guardian, SIGKILL)
                while waitpid(guardian, &status, 0) < 0 && errno == EINTR {}
                throw HostError(errno: ETIMEDOUT, operation: operation)
            }
            usleep(1_000)
        }
        // WIFEXITED and WEXITSTATUS of wait(2).
        return status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f
    }

    private func read(_ file: Int32, limit: Int, fails: Bool, _ operation: String) throws(HostError) -> String {
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(file, buffer.baseAddress?.advanced(by: count), buffer.count - count)
            }
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else { throw HostError(errno: errno, operation: operation) }
            if got == 0 { break }
            count += got
        }
        guard count <= limit || !fails else {
            throw HostError(.limit, operation: operation, message: "it prints more than \(limit) bytes")
        }
        return String(decoding: bytes[..<min(count, limit)], as: UTF8.self)
    }

    /// The last lines that say something, on one line.
    private func tail(_ text: String) -> String {
        text.split(separator: "\n").suffix(3).joined(separator: "; ")
    }
}
