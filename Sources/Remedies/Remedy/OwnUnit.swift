internal import HostAccess
internal import HostModel

/// A unit of systemd that a repair writes and enables: `lxc-doctor-….service`, of which nobody else knows.
struct OwnUnit {
    var name: String
    var text: String
    /// The target that starts it at boot.
    var wantedBy: String

    var path: String { Self.path(of: name) }
    var link: String { "\(FirewallFacts.units)/\(wantedBy).wants/\(name)" }

    static func path(of name: String) -> String { "\(FirewallFacts.units)/\(name)" }

    /// Whether a word means in a unit file what it is: neither quoted nor expanded. Source: systemd.service(5).
    static func isPlain(_ word: String) -> Bool {
        word.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
            default: false
            }
        }
    }
}

extension PlanDraft {
    /// Writes the unit, has systemd's checker look at it, and enables it. It is not started: what it does at boot is
    /// done already.
    mutating func install(
        _ unit: OwnUnit, remedy: String, for cause: Cause, risk: String, enabling: String
    ) throws(LeftToPerson) {
        let before = try editable(unit.path)
        try add(
            .file(path: unit.path, before: before, after: FileContent(bytes: ByteString(unit.text))),
            phase: .persistent, remedy: remedy, risk: risk, for: cause)
        try check(.checkUnit(path: unit.path), remedy: remedy, for: cause)
        try requireDirectory(of: unit.link)
        try add(
            .symbolicLink(path: unit.link, before: nil, after: unit.path), phase: .persistent, remedy: remedy,
            risk: enabling, for: cause, command: "systemctl enable \(unit.name)")
        try check(.daemonReload, remedy: remedy, for: cause)
    }
}
