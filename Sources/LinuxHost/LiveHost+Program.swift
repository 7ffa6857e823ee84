internal import Glibc
internal import HostAccess

/// Running a program to be asked for a version. Source: posix_spawn(3).
extension LiveHost {
    static let programDirectories = ["/usr/bin", "/usr/sbin", "/bin", "/usr/local/bin", "/usr/local/sbin"]

    /// What the program prints when it is asked for a version, without the newline at its end.
    func version(
        of program: ProgramName, in directories: [String] = LiveHost.programDirectories, milliseconds: Int = 2_000
    ) throws(HostError) -> String {
        let operation = ([program.rawValue] + program.arguments).joined(separator: " ")
        let path = try trustedPath(of: program.rawValue, in: directories, operation)
        let pipe = try Pipe(operation)
        let output = pipe.readEnd
        let childOutput = pipe.writeEnd
        var start = ChildStart(group: .own)
        start.connect(childOutput.rawValue, as: 1)
        start.discardErrors()
        let child = try start.start(path, [path] + program.arguments, operation)
        try childOutput.close(operation: operation)
        let deadline = Deadline(milliseconds: milliseconds)
        do {
            let text = try output.readText(limit: 4_096, deadline, operation)
            try finish(child, deadline, operation)
            return text
        } catch {
            // The whole group: a child of the child may hold the pipe.
            kill(-child, SIGKILL)
            ChildStart.reap(child)
            throw error
        }
    }

    /// A program of this name that only root can have put there.
    func trustedPath(
        of program: String, in directories: [String], _ operation: String
    ) throws(HostError) -> String {
        var refused: String?
        for directory in directories {
            let path = "\(directory)/\(program)"
            do {
                let place = try fileStatus(directory, root: nil, followLinks: true)
                let file = try fileStatus(path, root: nil, followLinks: true)
                guard file.kind == .file, file.mode & 0o111 != 0 else { continue }
                if place.belongsOnly(), file.belongsOnly() { return path }
                refused = path
            } catch {
                if error.code != .notFound { throw error }
            }
        }
        if let refused {
            throw HostError(
                .notPermitted, operation: operation,
                message: "\(refused) or its directory belongs to, or can be written by, others than root")
        }
        throw HostError(.notFound, operation: operation, message: "\(program) is not installed")
    }

    /// Waits for the end of the child until the deadline. An exit status other than 0 is an error.
    private func finish(_ child: pid_t, _ deadline: Deadline, _ operation: String) throws(HostError) {
        var status: Int32 = 0
        while true {
            let result = waitpid(child, &status, WNOHANG)
            if result == child { break }
            guard result == 0 || errno == EINTR else { throw HostError(errno: errno, operation: operation) }
            guard deadline.milliseconds > 0 else { throw HostError(errno: ETIMEDOUT, operation: operation) }
            usleep(200)
        }
        guard status == 0 else {
            throw HostError(.other, operation: operation, message: "the program failed (wait status \(status))")
        }
    }
}

extension Descriptor {
    /// Reads text from a pipe to its end.
    fileprivate borrowing func readText(
        limit: Int, _ deadline: Deadline, _ operation: String
    ) throws(HostError) -> String {
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var count = 0
        while true {
            guard try deadline.waitForInput(on: rawValue, operation) else {
                throw HostError(errno: ETIMEDOUT, operation: operation)
            }
            let read = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(rawValue, buffer.baseAddress?.advanced(by: count), buffer.count - count)
            }
            if read < 0 && errno == EINTR { continue }
            guard read >= 0 else { throw HostError(errno: errno, operation: operation) }
            if read == 0 { break }
            count += read
            guard count <= limit else {
                throw HostError(.limit, operation: operation, message: "it prints more than \(limit) bytes")
            }
        }
        var text = bytes[..<count]
        while let last = text.last, last == 0x0a || last == 0x0d || last == 0x20 { text.removeLast() }
        return String(decoding: text, as: UTF8.self)
    }
}
