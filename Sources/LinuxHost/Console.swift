internal import Glibc
package import HostAccess

/// Written by a signal handler, which may write to no other type of variable (`signal-safety(7)`).
nonisolated(unsafe) private var interruptsSeen: sig_atomic_t = 0

/// The process's own terminal, streams and clock: what commands need of the C library.
package enum Console {
    package enum Stream: Int32 {
        case input = 0
        case output = 1
        case error = 2
    }

    /// Ends the process (`exit(3)`).
    package static func exit(_ code: Int32) -> Never {
        Glibc.exit(code)
    }

    /// Whether the stream is a terminal (`isatty(3)`).
    package static func isTerminal(_ stream: Stream) -> Bool {
        isatty(stream.rawValue) == 1
    }

    /// Columns of the terminal on standard output; nil where it is none or does not say.
    package static var columns: Int? { columns(of: .output) }

    /// The same, of another stream.
    package static func columns(of stream: Stream) -> Int? {
        var size = winsize()
        guard ioctl(stream.rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    /// Writes all of the text. False where it could not: the reader has gone, or the file system is full.
    @discardableResult
    package static func write(_ text: String, to stream: Stream) -> Bool { failure(writing: text, to: stream) == nil }

    /// Writes all of a result to standard output. Throws where that fails, so that a truncated result is never taken for a
    /// whole one. A reader that closes the pipe early (`| head`, EPIPE) is no failure.
    package static func writeResult(_ text: String) throws(HostError) {
        guard let number = failure(writing: text, to: .output), number != EPIPE else { return }
        throw HostError(errno: number, operation: "write standard output")
    }

    /// The error number; nil where everything was written.
    private static func failure(writing text: String, to stream: Stream) -> Int32? {
        let number = Descriptor.write(Array(text.utf8), to: stream.rawValue)
        return number == 0 ? nil : number
    }

    /// One line of standard input, without its end; nil at its end.
    package static func readLine() -> String? {
        Swift.readLine(strippingNewline: true)
    }

    /// Whether standard input has a line, or its end, to read within the time.
    package static func hasInput(within milliseconds: Int) -> Bool {
        var waiting = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        return poll(&waiting, 1, Int32(clamping: milliseconds)) == 1
    }

    package static func sleep(milliseconds: Int) {
        usleep(UInt32(clamping: milliseconds * 1000))
    }

    /// Ignores SIGHUP (`signal(7)`), so that this process survives the end of its terminal: a repair that interrupts the
    /// operator's connection must still be there when it is confirmed over a new one.
    package static func ignoreHangups() {
        signal(SIGHUP, SIG_IGN)
    }

    /// Nanoseconds of the monotonic clock.
    package static func monotonicNanoseconds() -> UInt64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
    }

    /// Seconds since 1970.
    package static func wallClockSeconds() -> Int {
        time(nil)
    }

    /// The same, with the part of the second that has passed since, in 65536ths.
    package static func wallClock() -> (seconds: Int, fraction: UInt16) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return (now.tv_sec, UInt16(clamping: now.tv_nsec * 65_536 / 1_000_000_000))
    }

    /// A variable of the environment, or nil.
    package static func environment(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        return String(cString: value)
    }

    /// From now on the first SIGINT only sets `wasInterrupted`; a second one ends the process.
    ///
    /// Without SA_RESTART, so that a system call that waits returns EINTR.
    package static func noteInterrupts() {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in interruptsSeen = 1 }
        action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND))
        sigaction(SIGINT, &action, nil)
    }

    /// Whether Ctrl-C was pressed since `noteInterrupts`.
    package static var wasInterrupted: Bool { interruptsSeen != 0 }

    /// A write to a closed pipe becomes an error of that write instead of a signal (`signal(7)`).
    package static func ignoreBrokenPipes() {
        signal(SIGPIPE, SIG_IGN)
    }
}
