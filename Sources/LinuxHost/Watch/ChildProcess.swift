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
    ///   - readsOutput: whether what it writes comes here; otherwise it goes nowhere. Its errors go where ours go.
    package init(_ arguments: [String], descriptors: [Int32] = [], readsOutput: Bool) throws(HostError) {
        let operation = "start \(arguments.prefix(2).joined(separator: " "))"
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        var ends: [Int32] = [-1, -1]
        if readsOutput {
            let result = clinux_pipe(&ends)
            guard result == 0 else { throw HostError(errno: -result, operation: operation) }
            posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        } else {
            posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        }
        // Out of the way first: a source may have the number of another's place.
        let copies = descriptors.map { fcntl($0, F_DUPFD_CLOEXEC, 64) }
        defer { for copy in copies where copy >= 0 { close(copy) } }
        for (index, copy) in copies.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, copy, Int32(3 + index))
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        let words = (["lxc-doctor"] + arguments).map { strdup($0) } + [nil]
        let environment = [strdup("PATH=/usr/sbin:/usr/bin:/sbin:/bin"), strdup("LC_ALL=C"), nil]
        defer { (words + environment).forEach { free($0) } }
        var child: pid_t = 0
        let error = posix_spawn(&child, "/proc/self/exe", &actions, &attributes, words, environment)
        if ends[1] >= 0 { close(ends[1]) }
        guard error == 0 else {
            if ends[0] >= 0 { close(ends[0]) }
            throw HostError(errno: error, operation: operation)
        }
        if ends[0] >= 0 { _ = fcntl(ends[0], F_SETFL, O_NONBLOCK) }
        number = child
        output = ends[0]
    }

    deinit {
        if output >= 0 { close(output) }
        guard !isReaped else { return }
        kill(number, SIGKILL)
        var status: Int32 = 0
        waitpid(number, &status, 0)
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
