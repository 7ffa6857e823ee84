/// What is wrong with a check, cause or profile file, and where.
package struct CatalogError: Error, Hashable, Sendable, CustomStringConvertible {
    package var file: String
    /// From 1; 0 where the whole file is meant.
    package var line: Int
    /// From 1, in characters; 0 where the whole file is meant.
    package var column: Int
    package var message: String

    package init(file: String, line: Int = 0, column: Int = 0, message: String) {
        self.file = file
        self.line = line
        self.column = column
        self.message = message
    }

    /// `file:line:column: message`, as compilers write it.
    package var description: String {
        line > 0 ? "\(file):\(line):\(column): \(message)" : "\(file): \(message)"
    }
}
