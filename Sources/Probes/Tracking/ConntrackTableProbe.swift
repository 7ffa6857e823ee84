package import HostAccess
package import HostModel

/// `conntrack-table`: how full the table of tracked connections is, and what it had to refuse.
///
/// The counters are sums over all processors since the network namespace was made.
/// Source: nf_conntrack_standalone.c; Documentation/networking/nf_conntrack-sysctl.rst.
package struct ConntrackTableProbe: Probe {
    package init() {}

    package let specification = ProbeSpecification(
        name: "conntrack-table", summary: "The table of tracked connections: how full, and what it refused",
        parameters: [:],
        facts: [
            "count": .integer, "maximum": .integer, "percent": .integer, "dropped": .integer,
            "earlyDropped": .integer, "insertFailed": .integer, "invalid": .integer,
        ])

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let table = try ConntrackTable(on: host)
        let percent = table.maximum > 0 ? table.count * 100 / table.maximum : 0
        return Observation(
            facts: [
                "count": .integer(table.count), "maximum": .integer(table.maximum), "percent": .integer(percent),
                "dropped": .integer(table.counter("drop")), "earlyDropped": .integer(table.counter("early_drop")),
                "insertFailed": .integer(table.counter("insert_failed")), "invalid": .integer(table.counter("invalid")),
            ],
            evidence: [
                Evidence(
                    source: ConntrackTable.directory,
                    command: "sysctl net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max",
                    value: "\(table.count) of \(table.maximum) connections (\(percent) %)"),
                table.evidence(["drop", "early_drop", "insert_failed", "invalid"]),
            ])
    }
}

/// The sizes and counters of connection tracking.
struct ConntrackTable {
    static let directory = "/proc/sys/net/netfilter"

    private(set) var count: Int
    private(set) var maximum: Int
    private var counters: [String: Int] = [:]

    /// `notApplicable` where the kernel tracks nothing.
    init(on host: any Host) throws(ObservationFailure) {
        do throws(HostError) {
            guard let count = Int(try Self.line(host.readText(Self.directory + "/nf_conntrack_count", limit: 64))),
                let maximum = Int(try Self.line(host.readText(Self.directory + "/nf_conntrack_max", limit: 64)))
            else { throw HostError(.malformed, operation: "read \(Self.directory)", message: "not a number") }
            self.count = count
            self.maximum = maximum
            counters = Self.sums(try host.readTextIfPresent("/proc/net/stat/nf_conntrack", limit: 1 << 20) ?? "")
        } catch {
            if error.code == .notFound { throw .notApplicable("the kernel tracks no connections") }
            throw ObservationFailure(error)
        }
    }

    func counter(_ name: String) -> Int { counters[name] ?? 0 }

    func evidence(_ names: [String]) -> Evidence {
        Evidence(
            source: "/proc/net/stat/nf_conntrack", command: "conntrack -S; cat /proc/net/stat/nf_conntrack",
            value: names.map { "\($0) \(counter($0))" }.joined(separator: ", "))
    }

    private static func line(_ text: String) -> String { String(text.prefix { !$0.isNewline }) }

    /// A line of names, then one line of hexadecimal numbers for each processor.
    static func sums(_ text: String) -> [String: Int] {
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"))
        let rows = lines.map { $0.split(separator: UInt8(ascii: " ")) }
        guard let names = rows.first else { return [:] }
        var sums = [Int](repeating: 0, count: names.count)
        for row in rows.dropFirst() {
            for (column, number) in row.prefix(names.count).enumerated() {
                sums[column] &+= Int(Substring(number), radix: 16) ?? 0
            }
        }
        return Dictionary(zip(names.map { String(Substring($0)) }, sums)) { $0 &+ $1 }
    }
}
