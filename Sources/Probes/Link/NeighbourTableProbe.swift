package import HostAccess
package import HostModel

/// `neighbour-table {}`: how full the kernel's tables of neighbours (ARP and IPv6) are.
///
/// The limits are the machine's: they stand in the initial network namespace alone. Entries and overflows are counted
/// over all namespaces, per CPU; `entries` reads the same on each line. Source: arp(7), /proc/net/stat/arp_cache.
package struct NeighbourTableProbe: Probe {
    package init() {}

    package let specification = ProbeSpecification(
        name: "neighbour-table", summary: "How full the kernel's neighbour tables are, and whether they ran over",
        parameters: [:],
        facts: ["entries": .integer, "limit": .integer, "percent": .integer, "overflows": .integer, "table": .string])

    private struct Table {
        var name: String
        var limit: Int
        var entries: Int
        var overflows: Int
        var percent: Int { limit > 0 ? entries * 100 / limit : 0 }
    }

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        var tables: [Table] = []
        for (family, name) in [("ipv4", "arp_cache"), ("ipv6", "ndisc_cache")] {
            guard let limit = try number("/proc/sys/net/\(family)/neigh/default/gc_thresh3", host),
                let text = try text("/proc/net/stat/\(name)", host)
            else { continue }
            let counts = Self.counts(text)
            tables.append(Table(name: name, limit: limit, entries: counts.entries, overflows: counts.overflows))
        }
        guard let worst = tables.max(by: { ($0.percent, $0.overflows) < ($1.percent, $1.overflows) }) else {
            throw .notApplicable("the neighbour tables' limits belong to the machine, and cannot be seen from here")
        }
        let family = worst.name == "arp_cache" ? "ipv4" : "ipv6"
        return Observation(
            facts: [
                "entries": .integer(worst.entries), "limit": .integer(worst.limit),
                "percent": .integer(worst.percent), "overflows": .integer(tables.reduce(0) { $0 + $1.overflows }),
                "table": .string(worst.name),
            ],
            evidence: [
                Evidence(
                    source: "/proc/net/stat/\(worst.name)",
                    command: "cat /proc/net/stat/\(worst.name); sysctl net.\(family).neigh.default.gc_thresh3",
                    value: "\(worst.entries) of \(worst.limit) entries, \(worst.overflows) times full")
            ])
    }

    /// A line of names, then one line per CPU, in hexadecimal.
    static func counts(_ text: String) -> (entries: Int, overflows: Int) {
        let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
        guard let names = lines.first else { return (0, 0) }
        func column(_ name: String) -> [Int] {
            guard let place = names.firstIndex(where: { $0 == name }) else { return [] }
            return lines.dropFirst().compactMap { $0.count > place ? Int($0[place], radix: 16) : nil }
        }
        return (column("entries").max() ?? 0, column("table_fulls").reduce(0) { $0 &+ $1 })
    }

    private func number(_ path: String, _ host: any Host) throws(ObservationFailure) -> Int? {
        Int(try text(path, host)?.prefix { $0 != "\n" } ?? "")
    }

    private func text(_ path: String, _ host: any Host) throws(ObservationFailure) -> String? {
        do {
            return try host.readTextIfPresent(path, limit: 1 << 20)
        } catch {
            throw ObservationFailure(error)
        }
    }
}
