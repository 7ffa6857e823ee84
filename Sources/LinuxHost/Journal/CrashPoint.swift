internal import Glibc
internal import HostAccess
internal import Synchronization

/// An instant at which a repair may die, for tests: before and after every change and inside every durable write.
///
/// On a practice host, and nowhere else, `LXC_DOCTOR_CRASH_AT=N` makes the process kill itself (SIGKILL) at the N-th
/// instant that it comes to, counted from one. Without that variable an instant costs one comparison.
package enum CrashPoint {
    private static let target: Int? = {
        guard let text = getenv("LXC_DOCTOR_CRASH_AT"), let number = Int(String(cString: text)), number > 0 else {
            return nil
        }
        var mark = stat()
        guard lstat(HostIdentity.practiceHostMark, &mark) == 0, mark.isRegular, mark.st_uid == 0
        else { return nil }
        return number
    }()

    private static let count = Atomic<Int>(0)

    /// The process comes to such an instant; returns unless it is the one to die at.
    static func pass() {
        guard let target else { return }
        if count.add(1, ordering: .relaxed).newValue == target { kill(getpid(), SIGKILL) }
    }
}
