internal import CLinux
internal import Glibc
internal import HostAccess
internal import HostModel

/// Reading files and directories. Source: open(2), openat2(2), readdir(3), statx(2), statvfs(3).
extension LiveHost {
    func readFile(_ path: String, root: String?, limit: Int) throws(HostError) -> [UInt8] {
        let operation = "read \(path)"
        guard limit >= 0 else { throw HostError(.limit, operation: operation, message: "the limit is below zero") }
        // O_NONBLOCK: a FIFO must not hold us up. It means nothing for regular files.
        let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
        let file: Descriptor
        if let root {
            // Below a hostile root even opening a device may do something: look first, then open what was seen.
            let handle = try open(path, in: root, clinux_o_path | O_CLOEXEC, operation)
            _ = try regularSize(handle, operation)
            file = try Descriptor(
                Glibc.open("/proc/self/fd/\(handle.rawValue)", flags).orErrno, operation: operation)
        } else {
            file = try Descriptor(Glibc.open(path, flags).orErrno, operation: operation)
        }
        let size = try regularSize(file, operation)
        guard size <= limit else { throw tooLong(operation, limit) }
        return try Descriptor.readToEnd(file.rawValue, limit: limit, expected: size, operation: operation)
    }

    /// Reads until the paragraph with this line is whole. The paragraphs before it are not kept.
    func readParagraph(_ path: String, with line: String, limit: Int) throws(HostError) -> [UInt8] {
        let operation = "read \(path)"
        let file = try Descriptor(
            Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY).orErrno, operation: operation)
        guard try regularSize(file, operation) <= limit else { throw tooLong(operation, limit) }
        let line = Array(line.utf8)
        var (window, left) = ([UInt8](), limit)
        while true {
            let piece = try Descriptor.read(file.rawValue, upTo: 1 << 16, operation: operation)
            left -= piece.count
            guard left >= 0 else { throw tooLong(operation, limit) }
            window += piece
            let unfinished = piece.isEmpty ? window.count : TextParagraph.lastStart(in: window)
            if let range = TextParagraph.range(around: line, in: window), range.upperBound <= unfinished {
                return Array(window[range])
            }
            if piece.isEmpty { return [] }
            window.removeFirst(unfinished)
        }
    }

    func listDirectory(_ path: String, root: String?, limit: Int) throws(HostError) -> [String] {
        let operation = "list \(path)"
        let flags = O_RDONLY | O_CLOEXEC | O_DIRECTORY | O_NONBLOCK
        let directory =
            if let root {
                try open(path, in: root, flags, operation)
            } else {
                try Descriptor(Glibc.open(path, flags).orErrno, operation: operation)
            }
        let number = directory.release()
        guard let stream = fdopendir(number) else {
            let error = errno
            _ = Glibc.close(number)
            throw HostError(errno: error, operation: operation)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw HostError(errno: errno, operation: operation) }
                break
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
                field.withMemoryRebound(to: UInt8.self, capacity: 256) { String(cString: $0) }
            }
            if name == "." || name == ".." { continue }
            guard names.count < limit else {
                throw HostError(.limit, operation: operation, message: "the directory has more than \(limit) entries")
            }
            names.append(name)
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    func fileStatus(_ path: String, root: String?, followLinks: Bool) throws(HostError) -> FileStatus {
        let operation = "look at \(path)"
        var facts = stat()
        guard let root else {
            let result = fstatat(AT_FDCWD, path, &facts, followLinks ? 0 : AT_SYMLINK_NOFOLLOW)
            guard result == 0 else { throw HostError(errno: errno, operation: operation) }
            return FileStatus(facts, target: facts.isLink ? try linkTarget(AT_FDCWD, path, operation) : nil)
        }
        let handle = try open(path, in: root, clinux_o_path | O_CLOEXEC | (followLinks ? 0 : O_NOFOLLOW), operation)
        guard fstat(handle.rawValue, &facts) == 0 else { throw HostError(errno: errno, operation: operation) }
        return FileStatus(facts, target: facts.isLink ? try linkTarget(handle.rawValue, "", operation) : nil)
    }

    func fileSystemSpace(_ path: String) throws(HostError) -> FileSystemSpace {
        let operation = "statvfs \(path)"
        let handle = try Descriptor(Glibc.open(path, clinux_o_path | O_CLOEXEC).orErrno, operation: operation)
        var facts = statvfs()
        guard fstatvfs(handle.rawValue, &facts) == 0 else { throw HostError(errno: errno, operation: operation) }
        let block = UInt64(facts.f_frsize)
        return FileSystemSpace(
            freeBytes: Int(clamping: UInt64(facts.f_bavail).saturatingMultiply(block)),
            totalBytes: Int(clamping: UInt64(facts.f_blocks).saturatingMultiply(block)),
            freeInodes: facts.f_files == 0 ? nil : Int(clamping: facts.f_favail),
            // ST_RDONLY of statvfs(3) is 1.
            readOnly: facts.f_flag & 1 != 0)
    }

    /// Opens a path inside a root directory, which the path cannot leave.
    private func open(
        _ path: String, in root: String, _ flags: Int32, _ operation: String
    ) throws(HostError) -> Descriptor {
        let directory = try Descriptor(
            Glibc.open(root, clinux_o_path | O_CLOEXEC | O_DIRECTORY).orErrno, operation: "\(operation) in \(root)")
        return try Descriptor(
            clinux_open_in_root(directory.rawValue, path, flags), operation: "\(operation) in \(root)")
    }

    /// The size of a regular file; anything else is `malformed`.
    private func regularSize(_ file: borrowing Descriptor, _ operation: String) throws(HostError) -> Int {
        var facts = stat()
        guard fstat(file.rawValue, &facts) == 0 else { throw HostError(errno: errno, operation: operation) }
        guard facts.isRegular else {
            throw HostError(.malformed, operation: operation, message: "it is not a regular file")
        }
        return Int(facts.st_size)
    }

    func linkTarget(_ directory: Int32, _ path: String, _ operation: String) throws(HostError) -> String {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX) + 1)
        let capacity = buffer.count
        let length = buffer.withUnsafeMutableBytes { bytes in
            guard let start = bytes.bindMemory(to: CChar.self).baseAddress else { return -1 }
            return readlinkat(directory, path, start, capacity)
        }
        guard length >= 0 else { throw HostError(errno: errno, operation: operation) }
        guard length < capacity else { throw tooLong(operation, capacity) }
        return String(decoding: buffer[..<length], as: UTF8.self)
    }
}

