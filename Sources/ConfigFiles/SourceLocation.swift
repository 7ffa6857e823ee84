/// A line of a file, as messages and evidence name it: `/etc/default/lxc-net:3`.
package struct SourceLocation: Hashable, Sendable, CustomStringConvertible {
    package var file: String
    /// From 1.
    package var line: Int

    package init(file: String, line: Int) {
        self.file = file
        self.line = line
    }

    package var description: String { "\(file):\(line)" }
}
