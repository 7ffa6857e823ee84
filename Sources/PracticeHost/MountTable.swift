/// One line of /proc/self/mountinfo; proc_pid_mountinfo(5).
struct MountEntry: Sendable, Hashable {
    /// The directory of the filesystem that is mounted.
    var root: String
    var mountPoint: String
    var type: String
    /// Options of the filesystem itself, such as the controllers of a cgroup hierarchy.
    var superOptions: String
}

/// What is mounted, in the order of mounting.
func parseMountTable(_ text: String, limit: Int = 4096) -> [MountEntry] {
    text.split(separator: "\n").prefix(limit).compactMap { line in
        let fields = line.split(separator: " ")
        guard fields.count >= 10, let dash = fields.firstIndex(of: "-"), dash >= 6, fields.count > dash + 3 else {
            return nil
        }
        return MountEntry(
            root: unescapeMountField(fields[3]), mountPoint: unescapeMountField(fields[4]),
            type: String(fields[dash + 1]), superOptions: String(fields[dash + 3]))
    }
}

/// Blanks and backslashes stand in the table as three octal digits after a backslash.
func unescapeMountField(_ field: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = Array(field.utf8)[...]
    while let byte = rest.popFirst() {
        let digits = rest.prefix(3)
        if byte == UInt8(ascii: "\\"), digits.count == 3,
            let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
        {
            bytes.append(value)
            rest = rest.dropFirst(3)
        } else {
            bytes.append(byte)
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}

/// The mounts below the root whose files belong to the machine's own tree, so that a copy of the machine shows them.
/// Left out: the kernel's own filesystems, and places that every practice host has afresh.
func treeMounts(_ table: [MountEntry]) -> [MountEntry] {
    let afresh = ["/proc", "/sys", "/dev", "/run", "/tmp"]
    let kernel: Set<String> = [
        "proc", "sysfs", "devtmpfs", "devpts", "cgroup", "cgroup2", "securityfs", "debugfs", "tracefs", "bpf", "mqueue",
        "hugetlbfs", "pstore", "configfs", "efivarfs", "binfmt_misc", "autofs", "nsfs", "rpc_pipefs", "fusectl",
        "selinuxfs",
    ]
    var seen: Set<String> = []
    return table.filter { entry in
        guard entry.mountPoint != "/", !kernel.contains(entry.type) else { return false }
        guard !afresh.contains(where: { entry.mountPoint == $0 || entry.mountPoint.hasPrefix($0 + "/") }) else {
            return false
        }
        // overlayfs takes a path apart at these.
        guard !entry.mountPoint.contains(where: { ":,\\".contains($0) }) else { return false }
        return seen.insert(entry.mountPoint).inserted
    }
}
