internal import LinuxHost

/// One line on the terminal that says what is being done and since when; it goes away when there is something to read.
///
/// Only where standard error is a terminal: nothing of it ever reaches a pipe or a file.
struct ProgressLine {
    private let shown: Bool
    private let began = Console.monotonicNanoseconds()

    init(quiet: Bool) {
        shown = !quiet && Console.isTerminal(.error) && Console.environment("TERM") != "dumb"
    }

    /// Says what begins now.
    func show(_ what: String) {
        guard shown else { return }
        let tenths = (Console.monotonicNanoseconds() - began) / 100_000_000
        Console.write("\r\u{1b}[K\(tenths / 10).\(tenths % 10) s  \(what)", to: .error)
    }

    func clear() {
        if shown { Console.write("\r\u{1b}[K", to: .error) }
    }
}
