internal import Glibc
internal import HostAccess
internal import HostModel

/// Shorewall's compiler, and what it has loaded. Source: shorewall(8).
extension LiveHost {
    /// The compiler may write into the directory that it checks, so it gets a copy; and it accepts files that reject
    /// all traffic, so its ruleset is judged.
    func checkShorewall(_ reach: ShorewallReach, _ command: [String]) throws(HostError) {
        let output = try withCopy(of: "/etc/shorewall", at: OwnedProgram.copy, below: OwnedProgram.copy) {
            () throws(HostError) in
            try runToEnd(command, milliseconds: 60_000, limit: 16 << 20)
        }
        if let complaint = reach.complaint(aboutOutput: output) {
            throw HostError(.malformed, operation: command.joined(separator: " "), message: complaint)
        }
    }

    /// The script that the compiler made of the files when they were loaded last.
    private static let script = "/var/lib/shorewall/firewall"

    /// Compiles and loads the files. The way back is the script of the rules that were loaded before: the files of that
    /// time may be others than it was made of, and ones that do not compile.
    func reloadShorewall(isOpen: Bool, _ command: [String]) throws(HostError) {
        var command = command
        if isOpen { try keepScript() } else if let path = try keptScript() { command = ["sh", path, "reload"] }
        try runToEnd(command, milliseconds: 60_000, limit: 1 << 20)
    }

    private func keepScript() throws(HostError) {
        guard let run, let status = try statusIfPresent(Self.script, followLinks: false), status.kind == .file,
            status.belongsOnly()
        else { return }
        let operation = "back up \(Self.script)"
        let file = try Descriptor(
            open(Self.script, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC).orErrno, operation: operation)
        let bytes = try Descriptor.readToEnd(
            file.rawValue, limit: 16 << 20, expected: status.size, operation: operation)
        try backups.keep(
            FileContent(bytes: ByteString(bytes), mode: status.mode, owner: status.owner, group: status.group),
            like: file.rawValue, path: Self.script, run: run)
    }

    private func keptScript() throws(HostError) -> String? {
        guard let run, try backups.open(path: Self.script, run: run) != nil else { return nil }
        return try backups.path(of: Self.script, run: run)
    }
}
