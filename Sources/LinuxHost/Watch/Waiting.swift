internal import Glibc

/// Waits on several descriptors at once, without periodic wake-ups. Source: poll(2).
package enum Waiting {
    /// Returns the descriptors that can be read or are at their end; none after a time-out or an interruption by a signal.
    ///
    /// - Parameter milliseconds: the time-out; nil: none.
    package static func wait(for descriptors: [Int32], milliseconds: Int?) -> Set<Int32> {
        var list = descriptors.filter { $0 >= 0 }.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        let ready = poll(&list, nfds_t(list.count), milliseconds.map { Int32(clamping: max(0, $0)) } ?? -1)
        guard ready > 0 else { return [] }
        return Set(list.filter { $0.revents != 0 }.map(\.fd))
    }
}
