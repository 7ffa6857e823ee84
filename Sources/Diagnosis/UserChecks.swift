package import CheckCatalog
package import HostAccess
package import HostModel

/// The checks that the host's owner added.
package enum UserChecks {
    package static let folder = "/etc/lxc-doctor/checks.d"

    /// Reads every `*.yaml` of the folder, in order of names. A file that others may write to, a mistake in one, an
    /// id that is taken, or a probe or fact that does not exist is an error: exit code 65.
    package static func read(
        beside builtIn: [Check], causes: [CauseEntry], probes: [ProbeSpecification], on host: any Host
    ) throws(CatalogError) -> [Check] {
        let trusted = TrustedFile(host: host)
        let names: [String]
        do {
            names = try trusted.list(folder, ending: ".yaml") ?? []
        } catch {
            throw CatalogError(file: folder, message: error.text)
        }
        var checks: [Check] = []
        for name in names {
            let path = folder + "/" + name
            let bytes: [UInt8]?
            do {
                bytes = try trusted.read(path)
            } catch {
                throw CatalogError(file: path, message: error.text)
            }
            guard let bytes else { continue }
            let check = try Check.read(bytes, file: path)
            if let problem = CatalogValidation.problems(of: check, probes: probes).first {
                throw CatalogError(file: path, message: problem)
            }
            checks.append(check)
        }
        // The built-in checks alone need no validation here: tests do that.
        if checks.isEmpty { return [] }
        if let problem = CatalogValidation.problems(of: builtIn + checks, causes: causes).first {
            throw CatalogError(file: folder, message: problem)
        }
        return checks
    }
}
