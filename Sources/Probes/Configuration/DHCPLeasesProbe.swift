package import HostAccess
package import HostModel

/// `dhcp-leases {bridge, address}`: how many addresses the bridge's dnsmasq has given out, and how many it may.
///
/// Source: dnsmasq(8), --dhcp-lease-max and --dhcp-leasefile; a lease is a line of five words, IPv6 follows a line that
/// begins with `duid`.
package struct DHCPLeasesProbe: Probe {
    package let specification = ProbeSpecification(
        name: "dhcp-leases", summary: "the leases that dnsmasq has given out, and the room for more",
        parameters: ["bridge": .string, "address": .string],
        facts: ["leases": .integer, "capacity": .integer, "free": .integer, "file": .string])

    package init() {}

    package func observe(
        _ parameters: ProbeParameters, on host: any Host
    ) throws(ObservationFailure) -> Observation {
        let bridge = try parameters.string("bridge")
        let address = try parameters.prefix("address").address
        let reader = ConfigurationReader(host: host)
        guard let server = try DHCPServerProbe().find(bridge, address, reader, listening: false, scan: false) else {
            throw .notApplicable("no dnsmasq with a pid file serves \(bridge)")
        }
        let arguments = server.arguments
        guard let range = DHCPServerProbe.range(arguments), range.addresses[0] <= range.addresses[1],
            let file = DHCPServerProbe.values(of: "--dhcp-leasefile", in: arguments).last
        else { throw .notApplicable("the dnsmasq of \(bridge) has its range in a file of its own") }
        let size = Int(range.addresses[1].value - range.addresses[0].value) + 1
        // dnsmasq's own default is 1000.
        let most = DHCPServerProbe.values(of: "--dhcp-lease-max", in: arguments).last.flatMap { Int($0) } ?? 1000
        let capacity = min(size, most)
        let leases = try reader.bytes(file, limit: 16 << 20).map(Self.count) ?? 0
        return Observation(
            facts: [
                "leases": .integer(leases), "capacity": .integer(capacity), "free": .integer(max(0, capacity - leases)),
                "file": .string(file),
            ],
            evidence: [
                Evidence(source: file, command: "wc -l \(Evidence.quoted(file))", value: "\(leases) leases"),
                Evidence(
                    source: "/proc/\(server.pid)/cmdline", command: "tr '\\0' ' ' < /proc/\(server.pid)/cmdline",
                    value: "--dhcp-range \(range.text), --dhcp-lease-max \(most): room for \(capacity)"),
            ])
    }

    static func count(_ bytes: [UInt8]) -> Int {
        var count = 0
        for line in bytes.split(separator: 0x0a) {
            if line.starts(with: "duid".utf8) { break }
            if line.split(separator: 0x20).count >= 4 { count += 1 }
        }
        return count
    }
}
