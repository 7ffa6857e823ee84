internal import Glibc

/// A moment after which waiting ends. Source: clock_gettime(2), CLOCK_MONOTONIC.
package struct Deadline: Sendable {
    private let nanoseconds: Int

    package init(milliseconds: Int) {
        nanoseconds = Deadline.now + milliseconds * 1_000_000
    }

    /// Milliseconds that are left, rounded up, for poll(2); zero when it is over.
    package var milliseconds: Int32 {
        Int32(clamping: max(0, (nanoseconds - Deadline.now + 999_999) / 1_000_000))
    }

    private static var now: Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }
}
