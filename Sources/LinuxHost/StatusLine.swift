internal import Glibc
internal import Synchronization

/// A line at the end of standard error that shows what is being done and for how long. It is redrawn as time passes, until
/// `clear`. The caller makes sure that standard error is a terminal.
///
/// It is cut to the width of the terminal, because a line that wraps could not be erased.
package final class StatusLine: Sendable {
    /// Microseconds between two drawings.
    private static let period: UInt32 = 100_000
    /// The width that is assumed where the terminal does not tell its own.
    private static let usualColumns = 80

    private struct Shown {
        /// Nil: there is no line.
        var text: String?
        var isTicking = false
    }

    private let shown = Mutex(Shown())
    private let began = Console.monotonicNanoseconds()

    package init() {}

    /// Draws the line, and keeps drawing it. Plain ASCII.
    package func show(_ text: String) {
        let startsTicking = shown.withLock { shown in
            shown.text = text
            draw(text)
            defer { shown.isTicking = true }
            return !shown.isTicking
        }
        guard startsTicking else { return }
        let caller = pthread_self()
        _ = BackgroundThread {
            // If no thread can be created, this runs on the caller's, where the loop must not start.
            while pthread_equal(caller, pthread_self()) == 0, self.tick() { usleep(Self.period) }
        }
    }

    /// Takes the line away.
    package func clear() {
        shown.withLock { shown in
            if shown.text != nil { Console.write("\r\u{1b}[K", to: .error) }
            shown.text = nil
        }
    }

    /// False where there is no line any more.
    private func tick() -> Bool {
        shown.withLock { shown in
            shown.isTicking = shown.text != nil
            if let text = shown.text { draw(text) }
            return shown.isTicking
        }
    }

    private func draw(_ text: String) {
        let tenths = (Console.monotonicNanoseconds() - began) / 100_000_000
        let line = "\(tenths / 10).\(tenths % 10) s  \(text)"
        // The last column stays free: some terminals wrap as soon as it is filled.
        let columns = max(1, (Console.columns(of: .error) ?? Self.usualColumns) - 1)
        Console.write("\r\u{1b}[K\(line.prefix(columns))", to: .error)
    }
}
