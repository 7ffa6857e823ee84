internal import CLinux
internal import Glibc
internal import HostAccess
internal import Synchronization

/// The lock of repairs, held. It ends with this value, or once this process is dead and so is every program that it ran
/// for the repair: their guardians hold it too, so that nobody repairs beside what such a program still does.
///
/// The file holds the number of the process that took it. Source: flock(2).
final class RepairLock {
    /// How long programs of a process that died may take to end, in milliseconds. Their guardians kill them at once.
    private static let patience = 15_000

    private static let current = Atomic<Int32>(-1)

    /// The descriptor of the lock that this process holds, for guardians; -1: none.
    static var held: Int32 { current.load(ordering: .acquiring) }

    private let file: Descriptor

    /// Takes the lock. Waits only where whoever took it is dead, and programs that it started are not yet.
    /// Error of code `notPermitted` where another repair holds it.
    init(_ path: String) throws(HostError) {
        let operation = "lock \(path)"
        let file = try Descriptor(
            Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600).orErrno,
            operation: operation)
        let deadline = Deadline(milliseconds: Self.patience)
        while flock(file.rawValue, LOCK_EX | LOCK_NB) != 0 {
            let error = errno
            guard error == EWOULDBLOCK else { throw HostError(errno: error, operation: operation) }
            let isAlive = try Self.holderLives(file, operation)
            guard !isAlive, deadline.milliseconds > 0 else {
                throw HostError(
                    .notPermitted, operation: operation,
                    message: isAlive
                        ? "another repair is running" : "a program of a repair that was interrupted is still running",
                    errno: error)
            }
            usleep(5_000)
        }
        let number = Array("\(getpid())\n".utf8)
        guard ftruncate(file.rawValue, 0) == 0, pwrite(file.rawValue, number, number.count, 0) == number.count else {
            throw HostError(errno: errno, operation: operation)
        }
        self.file = file
        Self.current.store(self.file.rawValue, ordering: .releasing)
    }

    deinit {
        _ = Self.current.compareExchange(expected: file.rawValue, desired: -1, ordering: .acquiringAndReleasing)
    }

    /// Whether the process that took the lock runs; where the file does not tell, it does.
    private static func holderLives(_ file: borrowing Descriptor, _ operation: String) throws(HostError) -> Bool {
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = pread(file.rawValue, &bytes, bytes.count, 0)
        guard count >= 0 else { throw HostError(errno: errno, operation: operation) }
        guard let number = DnsmasqProcess.process(Array(bytes.prefix(count))), number > 0 else { return true }
        let process = clinux_pidfd(pid_t(clamping: number))
        guard process >= 0 else { return process != -ESRCH }
        defer { close(process) }
        // One that has ended and was not waited for is dead as well.
        var waiting = pollfd(fd: process, events: Int16(POLLIN), revents: 0)
        return poll(&waiting, 1, 0) == 0
    }
}
