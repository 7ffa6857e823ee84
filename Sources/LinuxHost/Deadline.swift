internal import Glibc
internal import HostAccess

/// A moment after which waiting ends. Source: clock_gettime(2), CLOCK_MONOTONIC.
package struct Deadline: Sendable {
    private let nanoseconds: UInt64

    package init(milliseconds: Int) {
        nanoseconds = Console.monotonicNanoseconds() + UInt64(clamping: milliseconds) * 1_000_000
    }

    /// Milliseconds that are left, rounded up, for poll(2); zero when it is over.
    package var milliseconds: Int32 {
        let now = Console.monotonicNanoseconds()
        return nanoseconds > now ? Int32(clamping: (nanoseconds - now + 999_999) / 1_000_000) : 0
    }

    /// Waits until the descriptor can be read, or is at its end. False where the deadline passes before that. A signal does
    /// not end the wait. Source: poll(2).
    func waitForInput(on descriptor: Int32, _ operation: @autoclosure () -> String) throws(HostError) -> Bool {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while true {
            let ready = poll(&waiting, 1, milliseconds)
            if ready >= 0 { return ready > 0 }
            guard errno == EINTR else { throw HostError(errno: errno, operation: operation()) }
        }
    }
}
