/// The name of a kernel parameter below `/proc/sys`.
///
/// Shape: the first separator says which form a text has. `net.ipv4.conf.eth0/100.forwarding` and
/// `net/ipv4/conf/eth0.100/forwarding` are the same key, of the interface `eth0.100`. Source: sysctl(8).
package struct SysctlKey: Hashable, Sendable, CustomStringConvertible {
    /// `["net", "ipv4", "ip_forward"]`.
    package let parts: [String]

    /// Nil where a part is empty, `.` or `..`, or holds a slash or NUL: such a key could name another file.
    package init?(parts: [String]) {
        let isSafe = parts.allSatisfy { part in
            !part.isEmpty && part != "." && part != ".." && !part.utf8.contains(0x2f) && !part.utf8.contains(0)
        }
        guard !parts.isEmpty, isSafe else { return nil }
        self.parts = parts
    }

    /// Reads either form.
    package init?(_ text: String) {
        let slashed: String
        if text.first(where: { $0 == "." || $0 == "/" }) == "/" {
            slashed = text
        } else {
            slashed = String(text.map { $0 == "." ? "/" : $0 == "/" ? "." : $0 })
        }
        self.init(parts: slashed.split(separator: "/", omittingEmptySubsequences: false).map(String.init))
    }

    /// `net.ipv4.conf.INTERFACE.SETTING`.
    package static func ipv4(interface: String, _ setting: String) -> SysctlKey? {
        SysctlKey(parts: ["net", "ipv4", "conf", interface, setting])
    }

    package var path: String { "/proc/sys/" + parts.joined(separator: "/") }

    /// The form with dots, in which a slash stands for a dot inside a part.
    package var description: String {
        parts.map { String($0.map { $0 == "." ? "/" : $0 }) }.joined(separator: ".")
    }
}
