package import HostAccess
package import HostModel

/// The dnsmasq that serves a bridge.
package struct DHCPServerProbe: Probe {
    package let specification = ProbeSpecification(
        name: "dhcp-server", summary: "the dnsmasq that gives addresses on a bridge",
        parameters: ["bridge": .string, "address": .string],
        facts: [
            "running": .boolean, "pid": .integer, "listening": .boolean, "rangeInSubnet": .boolean, "range": .string,
            "source": .string, "port53Wildcard": .boolean,
        ])

    private static let maximumProcesses = 32_768

    package init() {}

    /// The local addresses and ports of `/proc/net/udp`, in host order.
    static func sockets(_ bytes: [UInt8]) -> [(address: IPv4Address, port: UInt16)] {
        bytes.split(separator: 0x0a).dropFirst().compactMap { line in
            let columns = line.split(separator: 0x20)
            guard columns.count > 1 else { return nil }
            let parts = columns[1].split(separator: 0x3a).map { String(decoding: $0, as: UTF8.self) }
            guard parts.count == 2, parts[0].utf8.count == 8, let raw = UInt32(parts[0], radix: 16),
                let port = UInt16(parts[1], radix: 16)
            else { return nil }
            // The kernel prints the network-order word as a number of this machine.
            return (IPv4Address(value: UInt32(bigEndian: raw)), port)
        }
    }

    package func observe(
        _ parameters: ProbeParameters, on host: any Host
    ) throws(ObservationFailure) -> Observation {
        let bridge = try parameters.string("bridge")
        let prefix = try parameters.prefix("address")
        let reader = ConfigurationReader(host: host)
        guard let table = try reader.bytes("/proc/net/udp", limit: 16 << 20) else {
            throw .unknown("/proc/net/udp does not exist")
        }
        let sockets = Self.sockets(table)
        let any = IPv4Address(value: 0)
        let dhcp = sockets.contains { $0.port == 67 && ($0.address == any || $0.address == prefix.address) }
        let dns = sockets.contains { $0.port == 53 && $0.address == prefix.address }
        let wildcard = sockets.contains { $0.port == 53 && $0.address == any }

        let found = try find(bridge, prefix.address, reader, listening: dhcp && (dns || wildcard), scan: dhcp || dns)
        var facts: [String: FactValue] = [
            "running": .boolean(found != nil), "port53Wildcard": .boolean(wildcard),
            "listening": .boolean(dhcp && (dns || (wildcard && found != nil))),
            "range": .string(""), "source": .string(found?.source ?? ""),
        ]
        var evidence = [
            Evidence(
                source: "/proc/net/udp", command: "ss -lun 'sport = :67 or sport = :53'",
                value: "port 67 \(dhcp ? "bound" : "free"), port 53 of \(prefix.address) \(dns ? "bound" : "free")")
        ]
        if let found {
            facts["pid"] = .integer(found.server.process)
            if let range = found.server.range {
                facts["range"] = .string(range.text)
                if let subnet = try subnet(prefix, host) {
                    facts["rangeInSubnet"] = .boolean(range.addresses.allSatisfy(subnet.contains))
                }
            }
            evidence.append(
                Evidence(
                    source: found.server.commandLineFile, command: "tr '\\0' ' ' < \(found.server.commandLineFile)",
                    value: String(found.server.arguments.joined(separator: " ").prefix(1024))))
        } else {
            evidence.append(Evidence(source: "/proc", command: "pgrep -a dnsmasq", value: "no dnsmasq for \(bridge)"))
        }
        return Observation(facts: facts, evidence: evidence)
    }

    /// A lone address has no subnet: then lxc-net's, where it is the same address, or none.
    private func subnet(_ prefix: IPv4Prefix, _ host: any Host) throws(ObservationFailure) -> IPv4Prefix? {
        if prefix.length < 32 { return prefix }
        guard let own = try LXCNetSettings.read(from: host).address, own.address == prefix.address else { return nil }
        return own
    }

    struct Found {
        var server: DnsmasqProcess
        var source: String
    }

    /// By pid file first; else by a scan, which is spared where nobody listens.
    func find(
        _ bridge: String, _ address: IPv4Address, _ reader: ConfigurationReader, listening: Bool, scan: Bool
    ) throws(ObservationFailure) -> Found? {
        do {
            if let found = try DnsmasqProcess.serving(bridge, at: address, on: reader.host) {
                return Found(server: found.server, source: found.pidFile)
            }
        } catch {
            throw ObservationFailure(error)
        }
        guard scan else { return nil }
        var fallback: Found?
        var seen = 0
        for name in try reader.names("/proc") {
            guard let process = DnsmasqProcess.process(Array(name.utf8)) else { continue }
            seen += 1
            guard seen <= Self.maximumProcesses else {
                throw .unknown("more than \(Self.maximumProcesses) processes: dnsmasq was not found among them")
            }
            guard let server = try reader.dnsmasq(process) else { continue }
            let found = Found(server: server, source: server.commandLineFile)
            switch server.serves(bridge, at: address) {
            case true: return found
            case nil where listening: fallback = fallback ?? found
            default: break
            }
        }
        return fallback
    }
}

extension DnsmasqProcess {
    var commandLineFile: String { "/proc/\(process)/cmdline" }
}

extension ConfigurationReader {
    /// The dnsmasq of a process id; nil where that is another program.
    func dnsmasq(_ process: Int) throws(ObservationFailure) -> DnsmasqProcess? {
        do {
            return try DnsmasqProcess(process, on: host)
        } catch {
            throw ObservationFailure(error)
        }
    }

    /// The dnsmasq of lxc-net's pid file, where it lives.
    func dnsmasqOfLXCNet() throws(ObservationFailure) -> DnsmasqProcess? {
        do {
            return try DnsmasqProcess(pidFile: DnsmasqProcess.pidFileOfLXCNet, on: host)
        } catch {
            throw ObservationFailure(error)
        }
    }

    /// The leases of a bridge's dnsmasq.
    func leases(of bridge: String, at address: IPv4Address? = nil) throws(ObservationFailure) -> DHCPLeases {
        do {
            return try DHCPLeases.of(bridge, at: address, on: host)
        } catch {
            throw ObservationFailure(error)
        }
    }
}
