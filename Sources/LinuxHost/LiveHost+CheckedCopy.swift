internal import Glibc
internal import HostAccess

/// Copies of configuration, for checkers that write into what they check.
extension LiveHost {
    /// Runs `body` while `place` holds the regular files of `directory`, and nothing else. The copy is root's alone;
    /// one that a killed run has left is taken away first.
    func withCopy<Result>(
        of directory: String, at place: String, _ body: () throws(HostError) -> Result
    ) throws(HostError) -> Result {
        try clearCopy(place)
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
            try clearCopy(place)
            throw error
        }
        try clearCopy(place)
        return result
    }

    private func clearCopy(_ place: String) throws(HostError) {
        let folder: Descriptor
        do throws(HostError) {
            let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
            folder = try Descriptor(Glibc.open(place, flags).orErrno, operation: "clear \(place)")
        } catch {
            if error.code == .notFound { return }
            throw error
        }
        for name in try list(place) where unlinkat(folder.rawValue, name, 0) != 0 && errno != ENOENT {
            throw HostError(errno: errno, operation: "clear \(place)/\(name)")
        }
        guard rmdir(place) == 0 || errno == ENOENT else { throw HostError(errno: errno, operation: "clear \(place)") }
    }
}
