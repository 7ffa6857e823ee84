/// The name of a kernel parameter below `/proc/sys`, or a pattern of such names as files of sysctl.d have it.
///
/// Shape: the first separator says which form a text has. `net.ipv4.conf.eth0/100.forwarding` and
/// `net/ipv4/conf/eth0.100/forwarding` are the same key, of the interface `eth0.100`. Source: sysctl(8), sysctl.d(5).
package struct SysctlKey: Hashable, Sendable, CustomStringConvertible {
    package static let ipForward = SysctlKey(known: ["net", "ipv4", "ip_forward"])
    /// The same kernel variable as `ipForward`.
    package static let allForwarding = SysctlKey(known: ["net", "ipv4", "conf", "all", "forwarding"])
    /// Of IPv6, which has one name for it.
    package static let ipv6Forwarding = SysctlKey(known: ["net", "ipv6", "conf", "all", "forwarding"])

    /// `["net", "ipv4", "ip_forward"]`.
    package let parts: [String]

    private init(known parts: [String]) {
        self.parts = parts
    }

    /// Nil where a part is empty, `.` or `..`, or holds a slash or NUL: such a key could name another file.
    package init?(parts: [String]) {
        let isSafe = parts.allSatisfy { part in
            !part.isEmpty && part != "." && part != ".." && !part.utf8.contains(0x2f) && !part.utf8.contains(0)
        }
        guard !parts.isEmpty, isSafe else { return nil }
        self.parts = parts
    }

    /// Reads either form, exactly.
    package init?(_ text: String) {
        self.init(parts: Self.parts(of: text).map { String(decoding: $0, as: UTF8.self) })
    }

    /// Reads either form as the programs that apply a file do: separators at the ends, or next to each other, are no
    /// more than one.
    package init?(line text: String) {
        self.init(parts: Self.parts(of: text).filter { !$0.isEmpty }.map { String(decoding: $0, as: UTF8.self) })
    }

    private static func parts(of text: String) -> [ArraySlice<UInt8>] {
        let (dot, slash) = (UInt8(ascii: "."), UInt8(ascii: "/"))
        var bytes = Array(text.utf8)
        if bytes.first(where: { $0 == dot || $0 == slash }) == dot {
            bytes = bytes.map { $0 == dot ? slash : $0 == slash ? dot : $0 }
        }
        return bytes.split(separator: slash, omittingEmptySubsequences: false)
    }

    /// `net.ipv4.conf.INTERFACE.SETTING`.
    package static func ipv4(interface: String, _ setting: String) -> SysctlKey? {
        SysctlKey(parts: ["net", "ipv4", "conf", interface, setting])
    }

    /// `net.ipv6.conf.INTERFACE.SETTING`.
    package static func ipv6(interface: String, _ setting: String) -> SysctlKey? {
        SysctlKey(parts: ["net", "ipv6", "conf", interface, setting])
    }

    package var path: String { "/proc/sys/" + parts.joined(separator: "/") }

    /// The form with dots, in which a slash stands for a dot inside a part.
    package var description: String {
        parts.map { String($0.map { $0 == "." ? "/" : $0 }) }.joined(separator: ".")
    }

    /// The key itself, and for forwarding the other name of the same kernel variable.
    ///
    /// Source: `net/ipv4/devinet.c`: `ip_forward` and `conf/all/forwarding` share one cell.
    package var aliases: [SysctlKey] {
        switch self {
        case .ipForward: [self, .allForwarding]
        case .allForwarding: [self, .ipForward]
        default: [self]
        }
    }
}
