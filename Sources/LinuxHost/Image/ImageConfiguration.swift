internal import CLinux
internal import ConfigFiles
internal import Glibc
internal import HostAccess

/// Makes the configuration of an unpacked image that of a container of this host, and leaves the flags by which
/// makina-states tells that it is complete. The archive's own configuration stays as `config.bak`.
struct ImageConfiguration {
    let order: ImageRestoration

    private var operation: String { "configure the image \(order.name)" }

    func write(in root: borrowing Descriptor) throws(HostError) {
        let old = try read(root)
        let new: [UInt8]
        do throws(ConfigEditError) {
            new = try LXCConfig.restored(old, name: order.name, directory: order.path, bridge: order.bridge)
        } catch {
            throw HostError(.malformed, operation: operation, message: "its config cannot be made today's: \(error)")
        }
        guard unlinkat(root.rawValue, "config.bak", 0) == 0 || errno == ENOENT,
            renameat(root.rawValue, "config", root.rawValue, "config.bak") == 0
        else { throw HostError(errno: errno, operation: operation) }
        try make("config", new, mode: 0o640, root)
        let config = LXCConfig(path: "config", bytes: new) { _ in .file([]) }
        let names = order.flags + (config.value("lxc.mount.fstab") == nil ? [] : ["fstab"])
        for name in names {
            var facts = stat()
            if fstatat(root.rawValue, name, &facts, AT_SYMLINK_NOFOLLOW) == 0, facts.isRegular { continue }
            try make(name, [], mode: 0o644, root)
        }
    }

    private func read(_ root: borrowing Descriptor) throws(HostError) -> [UInt8] {
        let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        let file = try Descriptor(openat(root.rawValue, "config", flags).orErrno, operation: operation)
        return try Descriptor.readToEnd(file.rawValue, limit: 1 << 20, expected: 4096, operation: operation)
    }

    private func make(
        _ name: String, _ bytes: [UInt8], mode: mode_t, _ root: borrowing Descriptor
    ) throws(HostError) {
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let file = try Descriptor(openat(root.rawValue, name, flags, mode).orErrno, operation: operation)
        try file.writeAll(bytes, operation: operation)
        guard fchmod(file.rawValue, mode) == 0 else { throw HostError(errno: errno, operation: operation) }
    }
}
