/// A structured entry for systemd's journal.
///
/// Shape: fields one after the other; `NAME=value\n`, or, where the value has line breaks, `NAME\n`, its length in eight
/// bytes, least significant first, the value, and a line break. Source: systemd, "Native Journal Protocol".
package struct JournalEntry: Sendable, Equatable {
    /// syslog(3).
    package enum Priority: Int, Sendable {
        case error = 3
        case warning, notice, information
        case critical = 2
    }

    /// Longest value: an entry has to fit one datagram.
    private static let longestValue = 4_096

    package var priority: Priority
    package var message: String
    /// Names are upper-case letters, digits and underscores.
    package var fields: [(name: String, value: String)]

    package init(_ priority: Priority, _ message: String, _ fields: [(name: String, value: String)] = []) {
        self.priority = priority
        self.message = message
        self.fields = fields
    }

    package var datagram: [UInt8] {
        var bytes: [UInt8] = []
        let all =
            [("MESSAGE", message), ("PRIORITY", String(priority.rawValue)), ("SYSLOG_IDENTIFIER", "lxc-doctor")]
            + fields.map { ("LXC_DOCTOR_" + $0.name, $0.value) }
        for (name, value) in all {
            let value = Array(value.utf8.prefix(Self.longestValue))
            bytes += name.utf8
            if value.contains(0x0a) {
                bytes.append(0x0a)
                let count = UInt64(value.count)
                bytes += (0..<8).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) }
            } else {
                bytes.append(UInt8(ascii: "="))
            }
            bytes += value
            bytes.append(0x0a)
        }
        return bytes
    }

    /// For a stream that a service manager reads: the priority in front of every line. Source: sd-daemon(3).
    package var line: String {
        let words = message.split(whereSeparator: \.isNewline).joined(separator: " ")
        return "<\(priority.rawValue)>\(words)\n"
    }

    package static func == (left: Self, right: Self) -> Bool { left.datagram == right.datagram }
}
