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
        var checks: [Check] = []
        do {
            for name in try trusted.list(folder, ending: ".yaml") ?? [] {
                let path = folder + "/" + name
                let check: Check
                do {
                    guard let bytes = try trusted.read(path) else { continue }
                    check = try Check.read(bytes, file: path)
                } catch let problem as TrustedFile.Problem {
                    throw CatalogError(file: path, message: problem.text)
                }
                if let problem = CatalogValidation.problems(of: check, probes: probes).first {
                    throw CatalogError(file: path, message: problem)
                }
                checks.append(check)
            }
        } catch let error as CatalogError {
            throw error
        } catch let problem as TrustedFile.Problem {
            throw CatalogError(file: folder, message: problem.text)
        } catch {
            throw CatalogError(file: folder, message: "cannot be read")
        }
        // Without them there is nothing to validate: tests hold the built-in ones to it.
        if checks.isEmpty { return [] }
        if let problem = CatalogValidation.problems(of: builtIn + checks, causes: causes).first {
            throw CatalogError(file: folder, message: problem)
        }
        return checks
    }
}
