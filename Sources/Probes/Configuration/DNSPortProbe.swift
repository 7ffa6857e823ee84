package import HostAccess
package import HostModel

/// `dns-port {bridge, address}`: whether somebody else holds port 53, so that lxc-net's dnsmasq cannot have it.
///
/// A listener on 127.0.0.53 (systemd-resolved) is in nobody's way: dnsmasq binds the bridge's address alone.
package struct DNSPortProbe: Probe {
    /// Programs that hold port 53 as a rule; others are not searched for.
    private static let servers: Set<String> = [
        "named", "dnsmasq", "unbound", "pdns_recursor", "pdns_server", "knotd", "kresd", "coredns", "AdGuardHome",
        "pihole-FTL", "connmand", "systemd-resolve", "stubby", "dnscrypt-proxy", "blocky", "nsd",
    ]
    private static let maximumProcesses = 32_768
    private static let maximumDescriptors = 4_096

    package let specification = ProbeSpecification(
        name: "dns-port", summary: "who holds port 53 where lxc-net's dnsmasq wants it",
        parameters: ["bridge": .string, "address": .string],
        facts: ["conflict": .boolean, "listener": .string, "holder": .string])

    package init() {}

    /// A bound UDP socket or a listening TCP socket on port 53.
    struct Listener: Equatable {
        var file: String
        var line: Int
        var address: IPv4Address
        var inode: String
    }

    /// The sockets on a port of `/proc/net/udp` or `/proc/net/tcp` (state 0A: listening).
    static func listeners(_ bytes: [UInt8], file: String, port: String) -> [Listener] {
        bytes.split(separator: 0x0a).enumerated().dropFirst().compactMap { number, line in
            let columns = line.split(separator: 0x20).map { String(decoding: $0, as: UTF8.self) }
            guard columns.count > 9, columns[1].hasSuffix(":" + port), columns[1].utf8.count == 13,
                file.hasSuffix("udp") || columns[3] == "0A", let raw = UInt32(columns[1].prefix(8), radix: 16)
            else { return nil }
            return Listener(
                file: file, line: number + 1, address: IPv4Address(value: UInt32(bigEndian: raw)), inode: columns[9])
        }
    }

    package func observe(
        _ parameters: ProbeParameters, on host: any Host
    ) throws(ObservationFailure) -> Observation {
        let bridge = try parameters.string("bridge")
        let address = try parameters.prefix("address").address
        let reader = ConfigurationReader(host: host)
        let settings = try LXCNetSettings.read(from: host)
        guard settings.installed, settings.useBridge, settings.bridge == bridge else {
            throw .notApplicable("lxc-net does not serve \(bridge)")
        }
        guard let udp = try reader.bytes("/proc/net/udp", limit: 16 << 20) else {
            throw .unknown("/proc/net/udp does not exist")
        }
        let any = IPv4Address(value: 0)
        func inTheWay(_ listener: Listener) -> Bool { listener.address == any || listener.address == address }
        var holders = Self.listeners(udp, file: "/proc/net/udp", port: "0035").filter(inTheWay)
        // Whoever answers DHCP as well serves the bridge, if not by lxc-net's hand.
        let serves = Self.listeners(udp, file: "/proc/net/udp", port: "0043").contains(where: inTheWay)
        let isOurs = try reader.dnsmasqOfLXCNet() != nil
        if holders.isEmpty, !isOurs, !serves, let tcp = try reader.bytes("/proc/net/tcp", limit: 16 << 20) {
            holders = Self.listeners(tcp, file: "/proc/net/tcp", port: "0035").filter(inTheWay)
        }
        guard !isOurs, !serves, let first = holders.first else {
            return Observation(
                facts: ["conflict": .boolean(false), "listener": .string(""), "holder": .string("")],
                evidence: [
                    Evidence(
                        source: "/proc/net/udp", command: "ss -lunp 'sport = :53'",
                        value: isOurs ? "lxc-net's dnsmasq has what it needs" : "nobody is in dnsmasq's way")
                ])
        }
        let holder = try holder(of: first.inode, reader)
        let listener = "\(first.address == any ? "every address" : first.address.description), port 53"
        return Observation(
            facts: [
                "conflict": .boolean(true), "listener": .string(listener), "holder": .string(holder ?? "not known"),
            ],
            evidence: [
                Evidence(
                    source: "\(first.file):\(first.line)", command: "ss -lntup 'sport = :53'",
                    value: "\(listener), held by \(holder ?? "a process that was not found")")
            ])
    }

    /// The process that has the socket: among programs of which that is known.
    private func holder(of inode: String, _ reader: ConfigurationReader) throws(ObservationFailure) -> String? {
        var seen = 0
        for name in try reader.names("/proc") {
            guard let pid = DnsmasqProcess.process(Array(name.utf8)) else { continue }
            seen += 1
            guard seen <= Self.maximumProcesses else { return nil }
            guard let program = try reader.processName(pid), Self.servers.contains(program) else { continue }
            let descriptors: [String]
            do {
                descriptors = try reader.names("/proc/\(pid)/fd")
            } catch {
                // Without privilege nobody's are shown: the conflict is there all the same.
                continue
            }
            for descriptor in descriptors.prefix(Self.maximumDescriptors)
            where try reader.link("/proc/\(pid)/fd/\(descriptor)") == "socket:[\(inode)]" {
                return "\(program) (process \(pid))"
            }
        }
        return nil
    }
}
