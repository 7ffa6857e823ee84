internal import CLinux
internal import Glibc

/// The directories in the machine's cgroup hierarchies below which a practice host lives: LXC makes its own below them.
/// They are the only thing that a killed run can leave, and a container in them that was frozen; the next run removes
/// them.
struct ControlGroups: Sendable {
    static let prefix = "lxc-doctor-practice."
    /// LXC needs these. The others would let a practice host set what is the machine's, or need values first.
    private static let controllers: Set<String> = [
        "cpu", "cpuacct", "memory", "pids", "devices", "freezer", "blkio", "",
    ]

    /// One hierarchy as a line of /proc/self/cgroup names it; cgroups(7).
    struct Hierarchy: Sendable, Hashable {
        /// `cpu,cpuacct`, `name=systemd`, or empty for version 2.
        var options: String
        var path: String
        var isVersion2: Bool { options.isEmpty }
    }

    static func hierarchies(_ text: String) -> [Hierarchy] {
        text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { return nil }
            let names = fields[1].split(separator: ",").map(String.init)
            guard names.allSatisfy({ controllers.contains($0) || $0 == "name=systemd" }) else { return nil }
            return Hierarchy(options: String(fields[1]), path: String(fields[2]))
        }
    }

    /// This process's own directory in every hierarchy that the machine has mounted.
    private static func ownDirectories() -> [String] {
        let table = readFile("/proc/self/mountinfo").map { parseMountTable($0) } ?? []
        return hierarchies(readFile("/proc/self/cgroup") ?? "").compactMap { hierarchy in
            let wanted = Set(hierarchy.options.split(separator: ","))
            let mount = table.last { entry in
                guard entry.root == "/" else { return false }
                if hierarchy.isVersion2 { return entry.type == "cgroup2" }
                return entry.type == "cgroup" && wanted.isSubset(of: Set(entry.superOptions.split(separator: ",")))
            }
            guard let mount else { return nil }
            // A practice host that runs in another stands in the directory for processes: its own go beside that.
            let path = hierarchy.path.hasSuffix("/init") ? String(hierarchy.path.dropLast(5)) : hierarchy.path
            return mount.mountPoint + (path == "/" ? "" : path)
        }
    }

    /// Makes a directory in every hierarchy and puts the process there. Best effort: without one, lxc-start says so.
    static func enter(_ pid: pid_t) {
        for own in ownDirectories() {
            let directory = "\(own)/\(prefix)\(pid)"
            // Another run that starts now may take the still empty directory for a leftover.
            for _ in 0..<8 {
                _ = mkdir(directory, 0o755)
                do {
                    try writeKernelFile(directory + "/cgroup.procs", "\(pid)\n")
                    break
                } catch {
                    continue
                }
            }
        }
    }

    /// Removes the directories of runs that are over; one of a run that is not stays as it is.
    static func sweep() {
        for own in ownDirectories() {
            for name in directoryEntries(own) where name.hasPrefix(prefix) {
                let directory = "\(own)/\(name)"
                if let pid = pid_t(name.dropFirst(prefix.count)), isOver(pid) {
                    leave(pid)
                } else if isEmpty(directory, depth: 0) {
                    remove(directory, depth: 0)
                }
            }
        }
    }

    /// PF_EXITING of the kernel's sched.h, as proc_pid_stat(5) shows it.
    private static let exiting: UInt64 = 0x4

    /// Whether process 1 of a run has ended, or has begun to: it then waits for the processes of its host, all of which the
    /// kernel has killed.
    static func isOver(_ pid: pid_t) -> Bool {
        guard let text = readFile("/proc/\(pid)/stat", limit: 4096), let end = text.lastIndex(of: ")") else {
            return true
        }
        // Behind the name: the state, five numbers, and the flags.
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 6, let flags = UInt64(fields[6]) else { return true }
        if flags & exiting != 0 { return true }
        // Its number may be another process's by now.
        return readFile("/proc/\(pid)/cgroup", limit: 65536)?.contains("/\(prefix)\(pid)") != true
    }

    /// Thaws all that is frozen below the directories of one run: in version 1 of cgroups the kernel cannot end a process
    /// that is, not even by SIGKILL.
    static func thaw(_ pid: pid_t) {
        for own in ownDirectories() { thaw("\(own)/\(prefix)\(pid)", depth: 0) }
    }

    /// In process 1, at its end: thaws its whole host.
    static func thawHost() {
        for directory in ["/sys/fs/cgroup"] + children("/sys/fs/cgroup") { thaw(directory, depth: 0) }
    }

    private static func thaw(_ directory: String, depth: Int) {
        guard depth < 16, isDirectory(directory) else { return }
        for (name, value) in [("freezer.state", "THAWED\n"), ("cgroup.freeze", "0\n")] {
            let path = "\(directory)/\(name)"
            guard fileExists(path) else { continue }
            // One that goes meanwhile is not frozen any more.
            do { try writeKernelFile(path, value) } catch { continue }
        }
        for child in children(directory) { thaw(child, depth: depth + 1) }
    }

    /// Sweeps the directories of one run, which is over, waiting a little for its last processes to be gone.
    static func leave(_ pid: pid_t) {
        thaw(pid)
        for own in ownDirectories() {
            let directory = "\(own)/\(prefix)\(pid)"
            for _ in 0..<200 where isDirectory(directory) {
                if isEmpty(directory, depth: 0) { remove(directory, depth: 0) }
                if !isDirectory(directory) { break }
                usleep(1000)
            }
        }
    }

    private static func children(_ directory: String) -> [String] {
        directoryEntries(directory).map { "\(directory)/\($0)" }.filter {
            var status = stat()
            return lstat($0, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
        }
    }

    private static func isEmpty(_ directory: String, depth: Int) -> Bool {
        guard depth < 16, let processes = readFile(directory + "/cgroup.procs", limit: 4096), processes.isEmpty else {
            return false
        }
        return children(directory).allSatisfy { isEmpty($0, depth: depth + 1) }
    }

    private static func remove(_ directory: String, depth: Int) {
        guard depth < 16 else { return }
        for child in children(directory) { remove(child, depth: depth + 1) }
        _ = rmdir(directory)
    }

    /// In process 1, which stands in the run's directories: makes them the roots of its hierarchies and mounts those
    /// below `root`/sys/fs/cgroup.
    static func mount(below root: String) throws(PracticeHostError) {
        let mine = hierarchies(readFile("/proc/self/cgroup") ?? "").filter {
            $0.path.split(separator: "/").last?.hasPrefix(prefix) == true
        }
        let unified = clinux_lab_is_cgroup2("/sys/fs/cgroup") == 1
        let result = clinux_lab_unshare_cgroup()
        guard result == 0 else { throw .refused("this machine refuses a cgroup namespace: \(errorText(-result))") }
        let top = root + "/sys/fs/cgroup"
        let flags = MS_NOSUID | MS_NODEV | MS_NOEXEC
        if unified {
            guard mine.contains(where: \.isVersion2) else { return }
            try mountFilesystem("cgroup2", on: top, type: "cgroup2", flags: flags, refusedAs: "cgroup version 2")
            try leaveTop(top)
            return
        }
        guard isDirectory(top) else { return }
        try mountFilesystem(
            "tmpfs", on: top, type: "tmpfs", flags: flags, options: "size=1m,mode=0755", refusedAs: "a tmpfs")
        for hierarchy in mine {
            let name = hierarchy.isVersion2 ? "unified" : hierarchy.options.removingPrefix("name=")
            try makeDirectories("\(top)/\(name)")
            try mountFilesystem(
                "cgroup", on: "\(top)/\(name)", type: hierarchy.isVersion2 ? "cgroup2" : "cgroup", flags: flags,
                options: hierarchy.isVersion2 ? nil : hierarchy.options, refusedAs: "the cgroup hierarchy \(name)")
        }
    }

    /// Version 2 gives controllers only to children of a group without processes.
    private static func leaveTop(_ top: String) throws(PracticeHostError) {
        try makeDirectories(top + "/init")
        try writeKernelFile(top + "/init/cgroup.procs", "0\n")
        for controller in (readFile(top + "/cgroup.controllers") ?? "").split(whereSeparator: \.isWhitespace) {
            do {
                try writeKernelFile(top + "/cgroup.subtree_control", "+\(controller)\n")
            } catch {
                continue
            }
        }
    }
}

extension String {
    /// Without a leading part.
    fileprivate func removingPrefix(_ prefix: String) -> String {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : self
    }
}
