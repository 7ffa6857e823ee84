package import ConfigFiles
package import HostAccess
package import HostModel

/// The settings of `lxc-net` as it would see them at its next start.
///
/// Source: `config/init/common/lxc-net.in`: built-in defaults, then `/etc/default/lxc` (or `/etc/sysconfig/lxc`), which
/// is what reads `lxc-net` beside it.
package struct LXCNetSettings: Sendable {
    /// Whether the script or a service of that name exists.
    package var installed: Bool
    /// The script's path, or empty.
    package var script: String
    /// `/etc/default/lxc-net`: where these settings belong, whether or not the file exists.
    package var settingsFile: String
    /// Whether `settingsFile` is read, or is not there to be read.
    package var sourced: Bool
    package var useBridge: Bool
    package var bridge: String
    /// Nil where address and netmask make none.
    package var address: IPv4Prefix?
    package var network: IPv4Prefix?
    /// First and last address; empty where the text is no range.
    package var dhcpRange: [IPv4Address]
    package var dhcpRangeText: String
    package var dhcpMax: Int
    package var dhcpMaxText = ""
    /// `LXC_DHCP_CONFILE`: what its server reads; "": nothing.
    package var dhcpFile = ""
    /// `LXC_DOMAIN`, or "".
    package var domain = ""
    package var usesNftables: Bool
    /// The hardware address that the bridge is given: `LXC_BRIDGE_MAC`.
    package var bridgeMAC: String
    /// `LXC_IPV6_NAT`, where an IPv6 network is set.
    package var translatesIPv6: Bool
    package var usesIPv6: Bool
    /// The bridge's own IPv6 address: `fd42::1/64`; "" where no IPv6 network is set.
    package var ipv6: String
    /// Where each setting comes from; a default has no place.
    package var locations: [String: SourceLocation]
    package var problems: [String]

    static let defaults = [
        "USE_LXC_BRIDGE": "true", "LXC_BRIDGE": "lxcbr0", "LXC_ADDR": "10.0.3.1", "LXC_NETMASK": "255.255.255.0",
        "LXC_NETWORK": "10.0.3.0/24", "LXC_DHCP_RANGE": "10.0.3.2,10.0.3.254", "LXC_DHCP_MAX": "253",
        "LXC_DHCP_CONFILE": "", "LXC_DHCP_PING": "true", "LXC_DOMAIN": "", "LXC_USE_NFT": "true",
        "LXC_BRIDGE_MAC": "00:16:3e:00:00:00", "LXC_IPV6_ADDR": "", "LXC_IPV6_MASK": "", "LXC_IPV6_NETWORK": "",
        "LXC_IPV6_NAT": "false",
    ]

    /// What is read: all else may be anything.
    private static let names = [
        "USE_LXC_BRIDGE", "LXC_BRIDGE", "LXC_ADDR", "LXC_NETMASK", "LXC_NETWORK", "LXC_DHCP_RANGE", "LXC_DHCP_MAX",
        "LXC_USE_NFT", "LXC_BRIDGE_MAC", "LXC_DHCP_CONFILE", "LXC_DOMAIN", "LXC_IPV6_ADDR", "LXC_IPV6_MASK",
        "LXC_IPV6_NETWORK", "LXC_IPV6_NAT",
    ]

    /// The settings that another reader of the same files would see, such as the makina job's own environment.
    static func environment(
        _ reader: ConfigurationReader, directory: String, initial: [String: String]
    ) throws(ObservationFailure) -> ShellEnvironment {
        let environment = try reader.shell("\(directory)/lxc", initial: initial)
        return environment ?? ShellEnvironment(initial)
    }

    /// Throws `unknown` where a file is refused or a value depends on what only a shell could tell.
    package static func read(from host: any Host) throws(ObservationFailure) -> LXCNetSettings {
        // Many probes ask: the shell files are evaluated once per run.
        guard let recording = host as? RecordingHost else { return try evaluate(host) }
        return try recording.derived("lxc-net settings") { () throws(ObservationFailure) in try evaluate(host) }
    }

    private static func evaluate(_ host: any Host) throws(ObservationFailure) -> LXCNetSettings {
        let reader = ConfigurationReader(host: host)
        let script = try script(reader)
        let directory = try directory(reader, script: script)
        let settingsFile = "\(directory)/lxc-net"
        let environment = try environment(reader, directory: directory, initial: defaults)
        var problems = environment.problems
        let hasFile = try reader.exists(settingsFile)
        let sourced = !hasFile || environment.sourced.contains(settingsFile)
        if !sourced {
            problems.append("\(directory)/lxc does not read \(settingsFile)")
        }
        var locations: [String: SourceLocation] = [:]
        var values: [String: String] = [:]
        for name in names {
            let value = try environment.known(name)
            values[name] = value
            locations[name] = environment.location(name)
            if value.utf8.contains(0x0d) {
                problems.append(
                    "\(environment.location(name)?.description ?? name): the line ends in a carriage return")
            }
        }
        func value(_ name: String) -> String { values[name] ?? "" }

        var settings = LXCNetSettings(
            installed: try installed(reader, script: script), script: script ?? "", settingsFile: settingsFile,
            sourced: sourced, useBridge: value("USE_LXC_BRIDGE") == "true", bridge: value("LXC_BRIDGE"),
            address: nil, network: IPv4Prefix(value("LXC_NETWORK")), dhcpRange: [],
            dhcpRangeText: value("LXC_DHCP_RANGE"), dhcpMax: Int(value("LXC_DHCP_MAX")) ?? 0,
            usesNftables: value("LXC_USE_NFT") == "true", bridgeMAC: value("LXC_BRIDGE_MAC"),
            translatesIPv6: value("LXC_IPV6_NAT") == "true",
            usesIPv6: ["ADDR", "MASK", "NETWORK"].allSatisfy { !value("LXC_IPV6_\($0)").isEmpty }, ipv6: "",
            locations: locations, problems: problems)
        settings.dhcpMaxText = value("LXC_DHCP_MAX")
        settings.dhcpFile = value("LXC_DHCP_CONFILE")
        settings.domain = value("LXC_DOMAIN")
        if settings.usesIPv6 { settings.ipv6 = "\(value("LXC_IPV6_ADDR"))/\(value("LXC_IPV6_MASK"))" }
        if let exit = environment.exits {
            settings.useBridge = false
            settings.problems.append("\(exit): lxc-net ends here")
        }
        if let address = IPv4Address(value("LXC_ADDR")), let mask = IPv4Address(value("LXC_NETMASK")) {
            settings.address = IPv4Prefix(address: address, netmask: mask)
        }
        let range = settings.dhcpRangeText.split(separator: ",").prefix(2).compactMap { IPv4Address(String($0)) }
        if range.count == 2 { settings.dhcpRange = Array(range) }
        settings.judge(address: value("LXC_ADDR"), mask: value("LXC_NETMASK"), network: value("LXC_NETWORK"))
        return settings
    }

    /// Whether address, netmask, network and range agree.
    package private(set) var consistent = true

    private mutating func judge(address text: String, mask: String, network text2: String) {
        let before = problems.count
        guard let address else {
            problems.append("LXC_ADDR \(text) with LXC_NETMASK \(mask) is no address")
            consistent = false
            return
        }
        if let network {
            if network.network != address.network || network.address != network.first {
                problems.append("LXC_NETWORK \(text2) is not the network of \(address)")
            }
        } else {
            problems.append("LXC_NETWORK \(text2) is no network")
        }
        if dhcpRange.isEmpty, !dhcpRangeText.isEmpty {
            problems.append("LXC_DHCP_RANGE \(dhcpRangeText) is no range")
        }
        if dhcpRange.count == 2 {
            if !address.contains(dhcpRange[0]) || !address.contains(dhcpRange[1]) {
                problems.append("LXC_DHCP_RANGE \(dhcpRangeText) is outside of \(address.network)")
            } else if dhcpRange[1] < dhcpRange[0] {
                problems.append("LXC_DHCP_RANGE \(dhcpRangeText) ends before it begins")
            }
        }
        consistent = problems.count == before
    }

    func evidence(_ name: String, value: String) -> Evidence {
        guard let location = locations[name] else {
            return Evidence(
                source: script.isEmpty ? "default of lxc-net" : script,
                command: "grep -n '\(name)=' \(script.isEmpty ? settingsFile : script)", value: value)
        }
        return Evidence(location, pattern: name + "=", value: value)
    }

    // MARK: where it is

    private static func script(_ reader: ConfigurationReader) throws(ObservationFailure) -> String? {
        var candidates = [
            "/usr/libexec/lxc/lxc-net", "/usr/lib/lxc/lxc-net", "/usr/local/libexec/lxc/lxc-net",
            "/usr/local/lib/lxc/lxc-net",
        ]
        for machine in ["x86_64-linux-gnu", "aarch64-linux-gnu", "arm-linux-gnueabihf", "i386-linux-gnu"] {
            candidates.append("/usr/lib/\(machine)/lxc/lxc-net")
        }
        return try reader.first(candidates)
    }

    /// The script names its directory of settings itself; without a script, the one that has such files.
    private static func directory(
        _ reader: ConfigurationReader, script: String?
    ) throws(ObservationFailure) -> String {
        if let script, let bytes = try reader.bytes(script, limit: 1 << 18) {
            // It stands among the first lines.
            let head = InitScript(path: script, bytes: Array(bytes.prefix(4096)))
            let variable = head.variable("distrosysconfdir")
            if let variable, variable.value.hasPrefix("/") { return variable.value }
        }
        if try reader.first(["/etc/default/lxc", "/etc/default/lxc-net"]) != nil { return "/etc/default" }
        if try reader.first(["/etc/sysconfig/lxc", "/etc/sysconfig/lxc-net"]) != nil { return "/etc/sysconfig" }
        return "/etc/default"
    }

    private static func installed(
        _ reader: ConfigurationReader, script: String?
    ) throws(ObservationFailure) -> Bool {
        if script != nil { return true }
        return try reader.first(
            BootServices.unitDirectories.map { $0 + "/lxc-net.service" }
                + ["/etc/init/lxc-net.conf", "/etc/init.d/lxc-net"]) != nil
    }
}
