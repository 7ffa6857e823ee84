internal import ConfigFiles
package import HostAccess
package import HostModel

/// Which LXC is installed.
package struct LXCInstallation: Sendable {
    /// The path of `lxc-start`, or empty.
    package var binary = ""
    /// `5.0.2`; empty where nobody says.
    package var version = ""
    package var package = ""
    /// `dpkg`, `apk`, `rpm`, or empty.
    package var manager = ""
    var evidence: [Evidence] = []

    package var isInstalled: Bool { !binary.isEmpty }
    /// LXC 3 and later refuse the keys of LXC 1 and 2; nil where the version is not known.
    package var refusesLegacyKeys: Bool? { PackageDatabase.major(version).map { $0 >= 3 } }

    package static func read(from host: any Host) throws(ObservationFailure) -> LXCInstallation {
        let reader = ConfigurationReader(host: host)
        var installation = LXCInstallation()
        let paths = ["/usr/bin/lxc-start", "/bin/lxc-start", "/usr/local/bin/lxc-start", "/usr/sbin/lxc-start"]
        guard let binary = try reader.first(paths) else {
            installation.evidence = [Evidence(source: "PATH", command: "command -v lxc-start", value: "absent")]
            return installation
        }
        installation.binary = binary
        if !binary.hasPrefix("/usr/local/") {
            try installation.askPackageManager(reader)
        }
        if installation.version.isEmpty {
            do {
                installation.version = try host.programVersion(.lxcStart)
            } catch {
                installation.evidence.append(
                    Evidence(source: binary, command: "lxc-start --version", value: error.description))
            }
        }
        let value = installation.version.isEmpty ? "version unknown" : installation.version
        let source = installation.manager.isEmpty ? binary : "\(installation.manager): \(installation.package)"
        installation.evidence.append(Evidence(source: source, command: "lxc-start --version", value: value))
        return installation
    }

    private mutating func askPackageManager(_ reader: ConfigurationReader) throws(ObservationFailure) {
        for name in ["lxc", "lxc1"] where try reader.exists("/var/lib/dpkg/info/\(name).list") {
            let header = PackageDatabase.dpkgHeader(name)
            guard let record = try reader.paragraph(with: header, in: "/var/lib/dpkg/status"),
                let version = PackageDatabase.dpkg(name, in: record)
            else { continue }
            (manager, package, self.version) = ("dpkg", name, PackageDatabase.upstream(version))
            return
        }
        if let record = try reader.paragraph(with: PackageDatabase.apkHeader("lxc"), in: "/lib/apk/db/installed") {
            if let version = PackageDatabase.apk("lxc", in: record) {
                (manager, package, self.version) = ("apk", "lxc", PackageDatabase.upstream(version))
            }
            return
        }
        // The rpm database is not text: the program itself is asked for its version.
        if try reader.first([
            "/var/lib/rpm/rpmdb.sqlite", "/usr/lib/sysimage/rpm/rpmdb.sqlite", "/var/lib/rpm/Packages",
        ])
            != nil
        {
            (manager, package) = ("rpm", "lxc")
        }
    }
}

/// Whether LXC is installed, and which.
package struct LXCInstallationProbe: Probe {
    package let specification = ProbeSpecification(
        name: "lxc-installation", summary: "the installed LXC: program, version, package",
        parameters: [:],
        facts: [
            "installed": .boolean, "binary": .string, "version": .string, "package": .string, "manager": .string,
            "legacyConfig": .boolean,
        ])

    package init() {}

    package func observe(
        _ parameters: ProbeParameters, on host: any Host
    ) throws(ObservationFailure) -> Observation {
        let installation = try LXCInstallation.read(from: host)
        var facts: [String: FactValue] = [
            "installed": .boolean(installation.isInstalled), "binary": .string(installation.binary),
            "version": .string(installation.version), "package": .string(installation.package),
            "manager": .string(installation.manager),
        ]
        if let refuses = installation.refusesLegacyKeys { facts["legacyConfig"] = .boolean(refuses) }
        return Observation(facts: facts, evidence: installation.evidence)
    }
}
