internal import Glibc

/// Waits for several things at once, for as long as nothing happens without a wake-up. Source: poll(2).
package enum Waiting {
    /// Returns the descriptors that have something to say, none after the time.
    ///
    /// - Parameter milliseconds: nil: for ever.
    package static func wait(for descriptors: [Int32], milliseconds: Int?) -> Set<Int32> {
        var list = descriptors.filter { $0 >= 0 }.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        let ready = poll(&list, nfds_t(list.count), milliseconds.map { Int32(clamping: max(0, $0)) } ?? -1)
        guard ready > 0 else { return [] }
        return Set(list.filter { $0.revents != 0 }.map(\.fd))
    }
}
