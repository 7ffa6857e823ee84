internal import CheckCatalog
internal import HostAccess
internal import HostModel
internal import Probes

/// The operator's own checks, `/etc/lxc-doctor/checks.d/*.yaml`.
enum UserChecks {
    static let directory = "/etc/lxc-doctor/checks.d"

    /// Reads and validates them. Throws `input` as `file:line:column: message`.
    static func read(from host: any Host) throws(CommandError) -> [Check] {
        var checks: [Check] = []
        for path in try paths(on: host) {
            let check: Check
            do {
                check = try Check.read(try bytes(of: path, on: host), file: path)
            } catch let error as CatalogError {
                throw CommandError(.input, error.description)
            } catch let error as CommandError {
                throw error
            } catch {
                throw CommandError(.internalError, "\(path): \(error)")
            }
            if let problem = CatalogValidation.problems(of: check, probes: specifications).first {
                throw CommandError(.input, "\(path): \(problem)")
            }
            checks.append(check)
        }
        return checks
    }

    private static func paths(on host: any Host) throws(CommandError) -> [String] {
        do {
            return try host.listIfPresent(directory).filter { $0.hasSuffix(".yaml") && !$0.hasPrefix(".") }
                .map { directory + "/" + $0 }
        } catch {
            throw CommandError(.input, error.description)
        }
    }

    private static func bytes(of path: String, on host: any Host) throws(CommandError) -> [UInt8] {
        do {
            let status = try host.status(path)
            guard status.kind == .file, status.owner == 0, status.mode & 0o022 == 0 else {
                throw CommandError(
                    .input, "\(path): must be a file of root's that nobody else may write (chown root, chmod go-w)")
            }
            return try host.read(path)
        } catch let error as HostError {
            throw CommandError(.input, error.description)
        } catch let error as CommandError {
            throw error
        } catch {
            throw CommandError(.internalError, "\(path): \(error)")
        }
    }

    /// Built-in checks and the operator's; an id may stand once.
    static func merge(_ builtIn: [Check], _ own: [Check]) throws(CommandError) -> [Check] {
        var seen = Set(builtIn.flatMap { [$0.id] + $0.aliases })
        for check in own where !seen.insert(check.id).inserted {
            throw CommandError(.input, "\(directory): the id \(check.id) is taken")
        }
        return builtIn + own
    }

    /// Everything that a check may observe.
    static var specifications: [ProbeSpecification] {
        allProbes.map(\.specification) + [PacketProofProbe.specification]
    }
}
