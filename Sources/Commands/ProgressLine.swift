internal import LinuxHost

/// One line on the terminal that says what is being done and since when; it goes away when there is something to read.
///
/// Only where standard error is a terminal: nothing of it ever reaches a pipe or a file.
struct ProgressLine: Sendable {
    /// Nil where nothing is shown.
    private let line: StatusLine?

    init(quiet: Bool) {
        let isShown = !quiet && Console.isTerminal(.error) && Console.environment("TERM") != "dumb"
        line = isShown ? StatusLine() : nil
    }

    /// Says what begins now.
    func show(_ what: String) { line?.show(what) }

    func clear() { line?.clear() }
}
