/// Why there is no practice host. Reported in one line.
package struct PracticeHostError: Error, Sendable, Hashable, CustomStringConvertible {
    /// As in sysexits.h: 64 usage, 65 bad input file, 70 internal, 77 something is missing or refused.
    package var exitCode: Int32
    package var message: String

    package init(exitCode: Int32, _ message: String) {
        self.exitCode = exitCode
        self.message = message
    }

    static func usage(_ message: String) -> Self { Self(exitCode: 64, message) }
    static func failed(_ message: String) -> Self { Self(exitCode: 70, message) }
    static func refused(_ message: String) -> Self { Self(exitCode: 77, message) }

    package var description: String { message }
}
