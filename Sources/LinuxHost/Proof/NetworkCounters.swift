internal import HostAccess

/// The kernel's counters of a network namespace, which everybody's packets move.
///
/// Source: /proc/net/snmp, /proc/net/netstat (pairs of lines: names, values), /proc/net/stat/nf_conntrack (one line of
/// names, one of hexadecimal values for each processor); RFC 4293 for the meaning of the first.
struct NetworkCounters {
    private(set) var values: [String: Int] = [:]

    init(_ host: any Host) throws(HostError) {
        for path in ["/proc/net/snmp", "/proc/net/netstat"] {
            addPairs(try host.readTextIfPresent(path) ?? "")
        }
        addTable(try host.readTextIfPresent("/proc/net/stat/nf_conntrack") ?? "")
    }

    /// What grew since.
    func growth(to later: NetworkCounters) -> [String: Int] {
        var growth: [String: Int] = [:]
        for (name, value) in later.values {
            let difference = value - (values[name] ?? 0)
            if difference > 0 { growth[name] = difference }
        }
        return growth
    }

    private mutating func addPairs(_ text: String) {
        let lines = text.split(separator: "\n")
        for (names, numbers) in zip(lines, lines.dropFirst()) {
            let keys = names.split(separator: " ")
            let counts = numbers.split(separator: " ")
            guard let group = keys.first, group == counts.first, counts.dropFirst().first.flatMap({ Int($0) }) != nil
            else { continue }
            for (key, count) in zip(keys.dropFirst(), counts.dropFirst()) {
                values["\(group.dropLast()).\(key)"] = Int(count) ?? 0
            }
        }
    }

    private mutating func addTable(_ text: String) {
        let lines = text.split(separator: "\n")
        guard let names = lines.first?.split(separator: " ") else { return }
        for line in lines.dropFirst() {
            for (name, number) in zip(names, line.split(separator: " ")) where name != "entries" {
                values["conntrack.\(name)", default: 0] += Int(number, radix: 16) ?? 0
            }
        }
    }
}
