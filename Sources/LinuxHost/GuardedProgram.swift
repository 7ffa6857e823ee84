internal import CLinux
internal import Glibc
internal import HostAccess

/// A program of somebody else that cannot outlive this one, and that can be confined. See `clinux_program.h`.
struct GuardedProgram: ~Copyable {
    /// What a program may do that works on what strangers have made. Everything is read-only for it.
    struct Confinement {
        /// The directory that it may write to; nil: nothing.
        var writable: String?
        var keepsNetwork = false
        /// Bits of linux/capability.h.
        var capabilities: UInt64 = 0
        /// Of any file that it writes, in bytes; 0: no limit.
        var fileSize: UInt64 = 0
    }

    /// Milliseconds between two calls of `watch`.
    private static let watchPeriod = 100

    static let environment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "HOME=/root"]

    /// Absolute.
    var path: String
    /// The name that it is called by, and its arguments.
    var command: [String]
    var environment = GuardedProgram.environment
    /// An open descriptor; nil: it reads nothing.
    var input: Int32?
    /// Open descriptors for what it prints.
    var output: Int32
    var messages: Int32
    var confinement: Confinement?
    var milliseconds: Int

    var operation: String { command.joined(separator: " ") }

    /// Runs the program to its end and returns its exit status, or 128 plus the number of the signal that ended it.
    ///
    /// `watch` is called about ten times a second; an error that it throws ends the program. Throws `limit` if the program
    /// has to be ended after `milliseconds`.
    borrowing func run(watch: () throws(HostError) -> Void = {}) throws(HostError) -> Int32 {
        let lifeline = try Pipe(operation)
        let readEnd = lifeline.readEnd
        let writeEnd = lifeline.writeEnd
        let guardian = start(readEnd.rawValue, writeEnd.rawValue)
        guard guardian > 0 else { throw HostError(errno: -guardian, operation: operation) }
        // Without pidfd_open(2), before Linux 5.3, the guardian is looked at every millisecond.
        let end = clinux_pidfd(guardian)
        defer { if end >= 0 { close(end) } }
        let deadline = Deadline(milliseconds: milliseconds)
        var nextWatch = Deadline(milliseconds: Self.watchPeriod)
        var status: Int32 = 0
        while true {
            let ended = waitpid(guardian, &status, WNOHANG)
            if ended == guardian { break }
            guard ended == 0 || errno == EINTR else { throw HostError(errno: errno, operation: operation) }
            do throws(HostError) {
                if deadline.milliseconds == 0 { throw HostError(errno: ETIMEDOUT, operation: operation) }
                if nextWatch.milliseconds == 0 {
                    try watch()
                    nextWatch = Deadline(milliseconds: Self.watchPeriod)
                }
            } catch {
                try writeEnd.close(operation: operation)
                ChildStart.reap(guardian)
                throw error
            }
            var waiting = pollfd(fd: end, events: Int16(POLLIN), revents: 0)
            _ = poll(&waiting, 1, end >= 0 ? min(nextWatch.milliseconds, deadline.milliseconds) : 1)
        }
        // WIFEXITED and WEXITSTATUS of wait(2).
        let code = status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f
        guard confinement == nil || code != 125 else {
            throw HostError(
                .unsupported, operation: operation,
                message: "it cannot be confined here, so it is not run: that needs Linux 5.12 and root's rights")
        }
        return code
    }

    private borrowing func start(_ lifeline: Int32, _ ours: Int32) -> pid_t {
        let words = command.map { strdup($0) } + [nil]
        let variables = environment.map { strdup($0) } + [nil]
        defer { (words + variables).forEach { free($0) } }
        let streams = clinux_streams(input: input ?? -1, output: output, messages: messages)
        guard let confinement else {
            return clinux_program_start(path, words, variables, streams, lifeline, ours, RepairLock.held, nil)
        }
        let writable = confinement.writable.map { strdup($0) }
        defer { free(writable ?? nil) }
        var wanted = clinux_confinement(
            writable: writable.map { UnsafePointer($0) } ?? nil, network: confinement.keepsNetwork ? 1 : 0,
            capabilities: confinement.capabilities, file_size: confinement.fileSize)
        return clinux_program_start(path, words, variables, streams, lifeline, ours, RepairLock.held, &wanted)
    }
}

/// What a program prints, in memory.
struct CollectedOutput: ~Copyable {
    let descriptor: Descriptor

    init(_ operation: String) throws(HostError) {
        descriptor = try Descriptor(clinux_anonymous_file(), operation: operation)
    }

    /// The first `limit` bytes as text. `fails`: whether more output than that is an error.
    borrowing func text(limit: Int, fails: Bool, _ operation: String) throws(HostError) -> String {
        guard lseek(descriptor.rawValue, 0, SEEK_SET) == 0 else { throw HostError(errno: errno, operation: operation) }
        let bytes = try Descriptor.read(descriptor.rawValue, upTo: limit + 1, operation: operation)
        guard bytes.count <= limit || !fails else {
            throw HostError(.limit, operation: operation, message: "it prints more than \(limit) bytes")
        }
        return String(decoding: bytes.prefix(limit), as: UTF8.self)
    }

    /// The last three lines that are not empty, joined into one line for an error message.
    static func tail(_ text: String) -> String {
        text.split(separator: "\n").suffix(3).joined(separator: "; ")
    }
}
