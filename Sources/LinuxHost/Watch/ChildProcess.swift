internal import CLinux
internal import Glibc
package import HostAccess

/// This program again, with other arguments, as a child that ends with this process.
package final class ChildProcess {
    package let number: Int32
    /// What it writes to standard output; -1 where nobody reads that.
    private var output: Int32
    private var isReaped = false

    /// - Parameters:
    ///   - descriptors: become 3, 4, … of the child, which has no others but its standard streams.
    ///   - readsOutput: whether its standard output is read here; otherwise it is /dev/null. Standard error is shared.
    package init(_ arguments: [String], descriptors: [Int32] = [], readsOutput: Bool) throws(HostError) {
        let operation = "start \(arguments.prefix(2).joined(separator: " "))"
        var start = ChildStart()
        var readEnd: Descriptor?
        var writeEnd: Descriptor?
        if readsOutput {
            let pipe = try Pipe(operation)
            start.connect(pipe.writeEnd.rawValue, as: 1)
            readEnd = consume pipe.readEnd
            writeEnd = consume pipe.writeEnd
        }
        // Out of the way first: a source may have the number of another's place.
        let copies = descriptors.map { fcntl($0, F_DUPFD_CLOEXEC, 64) }
        defer { for copy in copies where copy >= 0 { close(copy) } }
        for (index, copy) in copies.enumerated() { start.connect(copy, as: Int32(3 + index)) }
        number = try start.startSelf(arguments, operation)
        // Closed by name: until the child has it, the compiler must not end it.
        try writeEnd.take()?.close(operation: operation)
        output = readEnd.take()?.release() ?? -1
        if output >= 0 { _ = fcntl(output, F_SETFL, O_NONBLOCK) }
    }

    deinit {
        if output >= 0 { close(output) }
        guard !isReaped else { return }
        kill(number, SIGKILL)
        ChildStart.reap(number)
    }

    /// For poll(2): readable when there is output or its end.
    package var outputDescriptor: Int32 { output }

    /// Adds what it has written to the bytes; true at the end.
    package func readOutput(into bytes: inout [UInt8]) -> Bool {
        guard output >= 0 else { return true }
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(output, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            if count < 0 && errno == EAGAIN { return false }
            guard count > 0 else {
                close(output)
                output = -1
                return true
            }
            bytes += buffer[..<count]
        }
    }

    /// How it ended, in the manner of a shell (128 + signal); nil while it runs.
    package func status() -> Int32? {
        var status: Int32 = 0
        guard !isReaped, waitpid(number, &status, WNOHANG) == number else { return nil }
        isReaped = true
        return status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
    }

    /// Ends it at once.
    package func end() { if !isReaped { kill(number, SIGKILL) } }

    // MARK: In the child

    /// From now on this process ends with the one that started it. False where that has ended already.
    package static func endWithParent(_ parent: Int) -> Bool {
        clinux_end_with_parent(pid_t(clamping: parent)) == 0
    }

    package static var ownNumber: Int { Int(getpid()) }
}
