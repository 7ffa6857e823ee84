internal import CLinux
internal import Glibc
package import HostAccess

/// Signals as something to wait for beside everything else. Source: signalfd(2).
package struct SignalSource: ~Copyable {
    package enum Signal: Sendable {
        /// SIGHUP.
        case reload
        /// SIGTERM and SIGINT.
        case stop
        /// SIGCHLD.
        case child
    }

    private let descriptor: Descriptor

    /// From now on these signals come here and nowhere else.
    package init() throws(HostError) {
        descriptor = try Descriptor(clinux_watch_signals(), operation: "signalfd")
    }

    /// For poll(2).
    package var rawValue: Int32 { descriptor.rawValue }

    /// The next one that waits.
    package func next() -> Signal? {
        switch clinux_watch_next_signal(descriptor.rawValue) {
        case SIGHUP: .reload
        case SIGTERM, SIGINT: .stop
        case SIGCHLD: .child
        default: nil
        }
    }
}
