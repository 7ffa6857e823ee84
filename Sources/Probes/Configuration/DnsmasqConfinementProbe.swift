internal import ConfigFiles
package import HostAccess
package import HostModel

/// `dnsmasq-confinement {}`: whether AppArmor or SELinux has kept dnsmasq from a file it needs.
///
/// The logs are read only where dnsmasq does not run and something confines it.
package struct DnsmasqConfinementProbe: Probe {
    private static let logs = ["/var/log/audit/audit.log", "/var/log/kern.log", "/var/log/syslog", "/var/log/messages"]
    private static let maximumLog = 8 << 20

    package let specification = ProbeSpecification(
        name: "dnsmasq-confinement", summary: "whether AppArmor or SELinux keeps dnsmasq from its files",
        parameters: [:],
        facts: ["confinedBy": .string, "denials": .strings, "place": .string, "unread": .strings, "reason": .string])

    package init() {}

    package func observe(
        _ parameters: ProbeParameters, on host: any Host
    ) throws(ObservationFailure) -> Observation {
        let reader = ConfigurationReader(host: host)
        let settings = try LXCNetSettings.read(from: host)
        guard settings.installed, settings.useBridge else { throw .notApplicable("lxc-net starts no dnsmasq here") }
        if try reader.dnsmasqOfLXCNet() != nil { throw .notApplicable("lxc-net's dnsmasq runs") }
        guard let confinement = try Self.confinement(reader) else {
            throw .notApplicable("neither AppArmor nor SELinux confines dnsmasq")
        }
        var denied: (line: String, place: SourceLocation)?
        var unread: [String] = []
        for path in Self.logs where denied == nil {
            do throws(HostError) {
                denied = Self.denial(try host.read(path, limit: Self.maximumLog), path)
            } catch {
                if error.code != .notFound { unread.append("\(path): \(error.message)") }
            }
        }
        var evidence = [confinement.evidence]
        if let denied { evidence.append(Evidence(denied.place, pattern: "dnsmasq", value: denied.line)) }
        return Observation(
            facts: [
                "confinedBy": .string(confinement.name), "denials": .strings(denied.map { [$0.line] } ?? []),
                "place": .string(denied?.place.description ?? ""), "unread": .strings(unread),
                "reason": .string(unread.isEmpty ? "" : "not all logs can be read: \(unread.joined(separator: ", "))"),
            ], evidence: evidence)
    }

    private static func confinement(
        _ reader: ConfigurationReader
    ) throws(ObservationFailure) -> (name: String, evidence: Evidence)? {
        let profiles = "/sys/kernel/security/apparmor/profiles"
        if let bytes = try reader.bytes(profiles) {
            for (number, line) in TextLines(bytes).numbered
            where line.hasSuffix("(enforce)") && line.range(ofText: "dnsmasq") != nil {
                return (
                    "AppArmor", Evidence(SourceLocation(file: profiles, line: number), pattern: "dnsmasq", value: line)
                )
            }
        }
        let selinux = "/sys/fs/selinux/enforce"
        if try reader.bytes(selinux, limit: 64)?.first == 0x31 {
            return ("SELinux", Evidence(source: selinux, command: "getenforce", value: "1"))
        }
        return nil
    }

    /// The last line by which dnsmasq was refused something.
    static func denial(_ bytes: [UInt8], _ path: String) -> (line: String, place: SourceLocation)? {
        var last: (line: String, place: SourceLocation)?
        for (index, line) in bytes.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated() {
            // Cheap first: most lines are about something else.
            guard line.contains(0x44) || line.contains(0x64) else { continue }
            let text = String(decoding: line.prefix(2048), as: UTF8.self)
            guard text.range(ofText: "dnsmasq") != nil,
                text.range(ofText: "apparmor=\"DENIED\"") != nil
                    || (text.range(ofText: "avc:") != nil && text.range(ofText: "denied") != nil)
            else { continue }
            last = (String(text.prefix(240)), SourceLocation(file: path, line: index + 1))
        }
        return last
    }
}
