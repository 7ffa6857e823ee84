internal import CLinux
internal import Glibc
internal import HostAccess
internal import HostModel

/// Files and symbolic links, each replaced in one step that lasts. Source: open(2), rename(2), fsync(2), xattr(7).
extension LiveHost {
    /// A name that a killed run may leave behind; the next one removes it.
    private static let temporary = ".lxc-doctor.new"
    private static let limit = 16 << 20

    func replaceFile(_ path: String, before: FileContent?, after: FileContent?) throws(HostError) {
        let operation = "write \(path)"
        let directory = try TrustedDirectory(of: path, operation: operation)
        let old = try openExisting(directory)
        // Its number is no use of it, and the optimiser ends an optional after the last one.
        defer { withExtendedLifetime(old) {} }
        let oldNumber = number(of: old)
        let now = try content(oldNumber, operation)
        if now == after { return }
        guard now == before else {
            throw stale(operation, now == nil ? "it does not exist" : before == nil ? "it exists" : "it was changed")
        }
        if let run, !isRestoring, let now, let oldNumber {
            try backups.keep(now, like: oldNumber, path: path, run: run)
        }
        guard let after else {
            try directory.remove()
            return
        }
        // A file that comes back gets what only its backup still knows: access list and labels.
        let kept = oldNumber == nil ? try backup(of: path, holding: after) : .none
        defer { withExtendedLifetime(kept) {} }
        do throws(HostError) {
            let new = try writeTemporary(after, in: directory, like: oldNumber ?? number(of: kept))
            try place(new, in: directory, replaces: oldNumber)
        } catch {
            unlinkat(directory.descriptor.rawValue, LiveHost.temporary, 0)
            throw error
        }
        CrashPoint.pass()
        try directory.synchronise()
    }

    private func backup(of path: String, holding content: FileContent) throws(HostError) -> Descriptor? {
        guard let run, isRestoring else { return nil }
        guard let file = try backups.open(path: path, run: run),
            try self.content(file.rawValue, "read the backup of \(path)") == content
        else { return nil }
        return file
    }

    /// What a killed run left of a file beside its place.
    func clearLeftover(beside path: String) throws(HostError) {
        do throws(HostError) {
            let directory = try TrustedDirectory(of: path, operation: "tidy beside \(path)")
            try clearTemporary(directory)
        } catch {
            // Without its directory there is nothing beside it.
            if error.code != .notFound { throw error }
        }
    }

    func replaceLink(_ path: String, before: String?, after: String?) throws(HostError) {
        let operation = "link \(path)"
        let directory = try TrustedDirectory(of: path, operation: operation)
        var now: String?
        if let facts = try directory.facts() {
            guard facts.isLink else {
                throw HostError(.malformed, operation: operation, message: "it is not a symbolic link")
            }
            guard facts.st_uid == 0 else {
                throw HostError(.notPermitted, operation: operation, message: "it does not belong to root")
            }
            now = try linkTarget(directory.descriptor.rawValue, directory.name, operation)
        }
        if now == after { return }
        guard now == before else {
            throw stale(operation, now.map { "it points to \($0)" } ?? "it does not exist")
        }
        guard let after else {
            try directory.remove()
            return
        }
        let number = directory.descriptor.rawValue
        if before == nil {
            guard symlinkat(after, number, directory.name) == 0 else {
                throw madeMeanwhile(operation)
            }
        } else {
            try clearTemporary(directory)
            guard symlinkat(after, number, LiveHost.temporary) == 0 else {
                throw HostError(errno: errno, operation: operation)
            }
            CrashPoint.pass()
            guard renameat(number, LiveHost.temporary, number, directory.name) == 0 else {
                throw HostError(errno: errno, operation: operation)
            }
        }
        CrashPoint.pass()
        try directory.synchronise()
    }

    /// The file that stands at the name, if it is one that may be replaced.
    private func openExisting(_ directory: borrowing TrustedDirectory) throws(HostError) -> Descriptor? {
        let operation = directory.operation
        guard let facts = try directory.facts() else { return nil }
        guard facts.isRegular else {
            throw HostError(.malformed, operation: operation, message: "it is a link, or not a regular file")
        }
        guard facts.st_uid == 0, facts.st_nlink == 1 else {
            throw HostError(
                .notPermitted, operation: operation,
                message: facts.st_uid != 0 ? "it does not belong to root" : "it has a second name (hard link)")
        }
        let flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK
        return try Descriptor(
            openat(directory.descriptor.rawValue, directory.name, flags).orErrno, operation: operation)
    }

    private func content(_ file: Int32?, _ operation: String) throws(HostError) -> FileContent? {
        guard let number = file else { return nil }
        var facts = stat()
        guard fstat(number, &facts) == 0 else { throw HostError(errno: errno, operation: operation) }
        let bytes = try Descriptor.readToEnd(
            number, limit: LiveHost.limit, expected: Int(facts.st_size), operation: operation)
        return FileContent(
            bytes: ByteString(bytes), mode: Int(facts.st_mode & 0o7777), owner: Int(facts.st_uid),
            group: Int(facts.st_gid))
    }

