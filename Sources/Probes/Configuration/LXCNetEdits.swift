internal import ConfigFiles
package import HostAccess
package import HostModel

/// What lxc-net's settings say that its server, as it runs, was not told when lxc-net was started.
package struct LXCNetEdits {
    package struct Edit {
        /// `LXC_ADDR`.
        package var name: String
        /// `LXC_ADDR is 10.5.0.1, running with 10.0.3.1`.
        package var words: String
        var evidence: [Evidence]
    }

    package private(set) var all: [Edit] = []

    /// None where lxc-net's server does not run, or is another's. Throws `unknown` where a file is refused.
    package init(on host: any Host) throws(ObservationFailure) {
        let reader = ConfigurationReader(host: host)
        let settings = try LXCNetSettings.read(from: host)
        guard let server = try reader.dnsmasqOfLXCNet(), try !Self.isOfMakinaJob(server, reader) else { return }
        compare("LXC_BRIDGE", settings, settings.bridge, ["--interface", "-i"], server)
        let addresses = settings.address.map { [$0.address.description] } ?? []
        for address in addresses + (settings.usesIPv6 ? [String(settings.ipv6.prefix { $0 != "/" })] : []) {
            let name = addresses.contains(address) ? "LXC_ADDR" : "LXC_IPV6_ADDR"
            compare(name, settings, address, ["--listen-address", "-a"], server)
        }
        compare("LXC_DHCP_RANGE", settings, settings.dhcpRangeText, ["--dhcp-range", "-F"], server)
        compare("LXC_DHCP_MAX", settings, settings.dhcpMaxText, ["--dhcp-lease-max", "-X"], server)
        compare("LXC_DHCP_CONFILE", settings, settings.dhcpFile, ["--conf-file", "-C"], server)
        compare("LXC_DOMAIN", settings, settings.domain, ["--domain", "-s"], server, isOptional: true)
    }

    /// `isOptional`: without a value the option is not given at all.
    private mutating func compare(
        _ name: String, _ settings: LXCNetSettings, _ wanted: String, _ options: [String], _ server: DnsmasqProcess,
        isOptional: Bool = false
    ) {
        let running = server.values(of: options[0], options[1])
        // A default counts where nobody has written anything: then nobody has edited anything either.
        // dnsmasq overwrites the commas of its own arguments while it reads them.
        let isSame =
            running.contains(wanted) || wanted.split(separator: ",").allSatisfy { running.contains(String($0)) }
        guard !wanted.isEmpty, !isSame, settings.locations[name] != nil,
            isOptional || !running.isEmpty
        else { return }
        let now = running.isEmpty ? "none" : running.joined(separator: ", ")
        all.append(
            Edit(
                name: name, words: "\(name) is \(wanted), running with \(now)",
                evidence: [
                    settings.evidence(name, value: wanted),
                    Evidence(
                        source: server.commandLineFile, command: "tr '\\0' ' ' < \(server.commandLineFile)",
                        value: "\(options[0]) \(now)"),
                ]))
    }

    /// The makina job keeps its server where lxc-net keeps its own, and does not read lxc-net's settings.
    private static func isOfMakinaJob(
        _ server: DnsmasqProcess, _ reader: ConfigurationReader
    ) throws(ObservationFailure) -> Bool {
        let services = try BootServices(reader)
        for bridge in server.values(of: "--interface", "-i") {
            if try MakinaJob.read(bridge: bridge, services).isPresent { return true }
        }
        return false
    }
}
