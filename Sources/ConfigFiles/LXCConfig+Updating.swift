/// The keys of LXC 1 and 2 under their names since LXC 3. Source: lxc-update-config(1), the script of LXC 5.
extension LXCConfig {
    private static let renamed = [
        "lxc.id_map": "lxc.idmap", "lxc.pts": "lxc.pty.max", "lxc.tty": "lxc.tty.max",
        "lxc.devttydir": "lxc.tty.dir", "lxc.aa_profile": "lxc.apparmor.profile",
        "lxc.aa_allow_incomplete": "lxc.apparmor.allow_incomplete", "lxc.se_context": "lxc.selinux.context",
        "lxc.mount": "lxc.mount.fstab", "lxc.utsname": "lxc.uts.name", "lxc.seccomp": "lxc.seccomp.profile",
        "lxc.console": "lxc.console.path", "lxc.haltsignal": "lxc.signal.halt",
        "lxc.rebootsignal": "lxc.signal.reboot", "lxc.stopsignal": "lxc.signal.stop",
        "lxc.syslog": "lxc.log.syslog", "lxc.loglevel": "lxc.log.level", "lxc.logfile": "lxc.log.file",
        "lxc.init_cmd": "lxc.init.cmd", "lxc.init_uid": "lxc.init.uid", "lxc.init_gid": "lxc.init.gid",
        "lxc.network": "lxc.net",
    ]
    private static let dropped: Set<String> = ["lxc.rootfs.backend", "lxc.pivotdir", "lxc.kmsg"]

    /// The text of one file with today's keys; comments and every other line stay. Throws where a line has no place in
    /// the new form: a network key before the first type.
    package static func updatingKeys(in bytes: [UInt8]) throws(ConfigEditError) -> [UInt8] {
        var lines = TextLines(bytes)
        let location = SourceLocation(file: "", line: 0)
        let entries = lines.numbered.map { number, line -> Entry? in
            let text = line.trimmedBlanks
            return text.hasPrefix("lxc.") ? entry(text, location) : nil
        }
        let backend = entries.last { $0?.key == "lxc.rootfs.backend" }??.value ?? "dir"
        var device = -1
        var gone: [Int] = []
        for (offset, entry) in entries.enumerated() {
            guard let entry, LXCKeys.isLegacy(entry.key) else { continue }
            if dropped.contains(entry.key) {
                gone.append(offset + 1)
                continue
            }
            if entry.key == "lxc.network.type" { device += 1 }
            let key = try newKey(entry.key, device: device)
            guard let line = lines.line(offset + 1), let equals = line.firstIndex(of: "=") else { continue }
            let rest = line[equals...].dropFirst()
            let blank = rest.leadingBlanks
            var value = rest.dropFirst(blank.count)
            if entry.key == "lxc.rootfs", value.hasPrefix("/") { value = Substring(backend + ":" + value) }
            let indent = line.leadingBlanks
            let named = line[..<equals]
            let gap = named[(named.lastIndex { $0 != " " && $0 != "\t" } ?? named.startIndex)...].dropFirst()
            lines.replaceLine(offset + 1, with: indent + key + gap + "=" + blank + value)
        }
        for number in gone.sorted(by: >) { lines.removeLine(number) }
        return lines.bytes
    }

    private static func newKey(_ key: String, device: Int) throws(ConfigEditError) -> String {
        if let name = renamed[key] { return name }
        if key == "lxc.rootfs" { return "lxc.rootfs.path" }
        if key.hasPrefix("lxc.limit.") { return "lxc.prlimit." + key.dropFirst("lxc.limit.".count) }
        guard key.hasPrefix("lxc.network.") else { throw .unwritable("\(key) has no name of today") }
        var parts = key.dropFirst("lxc.network.".count).split(separator: ".", omittingEmptySubsequences: false)
        let index: String
        if let first = parts.first, !first.isEmpty, first.allSatisfy({ $0.isNumber && $0.isASCII }) {
            index = String(first)
            parts.removeFirst()
        } else {
            guard device >= 0 else { throw .unwritable("\(key) stands before the type of its interface") }
            index = String(device)
        }
        if parts == ["ipv4"] || parts == ["ipv6"] { parts.append("address") }
        guard !parts.isEmpty else { throw .unwritable("\(key) has no name of today") }
        return "lxc.net.\(index)." + parts.joined(separator: ".")
    }

}
