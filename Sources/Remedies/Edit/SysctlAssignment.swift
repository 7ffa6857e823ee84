/// One assignment in a sysctl configuration file: `net.ipv4.ip_forward = 1`.
///
/// Source: sysctl.d(5), sysctl.conf(5): `#` and `;` begin comment lines, a leading `-` ignores errors, dots or slashes
/// separate.
struct SysctlAssignment {
    /// Zero-based.
    let line: Int
    /// As `SysctlName.canonical` has it.
    let key: String
    let value: String

    static func all(in texts: [String]) -> [SysctlAssignment] {
        texts.enumerated().compactMap { SysctlAssignment(text: $1, line: $0) }
    }

    init?(text: String, line: Int) {
        let trimmed = Self.trim(text[...])
        guard let first = trimmed.first, first != "#", first != ";", let sign = trimmed.firstIndex(of: "=") else {
            return nil
        }
        self.line = line
        key = SysctlName.canonical(String(Self.trim(trimmed[..<sign])))
        value = String(Self.trim(trimmed[trimmed.index(after: sign)...]))
    }

    private static func trim(_ text: Substring) -> Substring {
        var text = text.drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" || last == "\r" || last == "\r\n" { text.removeLast() }
        return text
    }
}