private func tooLong(_ operation: String, _ limit: Int) -> HostError {
    HostError(.limit, operation: operation, message: "it is longer than \(limit) bytes")
}

extension Descriptor {
    /// Reads to the end; more than `limit` bytes is an error. Files of procfs say that they are empty, so the size
    /// is a guess only.
    static func readToEnd(
        _ file: Int32, limit: Int, expected: Int, operation: String
    ) throws(HostError) -> [UInt8] {
        var bytes: [UInt8] = []
        // One byte beyond, to see the end (or that there is more than allowed).
        var room = min(limit, max(expected, 4_095)) + 1
        while true {
            let part = try read(file, upTo: room, operation: operation)
            bytes = bytes.isEmpty ? part : bytes + part
            guard bytes.count <= limit else { throw tooLong(operation, limit) }
            if part.count < room { return bytes }
            room = min(bytes.count, limit + 1 - bytes.count)
        }
    }

    /// The next bytes of a file: `count` of them, or fewer where it ends before.
    static func read(_ file: Int32, upTo count: Int, operation: String) throws(HostError) -> [UInt8] {
        var error: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            (filled, error) = fill(UnsafeMutableRawBufferPointer(buffer), from: file)
        }
        guard error == 0 else { throw HostError(errno: error, operation: operation) }
        return bytes
    }

    /// Reads until the buffer is full or the file ends. Returns the number of bytes, and errno or 0.
    private static func fill(_ buffer: UnsafeMutableRawBufferPointer, from file: Int32) -> (count: Int, error: Int32) {
        var count = 0
        while count < buffer.count {
            let read = Glibc.read(file, buffer.baseAddress?.advanced(by: count), buffer.count - count)
            if read < 0 && errno == EINTR { continue }
            if read < 0 { return (count, errno) }
            if read == 0 { break }
            count += read
        }
        return (count, 0)
    }
}

extension Int32 {
    /// The result of a system call as the shims give it: not negative, or `-errno`.
    var orErrno: Int32 { self < 0 ? -errno : self }
}

extension stat {
    var isRegular: Bool { st_mode & S_IFMT == S_IFREG }
    var isLink: Bool { st_mode & S_IFMT == S_IFLNK }
    var isDirectory: Bool { st_mode & S_IFMT == S_IFDIR }

    /// Whether only the user that this process runs as can have written it.
    var belongsOnlyToThisUser: Bool { belongsOnly(to: [Int(geteuid())]) }

    /// Whether only these users can have written it.
    func belongsOnly(to owners: Set<Int>) -> Bool {
        SoleOwner.isOne(of: owners, owner: Int(st_uid), mode: Int(st_mode))
    }
}

extension FileStatus {
    init(_ facts: stat, target: String?) {
        let kind: Kind =
            if facts.isRegular {
                .file
            } else if facts.isDirectory {
                .directory
            } else if facts.isLink {
                .link
            } else {
                .other
            }
        self.init(
            kind: kind, mode: Int(facts.st_mode & 0o7777), owner: Int(facts.st_uid), group: Int(facts.st_gid),
            size: Int(facts.st_size), target: target)
    }
}

extension UInt64 {
    fileprivate func saturatingMultiply(_ other: UInt64) -> UInt64 {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }
}
