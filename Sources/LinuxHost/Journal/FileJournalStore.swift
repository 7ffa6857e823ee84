internal import CLinux
internal import Glibc
package import HostAccess

/// Journals as files: `/var/lib/lxc-doctor/journal/RUN.json`, mode 0600, in a directory of mode 0700.
///
/// A journal is written beside its place, synced, renamed over the old one, and the directory is synced: after a power
/// failure there is the old text or the new one, never a part. Source: fsync(2), rename(2), flock(2).
package final class FileJournalStore: JournalStore {
    private static let suffix = ".json"
    private static let limit = 16 << 20

    private let directory: String
    private let lockPath: String
    private var held: RepairLock?

    package init(directory: String = "/var/lib/lxc-doctor/journal", lockPath: String = "/run/lxc-doctor/fix.lock") {
        self.directory = directory
        self.lockPath = lockPath
    }

    package func location(of run: String) -> String { "\(directory)/\(run)\(Self.suffix)" }

    package func lock() throws(HostError) {
        guard held == nil else { return }
        if let slash = lockPath.lastIndex(of: "/") {
            _ = try OwnDirectory.open(String(lockPath[..<slash]), mode: 0o755)
        }
        held = try RepairLock(lockPath)
        try sweep()
    }

    /// Removes what writes that were cut short have left beside the journals. With the lock held nobody writes there.
    private func sweep() throws(HostError) {
        let operation = "tidy \(directory)"
        let names: [String]
        do throws(HostError) {
            names = try LiveHost().list(directory, limit: 65_536)
        } catch {
            if error.code == .notFound { return }
            throw error
        }
        let leftovers = names.filter { $0.hasPrefix(".") && $0.hasSuffix("\(Self.suffix).new") }
        guard !leftovers.isEmpty else { return }
        let folder = try OwnDirectory.open(directory, mode: 0o700)
        for name in leftovers where unlinkat(folder.rawValue, name, 0) != 0 && errno != ENOENT {
            throw HostError(errno: errno, operation: operation)
        }
    }

    package func unlock() {
        held = nil
    }

    package func runs() throws(HostError) -> [String] {
        do {
            return try LiveHost().list(directory, limit: 65_536)
                .filter { $0.hasSuffix(Self.suffix) && !$0.hasPrefix(".") }
                .map { String($0.dropLast(Self.suffix.utf8.count)) }
        } catch {
            if error.code == .notFound { return [] }
            throw error
        }
    }

    package func load(_ run: String) throws(HostError) -> [UInt8] {
        let operation = "read \(location(of: run))"
        let folder = try OwnDirectory.open(directory, mode: 0o700)
        let file = try Descriptor(
            openat(folder.rawValue, try Self.fileName(run), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK).orErrno,
            operation: operation)
        var facts = stat()
        guard fstat(file.rawValue, &facts) == 0 else { throw HostError(errno: errno, operation: operation) }
        guard facts.isRegular, facts.belongsOnlyToThisUser else {
            throw HostError(.malformed, operation: operation, message: "it is not a file of root's alone")
        }
        return try Descriptor.readToEnd(
            file.rawValue, limit: Self.limit, expected: Int(facts.st_size), operation: operation)
    }

    package func save(_ bytes: [UInt8], run: String) throws(HostError) {
        let operation = "write \(location(of: run))"
        let name = try Self.fileName(run)
        let temporary = ".\(name).new"
        let folder = try OwnDirectory.open(directory, mode: 0o700)
        // What a crash left of an earlier attempt.
        guard unlinkat(folder.rawValue, temporary, 0) == 0 || errno == ENOENT else {
            throw HostError(errno: errno, operation: operation)
        }
        let file = try Descriptor(
            openat(folder.rawValue, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600).orErrno,
            operation: operation)
        CrashPoint.pass()
        try file.writeAll(bytes, operation: operation)
        CrashPoint.pass()
        guard fsync(file.rawValue) == 0 else { throw HostError(errno: errno, operation: operation) }
        try file.close(operation: operation)
        CrashPoint.pass()
        guard renameat(folder.rawValue, temporary, folder.rawValue, name) == 0 else {
            throw HostError(errno: errno, operation: operation)
        }
        CrashPoint.pass()
        guard fsync(folder.rawValue) == 0 else { throw HostError(errno: errno, operation: operation) }
        CrashPoint.pass()
    }

    // MARK: Confirmation

    /// A file of its own, so that whoever confirms does not write to the journal that the repair is writing to.
    package func confirm(_ run: String) throws(HostError) {
        let operation = "confirm \(run)"
        let name = try Self.confirmationName(run)
        let folder = try OwnDirectory.open(directory, mode: 0o700)
        let flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK
        let file = try Descriptor(openat(folder.rawValue, name, flags, 0o600).orErrno, operation: operation)
        guard fsync(file.rawValue) == 0, fsync(folder.rawValue) == 0 else {
            throw HostError(errno: errno, operation: operation)
        }
    }

    package func isConfirmed(_ run: String) throws(HostError) -> Bool {
        let path = "\(directory)/\(try Self.confirmationName(run))"
        var facts = stat()
        if lstat(path, &facts) == 0 { return facts.isRegular && facts.st_uid == geteuid() }
        guard errno == ENOENT else { throw HostError(errno: errno, operation: "look for \(path)") }
        return false
    }

    private static func confirmationName(_ run: String) throws(HostError) -> String {
        String(try fileName(run).dropLast(suffix.utf8.count)) + ".confirmed"
    }

    /// Letters, digits, `-`, `_` and `.`, not first: a run's id never names another directory.
    private static func fileName(_ run: String) throws(HostError) -> String {
        let allowed = run.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
            default: false
            }
        }
        guard allowed, (1...100).contains(run.utf8.count), run.first != "." else {
            throw HostError(.malformed, operation: "journal", message: "not the id of a run: \(run)")
        }
        return run + suffix
    }
}
