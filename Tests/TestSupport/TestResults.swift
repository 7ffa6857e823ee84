import Foundation

/// What tests found out about causes and remedies, for the table of causes: one line `WORD ID` per result, in the file that
/// `LXC_DOCTOR_TEST_RESULTS` names. Tests note a cause at their end; a run in which one failed is not counted.
package enum TestResults {
    package enum Word: String, Sendable {
        /// Named by a check from its evidence, and not without it.
        case detected
        /// Made on a practice host, and named there.
        case reproduced
        /// Gone after the repair, with the host healthy and its packets translated.
        case repaired
        /// A remedy: killed at every instant that it comes to, and the host was as before it or as after it.
        case killed
    }

    package static func note(_ word: Word, _ ids: some Sequence<String>) {
        guard let path = ProcessInfo.processInfo.environment["LXC_DOCTOR_TEST_RESULTS"] else { return }
        let text = ids.map { "\(word.rawValue) \($0)\n" }.joined()
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        // One write to a file that is appended to: tests in parallel do not mix their lines.
        _ = text.withCString { write(descriptor, $0, strlen($0)) }
    }
}
