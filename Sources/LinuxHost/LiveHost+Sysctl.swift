internal import CLinux
internal import Glibc
internal import HostAccess
internal import HostModel

/// Kernel parameters below `/proc/sys/net`. Source: sysctl(8), proc_sys(5).
extension LiveHost {
    func setSysctl(_ text: String, from: String, to: String) throws(HostError) {
        let operation = "set \(text)"
        guard let key = SysctlKey(text), key.parts.first == "net", key.parts.count > 1 else {
            throw HostError(.notPermitted, operation: operation, message: "only keys below net are changed")
        }
        let now = try readSysctl(key)
        if same(now, to) { return }
        guard same(now, from) else { throw stale(operation, "it is \(now), not \(from)") }
        let flags = O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK
        let file = try Descriptor(Glibc.open(key.path, flags).orErrno, operation: operation)
        let isProcfs = clinux_is_procfs(file.rawValue)
        guard isProcfs >= 0 else { throw HostError(errno: -isProcfs, operation: operation) }
        guard isProcfs == 1 else {
            throw HostError(.malformed, operation: operation, message: "\(key.path) is not on procfs")
        }
        try file.writeAll(Array(to.utf8) + [0x0a], operation: operation)
        let after = try readSysctl(key)
        guard same(after, to) else {
            throw HostError(.other, operation: operation, message: "the kernel made it \(after) instead of \(to)")
        }
    }

    func readSysctl(_ key: SysctlKey) throws(HostError) -> String {
        let bytes = try readFile(key.path, root: nil, limit: 4_096)
        return String(decoding: bytes.prefix { $0 != 0x0a }, as: UTF8.self)
    }

    /// Several values of one parameter are separated by blanks in files and by tabs in the kernel.
    private func same(_ left: String, _ right: String) -> Bool {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\n" }
        return left.split(whereSeparator: isBlank) == right.split(whereSeparator: isBlank)
    }
}

extension Descriptor {
    /// Writes all bytes, in as many calls of write(2) as that takes.
    borrowing func writeAll(_ bytes: [UInt8], operation: String) throws(HostError) {
        let error = Descriptor.write(bytes, to: rawValue)
        guard error == 0 else { throw HostError(errno: error, operation: operation) }
    }

    /// The same to a descriptor that somebody else owns, such as a standard stream. Waits where it is non-blocking and full.
    /// Returns 0 or errno.
    static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
        var offset = 0
        while offset < bytes.count {
            let written = bytes.withUnsafeBytes { buffer in
                Glibc.write(descriptor, buffer.baseAddress?.advanced(by: offset), buffer.count - offset)
            }
            if written > 0 {
                offset += written
                continue
            }
            switch written < 0 ? errno : EIO {
            case EINTR: continue
            case EAGAIN:
                var full = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                if poll(&full, 1, -1) < 0, errno != EINTR { return errno }
            case let error: return error
            }
        }
        return 0
    }
}
