internal import CLinux
internal import ConfigFiles
internal import Glibc
internal import HostAccess

/// Restores the access lists that an image's `acls.txt` names, as `setfacl --restore` would inside the image: names of
/// users and groups are the image's own. No link is followed and nothing outside the image is reached.
struct ImageAccessLists {
    private static let longest = 256 << 20

    let operation: String

    /// `root`: the directory that holds `rootfs`. Files that are named and not there (device nodes) are passed over.
    func restore(in root: borrowing Descriptor) throws(HostError) {
        guard let bytes = try read("acls.txt", in: root, limit: Self.longest) else { return }
        let file: AccessListFile
        do throws(ConfigEditError) {
            file = try AccessListFile(bytes: bytes)
        } catch {
            throw HostError(.malformed, operation: operation, message: "acls.txt: \(error)")
        }
        let rootfs = try Descriptor(
            clinux_open_beneath(root.rawValue, "rootfs", O_RDONLY | O_DIRECTORY | O_CLOEXEC), operation: operation)
        let users = try names("etc/passwd", in: rootfs)
        let groups = try names("etc/group", in: rootfs)
        for record in file.records where !record.isTrivial {
            let path = String(decoding: record.path.drop { $0 == UInt8(ascii: "/") }, as: UTF8.self)
            let handle = clinux_open_beneath(rootfs.rawValue, path, clinux_o_path | O_CLOEXEC)
            if handle == -ENOENT || handle == -ELOOP || handle == -ENOTDIR { continue }
            let target = try Descriptor(handle, operation: "\(operation): \(path)")
            for (name, entries) in [
                ("system.posix_acl_access", record.access), ("system.posix_acl_default", record.inherited),
            ] where !entries.isEmpty {
                let value = try Self.encode(entries, users, groups, operation)
                let result = clinux_set_xattr(target.rawValue, name, value, value.count)
                guard result == 0 else {
                    throw HostError(errno: -result, operation: "\(operation): access list of \(path)")
                }
            }
        }
    }

    private func read(_ path: String, in root: borrowing Descriptor, limit: Int) throws(HostError) -> [UInt8]? {
        let handle = clinux_open_beneath(root.rawValue, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        if handle == -ENOENT { return nil }
        let file = try Descriptor(handle, operation: "\(operation): \(path)")
        var facts = stat()
        guard fstat(file.rawValue, &facts) == 0, facts.isRegular else {
            throw HostError(.malformed, operation: operation, message: "\(path) is no file")
        }
        return try Descriptor.readToEnd(
            file.rawValue, limit: limit, expected: Int(facts.st_size), operation: operation)
    }

    /// NAME:x:NUMBER:… of passwd(5) and group(5).
    private func names(_ path: String, in rootfs: borrowing Descriptor) throws(HostError) -> [String: UInt32] {
        var names: [String: UInt32] = [:]
        for line in (try read(path, in: rootfs, limit: 1 << 20) ?? []).split(separator: 0x0a) {
            let parts = String(decoding: line, as: UTF8.self).split(separator: ":", omittingEmptySubsequences: false)
            if parts.count > 2, let number = UInt32(parts[2]) { names[String(parts[0])] = number }
        }
        return names
    }

    /// struct posix_acl_xattr_header and entries, little endian, in the order of the tags and, within one, of the
    /// numbers. Source: linux/posix_acl_xattr.h, linux/posix_acl.h.
    static func encode(
        _ entries: [AccessListRecord.Entry], _ users: [String: UInt32], _ groups: [String: UInt32], _ operation: String
    ) throws(HostError) -> [UInt8] {
        var items: [(tag: UInt16, permissions: UInt16, number: UInt32)] = []
        for entry in entries {
            let (tag, name, known): (UInt16, String?, [String: UInt32]) =
                switch entry.tag {
                case .owner: (0x01, nil, users)
                case .namedUser(let name): (0x02, name, users)
                case .group: (0x04, nil, groups)
                case .namedGroup(let name): (0x08, name, groups)
                case .mask: (0x10, nil, users)
                case .other: (0x20, nil, users)
                }
            var number = UInt32.max
            if let name {
                guard let found = UInt32(name) ?? known[name] else {
                    throw HostError(
                        .malformed, operation: operation, message: "acls.txt: the image knows no \(name)")
                }
                number = found
            }
            items.append((tag, UInt16(entry.permissions), number))
        }
        var bytes: [UInt8] = [2, 0, 0, 0]
        for item in items.sorted(by: { ($0.tag, $0.number) < ($1.tag, $1.number) }) {
            for part in [item.tag, item.permissions] { bytes += [UInt8(part & 0xff), UInt8(part >> 8)] }
            bytes += (0..<4).map { UInt8(truncatingIfNeeded: item.number >> (8 * $0)) }
        }
        return bytes
    }
}
