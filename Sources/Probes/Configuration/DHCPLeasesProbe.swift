package import HostAccess
package import HostModel

/// `dhcp-leases {bridge, address}`: how many addresses the bridge's dnsmasq has given out, and how many it may.
///
/// Source: dnsmasq(8), --dhcp-lease-max and --dhcp-leasefile.
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
        let dnsmasq = server.server
        guard let range = dnsmasq.range, range.addresses[0] <= range.addresses[1], let file = dnsmasq.leaseFile else {
            throw .notApplicable("the dnsmasq of \(bridge) has its range in a file of its own")
        }
        let size = Int(range.addresses[1].value - range.addresses[0].value) + 1
        // dnsmasq's own default is 1000.
        let most = dnsmasq.values(of: "--dhcp-lease-max", "-X").last.flatMap { Int($0) } ?? 1000
        let capacity = min(size, most)
        let leases: Int
        do {
            leases = try DHCPLeases(file: file, on: host).leases.count
        } catch {
            throw ObservationFailure(error)
        }
        return Observation(
            facts: [
                "leases": .integer(leases), "capacity": .integer(capacity), "free": .integer(max(0, capacity - leases)),
                "file": .string(file),
            ],
            evidence: [
                Evidence(source: file, command: "wc -l \(Evidence.quoted(file))", value: "\(leases) leases"),
                Evidence(
                    source: dnsmasq.commandLineFile, command: "tr '\\0' ' ' < \(dnsmasq.commandLineFile)",
                    value: "--dhcp-range \(range.text), --dhcp-lease-max \(most): room for \(capacity)"),
            ])
    }
}
