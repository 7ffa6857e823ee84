/// `/etc/lxc/lxc.conf`: where LXC keeps its containers.
///
/// Source: lxc.system.conf(5); `src/lxc/initutils.c`: a comment has its `#` in the first column, the first line that
/// names a key wins, slashes at the end of `lxc.lxcpath` are dropped.
package struct LXCSystemConfig: Hashable, Sendable {
    package static let path = "/etc/lxc/lxc.conf"
    package static let defaultContainerPath = "/var/lib/lxc"

    private let lines: TextLines

    package init(bytes: [UInt8]) {
        lines = TextLines(bytes)
    }

    package func value(_ key: String) -> (value: String, line: Int)? {
        for (number, line) in lines.numbered {
            guard line.utf8.first != UInt8(ascii: "#"), let equals = line.firstIndex(of: "=") else { continue }
            guard String(line[..<equals]).trimmedBlanks == key else { continue }
            return (String(line[line.index(after: equals)...]).trimmedBlanks, number)
        }
        return nil
    }

    /// The directory of the containers and the line that says so.
    package var containerPath: (path: String, line: Int?) {
        guard let entry = value("lxc.lxcpath"), !entry.value.isEmpty else { return (Self.defaultContainerPath, nil) }
        var path = entry.value
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return (path, entry.line)
    }
}
