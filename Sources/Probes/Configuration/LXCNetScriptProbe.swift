internal import ConfigFiles
package import HostAccess
package import HostModel

/// `lxc-net-script {}`: what would make lxc-net's next start fail, told from its script, its settings and the host.
///
/// Source: lxc/lxc `config/init/common/lxc-net.in` in its versions.
package struct LXCNetScriptProbe: Probe {
    package let specification = ProbeSpecification(
        name: "lxc-net-script", summary: "what would make lxc-net's next start fail: lease directory, IPv6",
        parameters: [:],
        facts: [
            "leaseDirectory": .string, "leaseProblems": .strings, "ipv6NatFaults": .strings,
            "ipv6KernelFaults": .strings,
        ], source: .configuration)

    package init() {}

    package func observe(
        _ parameters: ProbeParameters, on host: any Host
    ) throws(ObservationFailure) -> Observation {
        let reader = ConfigurationReader(host: host)
        let settings = try LXCNetSettings.read(from: host)
        guard settings.useBridge, !settings.script.isEmpty,
            let bytes = try reader.bytes(settings.script, limit: 1 << 18)
        else { throw .notApplicable("lxc-net makes no bridge on this host") }
        let script = InitScript(path: settings.script, bytes: bytes)
        var observation = Observation()

        let (directory, leaseProblem) = try Self.leases(script, reader)
        observation.show(
            "leaseProblems", "leaseDirectory",
            by: Evidence(path: directory, value: leaseProblem.isEmpty ? "dnsmasq's leases can be kept" : leaseProblem))
        var natFaults: [String] = []
        if settings.usesNftables, settings.usesIPv6, settings.translatesIPv6,
            let line = script.mention(of: "ip6 lxc postrouting ip saddr")
        {
            natFaults = [line.description]
            observation.show(
                "ipv6NatFaults",
                by: Evidence(line, pattern: "ip6 lxc postrouting", value: "an IPv4 match in an IPv6 table"))
            observation.show("ipv6NatFaults", by: settings.evidence("LXC_IPV6_NAT", value: "true"))
        }
        var kernelFaults: [String] = []
        let tree = "/proc/sys/net/ipv6/conf"
        if try !reader.exists(tree), let line = Self.unguardedWrite(bytes, settings) {
            kernelFaults = [line.description]
            observation.show(
                "ipv6KernelFaults", by: Evidence(path: tree, value: "absent: this kernel runs without IPv6"))
            observation.show(
                "ipv6KernelFaults",
                by: Evidence(line, pattern: "/proc/sys/net/ipv6", value: "writes there, and stops at the error"))
        }
        observation.facts = [
            "leaseDirectory": .string(directory),
            "leaseProblems": .strings(leaseProblem.isEmpty ? [] : [leaseProblem]),
            "ipv6NatFaults": .strings(natFaults), "ipv6KernelFaults": .strings(kernelFaults),
        ]
        return observation
    }

    /// Where dnsmasq keeps its leases, and why it could not.
    private static func leases(
        _ script: InitScript, _ reader: ConfigurationReader
    ) throws(ObservationFailure) -> (directory: String, problem: String) {
        var library = "/var/lib"
        for line in script.lines.numbered where line.text.hasPrefix("varlib=") {
            let value = String(line.text.dropFirst("varlib=".count).filter { $0 != "\"" && $0 != "'" })
            if value.hasPrefix("/") { library = value }
        }
        let directory = library + "/misc"
        guard let status = try reader.status(directory) else {
            // A link to nothing is in the way of mkdir.
            if try reader.status(directory, followLinks: false) != nil {
                return (directory, "a link to nothing")
            }
            let isMade = script.mention(of: "mkdir -p \"$DNSMASQ_MISC_DIR\"") != nil
            return (directory, isMade ? "" : "absent, and lxc-net does not make it")
        }
        guard status.kind == .directory else { return (directory, "not a directory") }
        do {
            return (directory, try reader.host.space(directory).readOnly ? "on a file system that is read-only" : "")
        } catch {
            throw ObservationFailure(error)
        }
    }

    /// The first line that writes below /proc/sys/net/ipv6 and whose failure ends the script (`set -e`). What the
    /// function `start_ipv6` does counts where an IPv6 network is set.
    private static func unguardedWrite(_ bytes: [UInt8], _ settings: LXCNetSettings) -> SourceLocation? {
        var function = ""
        for (number, line) in TextLines(bytes).numbered {
            let text = line.trimmedBlanks
            if !line.hasPrefix(" "), let mark = text.range(ofText: "()") { function = String(text[..<mark.lowerBound]) }
            guard !text.hasPrefix("#"), text.range(ofText: "> /proc/sys/net/ipv6") != nil,
                text.range(ofText: "||") == nil, text.range(ofText: "&&") == nil
            else { continue }
            if function.trimmedBlanks == "start_ipv6", !settings.usesIPv6 { continue }
            return SourceLocation(file: settings.script, line: number)
        }
        return nil
    }
}
