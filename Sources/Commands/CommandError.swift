/// Why a command ended early: one line for standard error, and the exit code of the design's table.
package struct CommandError: Error, Hashable {
    package enum Code: Int32, Sendable {
        /// What was asked could not be seen, so that there is nothing to say of it.
        case unknown = 3
        /// A flag, an id or a combination that does not exist.
        case usage = 64
        /// A bad profile, check, waiver, recording or other input file.
        case input = 65
        case internalError = 70
        /// A privilege is missing.
        case privilege = 77
    }

    package var code: Code
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
