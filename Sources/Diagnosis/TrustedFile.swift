internal import CheckCatalog
internal import HostAccess

/// Reads configuration that decides what a root tool does: only what nobody else could have written.
struct TrustedFile {
    let host: any Host

    /// Who may own it: root, and for a file that was named on the command line also the user who named it.
    var owners: Set<Int> = [0]

    /// The content of a file; nil where there is none. Throws what is wrong with it, in words.
    func read(_ path: String) throws(Problem) -> [UInt8]? {
        guard try isThere(path, as: .file, else: "is not a file") else { return nil }
        return try asking { () throws(HostError) in try host.read(path, limit: YAMLReader.sizeLimit) }
    }

    /// The names in a directory that end with the suffix, without hidden ones; nil where there is no such directory.
    func list(_ path: String, ending: String) throws(Problem) -> [String]? {
        guard try isThere(path, as: .directory, else: "is not a directory") else { return nil }
        return try asking { () throws(HostError) in try host.list(path, limit: 1_024) }
            .filter { $0.hasSuffix(ending) && !$0.hasPrefix(".") }
    }

    /// False where nothing is at the path. Throws where it is of another kind, or not to be trusted.
    private func isThere(_ path: String, as kind: FileStatus.Kind, else problem: String) throws(Problem) -> Bool {
        guard let status = try asking({ () throws(HostError) in try host.statusIfPresent(path) }) else { return false }
        guard status.kind == kind else { throw Problem(text: problem) }
        try check(status)
        return true
    }

    private func asking<Value>(_ body: () throws(HostError) -> Value) throws(Problem) -> Value {
        do {
            return try body()
        } catch {
            throw Problem(text: error.message)
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
