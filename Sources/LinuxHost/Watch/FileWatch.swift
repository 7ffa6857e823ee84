internal import CLinux
internal import Glibc
package import HostAccess

/// Tells which of some files and directories have changed, also those that are not there yet.
///
/// A file is watched by its directory, so that replacing it is seen; where the directory is missing, by the nearest one above
/// that is there. A sysctl is watched itself and held open: writing to it is an event like any other as long as nobody
/// makes the kernel forget the node. Links are followed to what they point at, inside a root where one is given.
/// Source: inotify(7).
package final class FileWatch {
    package struct Changes: Sendable {
        package var files: Set<HostPath> = []
        /// Events were lost (IN_Q_OVERFLOW): any file may have changed.
        package var areIncomplete = false
    }

    /// More would be somebody's directory tree, and not a configuration.
    private static let mostWatches = 4_096
    private static let inDirectory =
        UInt32(IN_CREATE) | UInt32(IN_DELETE) | UInt32(IN_MOVED_FROM) | UInt32(IN_MOVED_TO) | UInt32(IN_CLOSE_WRITE)
        | UInt32(IN_ATTRIB) | UInt32(IN_DELETE_SELF) | UInt32(IN_MOVE_SELF)
    private static let inSetting = UInt32(IN_MODIFY)

    private final class Watch {
        /// Files by the name whose change touches them.
        var names: [String: Set<HostPath>] = [:]
        /// Files that any change here touches: listed directories, and sysctls.
        var whole: Set<HostPath> = []
        /// Keeps a sysctl's node.
        var held: Int32 = -1

        deinit { if held >= 0 { close(held) } }
    }

    private let descriptor: Descriptor
    private var watches: [Int32: Watch] = [:]
    private var files: Set<HostPath> = []
    /// Files that could not be watched.
    package private(set) var unwatched: Set<HostPath> = []

    package init() throws(HostError) {
        let number = inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK))
        descriptor = try Descriptor(number.orErrno, operation: "inotify_init1")
    }

    /// For poll(2).
    package var rawValue: Int32 { descriptor.rawValue }

    /// Watches these and nothing else. Gives those that were not watched before: they may have changed since they were
    /// read.
    package func watch(_ wanted: Set<HostPath>) -> Set<HostPath> {
        guard wanted != files else { return [] }
        let added = wanted.subtracting(files)
        files = wanted
        rebuild()
        return added
    }

    /// Watches the same, as directories are now. A watch that stays keeps its number and what waits in the queue.
    private func rebuild() {
        let old = watches
        watches = [:]
        unwatched = []
        for file in files { add(file) }
        for number in old.keys where watches[number] == nil { inotify_rm_watch(descriptor.rawValue, number) }
    }

    private func add(_ file: HostPath) {
        if file.root == nil, file.path.hasPrefix("/proc/") {
            addSetting(file)
            return
        }
        var parts = file.path.split(separator: "/").map(String.init)
        if file.isListing { _ = attach(file, parts, name: nil) }
        followLink(file)
        // Every link and directory on the way may be replaced; the nearest that is there tells.
        while let name = parts.popLast() {
            if attach(file, parts, name: name) { return }
        }
        unwatched.insert(file)
    }

    /// What the path leads to over links lies in another directory.
    private func followLink(_ file: HostPath) {
        guard file.root == nil, let resolved = realpath(file.path, nil) else { return }
        defer { free(resolved) }
        let real = String(cString: resolved)
        guard real != file.path else { return }
        var parts = real.split(separator: "/").map(String.init)
        if let name = parts.popLast() { _ = attach(file, parts, name: name) }
    }

    /// False where there is no such directory.
    private func attach(_ file: HostPath, _ parts: [String], name: String?) -> Bool {
        guard watches.count < Self.mostWatches else { return false }
        let path = "/" + parts.joined(separator: "/")
        let flags = clinux_o_path | O_DIRECTORY | O_CLOEXEC
        var directory: Int32 = -1
        if let root = file.root {
            let top = open(root, flags)
            guard top >= 0 else { return false }
            directory = clinux_open_in_root(top, path, flags)
            close(top)
        } else {
            directory = open(path, flags)
        }
        guard directory >= 0 else { return false }
        defer { close(directory) }
        let number = inotify_add_watch(
            descriptor.rawValue, "/proc/self/fd/\(directory)", Self.inDirectory | UInt32(IN_ONLYDIR))
        guard number >= 0 else { return false }
        let watch = watches[number] ?? Watch()
        watches[number] = watch
        if let name {
            watch.names[name, default: []].insert(file)
        } else {
            watch.whole.insert(file)
        }
        return true
    }

    private func addSetting(_ file: HostPath) {
        let held = open(file.path, clinux_o_path | O_CLOEXEC)
        // A setting of an interface that is not there comes and goes with it, and rtnetlink tells.
        guard held >= 0 else { return }
        let number =
            watches.count < Self.mostWatches
            ? inotify_add_watch(descriptor.rawValue, "/proc/self/fd/\(held)", Self.inSetting) : -1
        guard number >= 0 else {
            close(held)
            unwatched.insert(file)
            return
        }
        let watch = watches[number] ?? Watch()
        if watch.held >= 0 { close(watch.held) }
        watch.held = held
        watch.whole.insert(file)
        watches[number] = watch
    }

    /// What has changed since the last call.
    package func read() throws(HostError) -> Changes {
        var changes = Changes()
        var mustRebuild = false
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        for _ in 0..<64 {
            let count = buffer.withUnsafeMutableBytes { Glibc.read(descriptor.rawValue, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { break }
            guard count > 0 else { throw HostError(errno: errno, operation: "read inotify") }
            var offset = 0
            // struct inotify_event: wd, mask, cookie, len (32 bits each), then a name padded with NUL.
            while offset + 16 <= count {
                let (number, mask, length) = buffer.withUnsafeBytes { bytes in
                    (
                        bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self),
                        bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self),
                        Int(bytes.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self))
                    )
                }
                let end = min(count, offset + 16 + length)
                let name = String(decoding: buffer[offset + 16..<end].prefix { $0 != 0 }, as: UTF8.self)
                if take(number, mask, name, &changes) { mustRebuild = true }
                offset += 16 + length
            }
        }
        if mustRebuild || changes.areIncomplete { rebuild() }
        return changes
    }

    /// Notes one event; true where the watches themselves may be wrong now.
    private func take(_ number: Int32, _ mask: UInt32, _ name: String, _ changes: inout Changes) -> Bool {
        if mask & UInt32(IN_Q_OVERFLOW) != 0 {
            changes.areIncomplete = true
            return true
        }
        guard let watch = watches[number] else { return false }
        if mask & (UInt32(IN_DELETE_SELF) | UInt32(IN_MOVE_SELF) | UInt32(IN_IGNORED) | UInt32(IN_UNMOUNT)) != 0 {
            changes.files.formUnion(watch.whole)
            for files in watch.names.values { changes.files.formUnion(files) }
            return true
        }
        changes.files.formUnion(watch.whole)
        guard let files = watch.names[name] else { return false }
        changes.files.formUnion(files)
        // What is new at a name may be a directory or a link to one.
        return mask & (UInt32(IN_CREATE) | UInt32(IN_MOVED_TO) | UInt32(IN_DELETE) | UInt32(IN_MOVED_FROM)) != 0
    }
}
