internal import CLinux
internal import Glibc

/// Tells when some processes end. Source: pidfd_open(2).
package struct ProcessWatch: ~Copyable {
    /// More would not be the few servers that a judgement stands on.
    private static let most = 256
    private var open: [Int: Int32] = [:]

    package init() {}

    deinit {
        for descriptor in open.values { close(descriptor) }
    }

    /// For poll(2).
    package var descriptors: [Int32] { Array(open.values) }

    /// Watches these and no others. Gives those that had ended before.
    package mutating func watch(_ wanted: Set<Int>) -> Set<Int> {
        for (process, descriptor) in open where !wanted.contains(process) {
            close(descriptor)
            open[process] = nil
        }
        var gone: Set<Int> = []
        for process in wanted where open[process] == nil && open.count < Self.most {
            let descriptor = clinux_pidfd(pid_t(clamping: process))
            if descriptor >= 0 { open[process] = descriptor } else if descriptor == -ESRCH { gone.insert(process) }
        }
        return gone
    }

    /// Those that have ended; they are watched no more.
    package mutating func ended() -> Set<Int> {
        var ended: Set<Int> = []
        for (process, descriptor) in open {
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, 0) == 1 else { continue }
            close(descriptor)
            open[process] = nil
            ended.insert(process)
        }
        return ended
    }
}
