internal import CLinux
internal import Glibc
internal import LinuxHost

/// Real busybox containers, each with the address that the host's DHCP server gave it.
enum PracticeContainers {
    static let patience = 15_000
    /// A container made when the layer was built, by lxc-create; the copies of it are the containers.
    static let pattern = "/usr/share/lxc-doctor-practice/pattern"

    static func start(count: Int) throws(PracticeHostError) {
        guard count > 0 else { return }
        guard isDirectory(pattern + "/rootfs") else {
            throw .refused("the layer `lxc` holds no container; rebuild it with `lxc-doctor lab layers`")
        }
        let names = (1...count).map { "c\($0)" }
        for name in names {
            try create(name)
        }
        for name in names {
            try startOne(name)
        }
        try waitForAddresses(names)
    }

    /// Copies the pattern, which lxc-create made, and gives the copy its own name and hardware address.
    private static func create(_ name: String) throws(PracticeHostError) {
        let directory = "\(HealthyHost.lxcPath)/\(name)"
        try runOrFail(["cp", "-a", pattern, directory])
        let common = (readFile("/etc/lxc/default.conf") ?? "").split(separator: "\n").map(String.init)
        let made = (readFile(pattern + "/config") ?? "").split(separator: "\n").map(String.init).filter { line in
            // What default.conf said at the time, and what is particular to the pattern.
            !["#", "lxc.net.", "lxc.apparmor.", "lxc.rootfs.path", "lxc.uts.name"].contains { line.hasPrefix($0) }
        }
        let own = [
            "lxc.net.0.hwaddr = \(hardwareAddress(name))", "lxc.rootfs.path = dir:\(directory)/rootfs",
            "lxc.uts.name = \(name)",
        ]
        try writeFile("\(directory)/config", (common + own + made).joined(separator: "\n") + "\n", mode: 0o640)
        try writeFile("\(directory)/rootfs/etc/hostname", name + "\n")
    }

    private static func hardwareAddress(_ name: String) -> String {
        let low = String(Int(name.dropFirst()) ?? 0, radix: 16)
        return "00:16:3e:00:01:" + (low.count == 1 ? "0" + low : low)
    }

    private static func startOne(_ name: String) throws(PracticeHostError) {
        let log = "/tmp/lxc-start-\(name).log"
        let result = try run(["lxc-start", "-n", name, "-o", log, "-l", "ERROR"])
        guard result.status == 0 else {
            let lines = (readFile(log) ?? result.output).split(separator: "\n")
            throw .refused("container \(name) does not start: \(lines.first ?? "lxc-start said nothing")")
        }
    }

    /// A default route in a container's main table means that udhcpc has set what the lease says.
    private static func waitForAddresses(_ names: [String]) throws(PracticeHostError) {
        let deadline = Deadline(milliseconds: patience)
        for name in names {
            let output = try runOrFail(["lxc-info", "-n", name, "-pH"])
            guard let pid = Int(output.split(whereSeparator: \.isWhitespace).first ?? "") else {
                throw .refused("container \(name) has no process 1: lxc-info said \(output)")
            }
            while !hasDefaultRoute(pid) {
                guard deadline.milliseconds > 0 else {
                    throw .failed("container \(name) got no address by DHCP within \(patience / 1000) s")
                }
                usleep(5000)
            }
        }
    }

    /// /proc/PID/net/route shows the namespace of that process; destination and flags are hexadecimal.
    private static func hasDefaultRoute(_ pid: Int) -> Bool {
        (readFile("/proc/\(pid)/net/route") ?? "").split(separator: "\n").dropFirst().contains { line in
            let fields = line.split(separator: "\t")
            return fields.count > 3 && fields[1] == "00000000" && fields[2] != "00000000"
        }
    }
}