    /// A file without a name; on a file system that has none such (overlayfs before Linux 6.1), one with the
    /// temporary name.
    private func openNew(in directory: borrowing TrustedDirectory) throws(HostError) -> Descriptor {
        let number = directory.descriptor.rawValue
        let nameless = openat(number, ".", clinux_o_tmpfile | O_WRONLY | O_CLOEXEC, 0o600).orErrno
        guard !hasNamelessFiles || nameless == -EOPNOTSUPP || nameless == -EISDIR else {
            return try Descriptor(nameless, operation: directory.operation)
        }
        if nameless >= 0 { _ = Glibc.close(nameless) }
        try clearTemporary(directory)
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        return try Descriptor(
            openat(number, LiveHost.temporary, flags, 0o600).orErrno, operation: directory.operation)
    }

    /// A file without a name that holds the new content, durable, with owner, attributes and mode set.
    private func writeTemporary(
        _ content: FileContent, in directory: borrowing TrustedDirectory, like old: Int32?
    ) throws(HostError) -> Descriptor {
        let operation = directory.operation
        let file = try openNew(in: directory)
        CrashPoint.pass()
        try file.writeAll(content.bytes.bytes, operation: operation)
        CrashPoint.pass()
        guard let owner = UInt32(exactly: content.owner), let group = UInt32(exactly: content.group) else {
            throw HostError(.malformed, operation: operation, message: "no such owner or group")
        }
        guard fchown(file.rawValue, owner, group) == 0 else { throw HostError(errno: errno, operation: operation) }
        if let old {
            let result = clinux_copy_xattrs(old, file.rawValue)
            guard result == 0 else { throw HostError(errno: -result, operation: "\(operation): extended attributes") }
        }
        // Last, because the group bits are the mask of an access list.
        guard fchmod(file.rawValue, mode_t(truncatingIfNeeded: content.mode & 0o7777)) == 0,
            fsync(file.rawValue) == 0
        else { throw HostError(errno: errno, operation: operation) }
        CrashPoint.pass()
        return file
    }

    /// Gives the file its name: a new one must be free, an old one is replaced.
    private func place(
        _ file: borrowing Descriptor, in directory: borrowing TrustedDirectory, replaces old: Int32?
    ) throws(HostError) {
        let number = directory.descriptor.rawValue
        let operation = directory.operation
        var facts = stat()
        guard fstat(file.rawValue, &facts) == 0 else { throw HostError(errno: errno, operation: operation) }
        let isNamed = facts.st_nlink > 0
        if !isNamed {
            if old != nil { try clearTemporary(directory) }
            let name = old == nil ? directory.name : LiveHost.temporary
            guard linkat(AT_FDCWD, "/proc/self/fd/\(file.rawValue)", number, name, AT_SYMLINK_FOLLOW) == 0 else {
                throw madeMeanwhile(operation)
            }
        }
        if let old {
            CrashPoint.pass()
            try requireSame(old, directory)
            guard renameat(number, LiveHost.temporary, number, directory.name) == 0 else {
                throw HostError(errno: errno, operation: operation)
            }
        } else if isNamed {
            guard clinux_rename_new(number, LiveHost.temporary, number, directory.name) == 0 else {
                throw madeMeanwhile(operation)
            }
        }
    }

    /// The error of a call that refuses a name that is taken.
    private func madeMeanwhile(_ operation: String) -> HostError {
        errno == EEXIST ? stale(operation, "it was made meanwhile") : HostError(errno: errno, operation: operation)
    }

    /// What stands at the name must still be the file that was read, and unchanged since.
    private func requireSame(_ old: Int32, _ directory: borrowing TrustedDirectory) throws(HostError) {
        var read = stat()
        guard fstat(old, &read) == 0 else { throw HostError(errno: errno, operation: directory.operation) }
        guard let now = try directory.facts(), now.st_ino == read.st_ino, now.st_size == read.st_size,
            now.st_mtim.tv_sec == read.st_mtim.tv_sec, now.st_mtim.tv_nsec == read.st_mtim.tv_nsec
        else { throw stale(directory.operation, "it was changed meanwhile") }
    }

    private func clearTemporary(_ directory: borrowing TrustedDirectory) throws(HostError) {
        if unlinkat(directory.descriptor.rawValue, LiveHost.temporary, 0) != 0, errno != ENOENT {
            throw HostError(errno: errno, operation: directory.operation)
        }
    }
}

private func number(of descriptor: borrowing Descriptor?) -> Int32? {
    switch descriptor {
    case .some(let open): open.rawValue
    case .none: nil
    }
}
