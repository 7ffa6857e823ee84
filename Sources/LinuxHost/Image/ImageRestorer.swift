internal import CLinux
internal import Glibc
internal import HostAccess
internal import HostModel

/// Restores a base image: archive, sum, staging directory, unpacking, access lists, configuration, and one rename.
///
/// Everything before the rename happens in a directory that only root can enter and that LXC does not see; killed at
/// any instant, what is left of it is removed by `removeStaging`. A download that was cut short is kept beside, and
/// continued.
struct ImageRestorer {
    let host: LiveHost
    let order: ImageRestoration

    var operation: String { "restore the image \(order.name)" }

    func run() throws(HostError) {
        let target = try TrustedDirectory(of: order.path, operation: operation)
        if let facts = try target.facts() {
            guard facts.isDirectory else {
                throw HostError(.stale, operation: operation, message: "\(order.path) is no directory")
            }
            return
        }
        let store = ImageDownload(host: host, order: order)
        let archive = order.source.isRemote ? try store.fetch() : try ImageArchive.local(order, host)
        CrashPoint.pass()
        do throws(HostError) {
            try removeStaging()
            let staging = try makeStaging(beside: target)
            CrashPoint.pass()
            let unpacking = ImageUnpacking(host: host, order: order)
            try unpacking.run(archive)
            CrashPoint.pass()
            let root = try unpacking.imageDirectory(in: staging)
            try finish(root, in: staging)
            try place(root, in: staging, as: target)
        } catch {
            do throws(HostError) { try removeStaging() } catch
            { /* The first error tells more; the next start tidies. */  }
            throw error
        }
        CrashPoint.pass()
        try removeStaging()
        if order.source.isRemote { try store.remove() }
    }

    /// What a restoration that was cut short has left below the directory of containers.
    func removeStaging() throws(HostError) {
        var facts = stat()
        guard lstat(order.staging, &facts) == 0 else {
            guard errno == ENOENT || errno == ENOTDIR else { throw HostError(errno: errno, operation: operation) }
            return
        }
        // Only root can have put it there, or its directory would not be trusted.
        _ = try TrustedDirectory(of: order.staging, operation: operation)
        try host.runToEnd(
            ["rm", "-rf", "--one-file-system", "--", order.staging], milliseconds: 600_000, limit: 65_536)
    }

    private func makeStaging(beside target: borrowing TrustedDirectory) throws(HostError) -> Descriptor {
        let name = order.staging.split(separator: "/").last.map(String.init) ?? ""
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        guard mkdirat(target.descriptor.rawValue, name, 0o700) == 0 else {
            throw HostError(errno: errno, operation: operation)
        }
        let staging = try Descriptor(
            openat(target.descriptor.rawValue, name, flags).orErrno, operation: operation)
        guard mkdirat(staging.rawValue, ImageRestoration.unpacked, 0o755) == 0 else {
            throw HostError(errno: errno, operation: operation)
        }
        return staging
    }

    /// Access lists, configuration and flags: what makes a container of this host of what the archive held.
    private func finish(_ path: String, in staging: borrowing Descriptor) throws(HostError) {
        let root = try Descriptor(
            clinux_open_beneath(staging.rawValue, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), operation: operation)
        try ImageAccessLists(operation: operation).restore(in: root)
        CrashPoint.pass()
        try ImageConfiguration(order: order).write(in: root)
        CrashPoint.pass()
        // The archive may have said otherwise; 0770 is what lxc-create makes.
        guard fchown(root.rawValue, 0, 0) == 0, fchmod(root.rawValue, 0o770) == 0 else {
            throw HostError(errno: errno, operation: operation)
        }
        try checkWithLXC(order.staging + "/" + path)
    }

    /// LXC itself must load the configuration; where it is not installed yet there is nobody to ask.
    private func checkWithLXC(_ path: String) throws(HostError) {
        let parts = path.split(separator: "/").map(String.init)
        do throws(HostError) {
            try host.run(
                .checkContainer(name: parts.last ?? "", path: "/" + parts.dropLast().joined(separator: "/")))
        } catch {
            if error.code != .notFound { throw error }
        }
    }

    private func place(
        _ path: String, in staging: borrowing Descriptor, as target: borrowing TrustedDirectory
    ) throws(HostError) {
        // All of it, before its name says that it is there.
        let result = clinux_sync_file_system(staging.rawValue)
        guard result == 0 else { throw HostError(errno: -result, operation: operation) }
        CrashPoint.pass()
        guard clinux_rename_new(staging.rawValue, path, target.descriptor.rawValue, target.name) == 0 else {
            throw errno == EEXIST
                ? HostError(.stale, operation: operation, message: "\(order.path) was made meanwhile")
                : HostError(errno: errno, operation: operation)
        }
        CrashPoint.pass()
        try target.synchronise()
    }
}
