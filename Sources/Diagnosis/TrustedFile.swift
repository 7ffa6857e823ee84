internal import HostAccess

/// Reads configuration that decides what a root tool does: only what nobody else could have written.
struct TrustedFile {
    let host: any Host

    /// Who may own it beside root: the user who named the file on the command line.
    var owners: Set<Int> = [0]

    /// Throws what is wrong with the file, in words. Nil where there is none.
    func read(_ path: String) throws(Problem) -> [UInt8]? {
        do {
            guard let status = try host.statusIfPresent(path) else { return nil }
            guard status.kind == .file else { throw Problem(text: "is not a file") }
            try check(status)
            return try host.read(path, limit: 256 << 10)
        } catch let problem as Problem {
            throw problem
        } catch let error as HostError {
            throw Problem(text: error.message)
        } catch {
            throw Problem(text: "cannot be read")
        }
    }

    /// The names in a directory that ends with the suffix; nil where there is no such directory.
    func list(_ path: String, ending: String) throws(Problem) -> [String]? {
        do {
            guard let status = try host.statusIfPresent(path) else { return nil }
            guard status.kind == .directory else { throw Problem(text: "is not a directory") }
            try check(status)
            return try host.list(path, limit: 1_024).filter { $0.hasSuffix(ending) && !$0.hasPrefix(".") }
        } catch let problem as Problem {
            throw problem
        } catch let error as HostError {
            throw Problem(text: error.message)
        } catch {
            throw Problem(text: "cannot be read")
        }
    }

    private func check(_ status: FileStatus) throws(Problem) {
        guard owners.contains(status.owner) else {
            throw Problem(text: "is refused: it belongs to user \(status.owner), not to root")
        }
        guard status.belongsOnly(to: owners) else {
            throw Problem(
                text:
                    "is refused: others may write to it (mode \(String(status.mode, radix: 8))); chmod go-w cures that")
        }
    }

    struct Problem: Error {
        var text: String
    }
}
