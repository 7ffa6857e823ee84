internal import HostAccess
internal import HostModel

extension ConfigurationReader {
    /// The names of this network namespace's links. `/proc/net/dev` belongs to the reader's namespace; sysfs belongs
    /// to whoever mounted it.
    func linkNames() throws(ObservationFailure) -> Set<String> {
        guard let bytes = try bytes("/proc/net/dev", limit: 4 << 20) else {
            throw .unknown("/proc/net/dev does not exist")
        }
        var names: Set<String> = []
        for line in bytes.split(separator: 0x0a) {
            // A name may hold a colon; the counters do not.
            guard let colon = line.lastIndex(of: 0x3a) else { continue }
            names.insert(String(decoding: line[..<colon].drop { $0 == 0x20 }, as: UTF8.self))
        }
        return names
    }

    /// `/proc/PID/comm`; nil where there is no such process, for one that is being ended, and for one whose parent has not
    /// waited for it yet: a zombie keeps its name, and nothing else.
    func processName(_ pid: Int) throws(ObservationFailure) -> String? {
        guard let bytes = try processFile(pid, "comm") else { return nil }
        let fields = try processFields(pid)
        if let state = fields.first, state == "Z" || state == "X" { return nil }
        // PF_EXITING of linux/sched.h: it closes what it has open, which takes the kernel some milliseconds.
        if fields.count > 6, let flags = UInt32(fields[6]), flags & 0x4 != 0 { return nil }
        return String(decoding: bytes.filter { $0 != 0x0a }, as: UTF8.self)
    }

    /// The fields of `/proc/PID/stat` from the third, the state, on; empty where there is no such process. Source:
    /// proc_pid_stat(5).
    func processFields(_ pid: Int) throws(ObservationFailure) -> [Substring] {
        let stat = String(decoding: try processFile(pid, "stat") ?? [], as: UTF8.self)
        // The second, the name in parentheses, may hold blanks and parentheses.
        guard let close = stat.lastIndex(of: ")") else { return [] }
        return stat[stat.index(after: close)...].split(separator: " ")
    }

    /// Nil where there is no such process, also where it ended between opening and reading (ESRCH).
    private func processFile(_ pid: Int, _ name: String) throws(ObservationFailure) -> [UInt8]? {
        try bytes("/proc/\(pid)/\(name)", limit: 1 << 17)
    }
}
