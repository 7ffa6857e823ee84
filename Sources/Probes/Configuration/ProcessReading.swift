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

    /// `/proc/PID/comm`; nil where there is no such process.
    func processName(_ pid: Int) throws(ObservationFailure) -> String? {
        guard let bytes = try bytes("/proc/\(pid)/comm", limit: 1 << 17) else { return nil }
        return String(decoding: bytes.filter { $0 != 0x0a }, as: UTF8.self)
    }
}
