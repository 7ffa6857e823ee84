internal import Glibc
internal import HostAccess

/// Copies of configuration, for checkers that write into what they check.
extension LiveHost {
    private static let deepest = 16

    /// Runs `body` while `place` holds the regular files of `directory`, and nothing else is below `top`. The copy is
    /// root's alone; what a checker made there, or a killed run has left, is taken away.
    func withCopy<Result>(
        of directory: String, at place: String, below top: String, _ body: () throws(HostError) -> Result
    ) throws(HostError) -> Result {
        try clear(top, depth: 0)
        _ = try OwnDirectory.open(top, mode: 0o700)
        let folder = try OwnDirectory.open(place, mode: 0o700)
        let result: Result
        do throws(HostError) {
            for name in try list(directory) {
                let path = "\(directory)/\(name)"
                guard try status(path).kind == .file else { continue }
                let bytes = try read(path, limit: 4 << 20)
                let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
                let file = try Descriptor(
                    openat(folder.rawValue, name, flags, 0o600).orErrno, operation: "copy \(path)")
                try file.writeAll(bytes, operation: "copy \(path)")
            }
            result = try body()
        } catch {
            try clear(top, depth: 0)
            throw error
        }
        try clear(top, depth: 0)
        return result
    }

    /// Removes a directory with all below it. Nobody but root can put anything there, so that paths are safe.
    private func clear(_ path: String, depth: Int) throws(HostError) {
        guard let status = try statusIfPresent(path, followLinks: false) else { return }
        guard status.kind == .directory else {
            guard unlink(path) == 0 || errno == ENOENT else {
                throw HostError(errno: errno, operation: "clear \(path)")
            }
            return
        }
        guard depth < Self.deepest else {
            throw HostError(.limit, operation: "clear \(path)", message: "it is nested too deeply")
        }
        for name in try list(path) { try clear("\(path)/\(name)", depth: depth + 1) }
        guard rmdir(path) == 0 || errno == ENOENT else { throw HostError(errno: errno, operation: "clear \(path)") }
    }
}
