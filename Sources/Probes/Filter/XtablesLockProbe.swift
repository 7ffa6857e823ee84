package import HostAccess
package import HostModel

/// `xtables-lock`: who holds `/run/xtables.lock`, which iptables-legacy takes for each change, and for how long already.
///
/// Source: proc_locks(5); the lock is a flock(2). iptables holds it for milliseconds.
package struct XtablesLockProbe: Probe {
    package init() {}

    package let specification = ProbeSpecification(
        name: "xtables-lock", summary: "The process that holds the lock of iptables-legacy",
        parameters: [:],
        facts: ["held": .boolean, "process": .string, "pid": .integer, "seconds": .integer])

    private static let names = ["/run/xtables.lock", "/var/run/xtables.lock"]
    /// Locks of processes that are looked at.
    private static let mostLocks = 64
    private static let mostDescriptors = 64
    /// USER_HZ, the unit of times in /proc/PID/stat on every architecture that Debian has.
    private static let ticks = 100

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let reader = ConfigurationReader(host: host)
        guard try reader.first(Self.names) != nil else {
            throw .notApplicable("iptables-legacy has never been used since the boot (no /run/xtables.lock)")
        }
        let locks = String(decoding: try reader.bytes("/proc/locks") ?? [], as: UTF8.self)
        var seen: Set<Int> = []
        // `1: FLOCK  ADVISORY  WRITE 8478 fe:00:16224287 0 EOF`; waiting ones have `->` behind the number.
        for line in locks.split(separator: "\n") {
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            guard words.count > 4, words[1] == "FLOCK", let pid = Int(words[4]), pid > 0, seen.insert(pid).inserted,
                seen.count <= Self.mostLocks, try holds(pid, reader)
            else { continue }
            let name = try reader.processName(pid) ?? "a process that has ended"
            let seconds = try age(pid, reader)
            return Observation(
                facts: [
                    "held": .boolean(true), "process": .string(name), "pid": .integer(pid),
                    "seconds": .integer(seconds),
                ],
                evidence: [
                    Evidence(
                        source: "/proc/locks, /proc/\(pid)/fd", command: "fuser -v /run/xtables.lock; ps -fp \(pid)",
                        value: "\(name) (\(pid)), running for \(seconds) s, holds /run/xtables.lock")
                ])
        }
        return Observation(
            facts: [
                "held": .boolean(false), "process": .string(""), "pid": .integer(0), "seconds": .integer(0),
            ],
            evidence: [
                Evidence(
                    source: "/proc/locks", command: "fuser -v /run/xtables.lock",
                    value: "nobody holds /run/xtables.lock")
            ])
    }

    /// Whether one of the process's first descriptors is the lock file.
    private func holds(_ pid: Int, _ reader: ConfigurationReader) throws(ObservationFailure) -> Bool {
        do {
            for name in try reader.names("/proc/\(pid)/fd").prefix(Self.mostDescriptors) {
                if let target = try reader.link("/proc/\(pid)/fd/\(name)"), Self.names.contains(target) { return true }
            }
        } catch {
            // Another user's process, which only root may look into, or one that has ended.
            return false
        }
        return false
    }

    /// Seconds since the process started; 0 where it has ended. Source: proc_pid_stat(5), field 22; proc_uptime(5).
    private func age(_ pid: Int, _ reader: ConfigurationReader) throws(ObservationFailure) -> Int {
        let uptime = String(decoding: try reader.bytes("/proc/uptime", limit: 64) ?? [], as: UTF8.self)
        let fields = try reader.processFields(pid)
        guard let now = Int(uptime.prefix { $0 != "." }), fields.count > 19, let start = Int(fields[19]) else {
            return 0
        }
        return max(0, now - start / Self.ticks)
    }
}
