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

    /// A process id as a pid file holds it.
    static func pid(_ bytes: [UInt8]) -> Int? {
        let digits = bytes.drop { $0 == 0x20 }.prefix { $0 != 0x0a && $0 != 0x20 }
        guard (1...9).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

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

    /// The first `--dhcp-range`: its text and the addresses in it.
    static func range(_ arguments: [String]) -> (text: String, addresses: [IPv4Address])? {
        for (index, argument) in arguments.enumerated() {
            var text: String?
            if argument.hasPrefix("--dhcp-range=") { text = String(argument.dropFirst("--dhcp-range=".count)) }
            if argument == "--dhcp-range" || argument == "-F", index + 1 < arguments.count {
                text = arguments[index + 1]
            }
            guard let text else { continue }
            let addresses = text.split(separator: ",").compactMap { IPv4Address(String($0)) }
            if addresses.count >= 2 { return (text, Array(addresses.prefix(2))) }
        }
        return nil
    }

    /// Whether a dnsmasq of these arguments serves the bridge; nil where its files decide, not its arguments.
    static func serves(_ arguments: [String], _ bridge: String, _ address: IPv4Address) -> Bool? {
        var named: [String] = []
        for (index, argument) in arguments.enumerated() {
            for option in ["--interface", "--listen-address"] {
                if argument.hasPrefix(option + "=") {
                    named.append(String(argument.dropFirst(option.count + 1)))
                } else if argument == option, index + 1 < arguments.count {
                    named.append(arguments[index + 1])
                }
            }
            if argument == "-i" || argument == "-a", index + 1 < arguments.count { named.append(arguments[index + 1]) }
        }
        let names = named.flatMap { $0.split(separator: ",").map(String.init) }
        if names.isEmpty { return nil }
        return names.contains(bridge) || names.contains(address.description)
    }

    /// The values of an option that dnsmasq was started with, in both ways of writing, lists taken apart.
    static func values(of option: String, in arguments: [String]) -> [String] {
        var values: [String] = []
        for (index, argument) in arguments.enumerated() {
            if argument.hasPrefix(option + "=") {
                values.append(String(argument.dropFirst(option.count + 1)))
            } else if argument == option, index + 1 < arguments.count {
                values.append(arguments[index + 1])
            }
        }
        return values.flatMap { $0.split(separator: ",").map(String.init) }
    }

    /// The dnsmasq of lxc-net's pid file, where it lives.
    static func ofLXCNet(
        _ reader: ConfigurationReader
    ) throws(ObservationFailure) -> (pid: Int, arguments: [String])? {
        guard let bytes = try reader.bytes("/run/lxc/dnsmasq.pid", limit: 64), let pid = pid(bytes),
            try reader.processName(pid) == "dnsmasq", let arguments = try reader.commandLine(pid)
        else { return nil }
        return (pid, arguments)
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
            facts["pid"] = .integer(found.pid)
            if let range = Self.range(found.arguments) {
                facts["range"] = .string(range.text)
                if let subnet = try subnet(prefix, host) {
                    facts["rangeInSubnet"] = .boolean(range.addresses.allSatisfy(subnet.contains))
                }
            }
            evidence.append(
                Evidence(
                    source: "/proc/\(found.pid)/cmdline", command: "tr '\\0' ' ' < /proc/\(found.pid)/cmdline",
                    value: String(found.arguments.joined(separator: " ").prefix(1024))))
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
        var pid: Int
        var arguments: [String]
        var source: String
    }

    /// By pid file first; else by a scan, which is spared where nobody listens.
    func find(
        _ bridge: String, _ address: IPv4Address, _ reader: ConfigurationReader, listening: Bool, scan: Bool
    ) throws(ObservationFailure) -> Found? {
        for file in ["/run/lxc/dnsmasq.pid", "/run/dnsmasq.pid", "/var/run/dnsmasq.pid"] {
            guard let bytes = try reader.bytes(file, limit: 64), let pid = Self.pid(bytes),
                try reader.processName(pid) == "dnsmasq", let arguments = try reader.commandLine(pid),
                Self.serves(arguments, bridge, address) == true
            else { continue }
            return Found(pid: pid, arguments: arguments, source: file)
        }
        guard scan else { return nil }
        var fallback: Found?
        var seen = 0
        for name in try reader.names("/proc") {
            guard let pid = Self.pid(Array(name.utf8)) else { continue }
            seen += 1
            guard seen <= Self.maximumProcesses else {
                throw .unknown("more than \(Self.maximumProcesses) processes: dnsmasq was not found among them")
            }
            guard try reader.processName(pid) == "dnsmasq", let arguments = try reader.commandLine(pid) else {
                continue
            }
            let found = Found(pid: pid, arguments: arguments, source: "/proc/\(pid)/cmdline")
            switch Self.serves(arguments, bridge, address) {
            case true: return found
            case nil where listening: fallback = fallback ?? found
            default: break
            }
        }
        return fallback
    }
}
