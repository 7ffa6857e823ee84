internal import ConfigFiles
package import HostAccess
package import HostModel

/// Where the files by which an operator has things done at boot, or when a link or a container comes up, name a bridge:
/// units of systemd, scripts of other init systems, cron jobs, files of network programs, Open vSwitch's database, scripts
/// of his own. What such a file does with the name is not judged: whoever names a bridge has thought of it.
///
/// `BridgeMaker` knows the files that say plainly that they make one; here are those that only running them would tell.
package struct BootMentions {
    /// With the directories that lie in them: drop-ins of units, `if-up.d`, `crontabs`.
    private static let directories = [
        "/etc/systemd/system", "/usr/local/lib/systemd/system", "/etc/systemd/network", "/etc/init.d", "/etc/init",
        "/etc/local.d", "/etc/cron.d", "/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly", "/etc/cron.monthly",
        "/var/spool/cron", "/etc/network", "/etc/netplan", "/etc/NetworkManager/system-connections",
        "/etc/NetworkManager/dispatcher.d", "/etc/networkd-dispatcher", "/etc/sysconfig/network-scripts",
        "/etc/udev/rules.d", "/etc/libvirt/qemu/networks", "/usr/local/sbin", "/usr/local/bin",
    ]
    private static let files = ["/etc/rc.local", "/etc/rc.d/rc.local", "/etc/crontab"]
    /// Open vSwitch's, a log of JSON records: a bridge that was removed may still be named in it. Source: ovsdb(5).
    private static let databases = ["/etc/openvswitch/conf.db", "/var/lib/openvswitch/conf.db"]

    /// What is longer is a program, and no script.
    private static let longestScript = 1 << 20
    private static let longestDatabase = 16 << 20

    private let reader: ConfigurationReader
    private var missing: [String]
    private var found: [String: String] = [:]
    private var entriesLeft = 8_192
    private var bytesLeft = 32 << 20

    private init(_ names: [String], _ reader: ConfigurationReader) {
        missing = names.filter { !$0.isEmpty }
        self.reader = reader
    }

    /// The first place that names each of some bridges: `FILE:LINE`, or a path whose last part has the name. Bridges that
    /// no place names are not in it. `unknown` where a file cannot be read, or there is more than is ever looked at.
    package static func places(
        of names: [String], on host: any Host
    ) throws(ObservationFailure) -> [String: String] {
        var mentions = BootMentions(names, ConfigurationReader(host: host))
        for path in files { try mentions.look(in: path, depth: 0) }
        for path in directories { try mentions.look(in: path, depth: 2) }
        for path in databases { try mentions.look(in: path, depth: 0, longest: longestDatabase) }
        return mentions.found
    }

    private mutating func look(
        in path: String, depth: Int, longest: Int = longestScript
    ) throws(ObservationFailure) {
        guard !missing.isEmpty else { return }
        entriesLeft -= 1
        guard entriesLeft > 0 else {
            throw .unknown("there are more files than are looked at that may make bridges (\(path))")
        }
        guard let status = try reader.status(path) else { return }
        switch status.kind {
        case .directory where depth > 0:
            for name in try reader.names(path) {
                let entry = "\(path)/\(name)"
                note(entry) { Self.isNamed($0, in: name) }
                // Links to units: what these say comes with a package, or lies in the directory itself.
                if path.hasSuffix(".wants") || path.hasSuffix(".requires") { continue }
                try look(in: entry, depth: depth - 1)
            }
        case .file where status.size <= longest:
            guard let bytes = try reader.bytes(path, limit: longest) else { return }
            bytesLeft -= bytes.count
            guard bytesLeft > 0 else { throw .unknown("there is more text than is looked at that may make bridges") }
            for name in missing {
                let line = TextLines.numbered(bytes, containing: name).first { Self.isNamed(name, in: $0.text) }
                if let line { note("\(path):\(line.number)") { $0 == name } }
            }
        case .file where longest == Self.longestDatabase:
            throw .unknown("\(path) is longer than is looked at")
        default: return
        }
    }

    private mutating func note(_ place: String, _ isNamed: (String) -> Bool) {
        for name in missing where isNamed(name) { found[name] = place }
        missing.removeAll { found[$0] != nil }
    }

    /// Whether a text has a name that is no part of a longer word: `br0` is in `ovs-br0` and `br0.service`, and not in
    /// `lxcbr0`.
    static func isNamed(_ name: String, in text: String) -> Bool {
        let bytes = Array(text.utf8)
        let wanted = Array(name.utf8)
        guard let first = wanted.first, bytes.count >= wanted.count else { return false }
        for start in 0...(bytes.count - wanted.count)
        where bytes[start] == first && bytes[start...].starts(with: wanted) {
            let end = start + wanted.count
            let isWord =
                (start == 0 || !ShellSettings.isNameByte(bytes[start - 1]))
                && (end == bytes.count || !ShellSettings.isNameByte(bytes[end]))
            if isWord { return true }
        }
        return false
    }
}
