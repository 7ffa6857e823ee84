import HostAccess
import HostModel

/// A host made of literals: a tree of files, and nothing else. Every other question is refused.
final class FileTreeHost: Host {
    enum Node {
        case file(String, mode: Int, owner: Int)
        case directory(mode: Int, owner: Int)
        case link(String)
        /// It exists, but this process may not look.
        case denied
    }

    private var nodes: [String: Node] = ["/": .directory(mode: 0o755, owner: 0)]
    var freeBytes = 100 << 30
    var freeInodes: Int? = 1_000_000
    var version: String?

    /// Files by path; their directories come by themselves. Text that begins with `-> ` is a symbolic link.
    init(_ files: [String: String]) {
        for (path, text) in files { set(path, text) }
    }

    func set(_ path: String, _ text: String) {
        if text.hasPrefix("-> ") {
            set(path, .link(String(text.dropFirst(3))))
        } else if path.hasSuffix("/") {
            set(String(path.dropLast()), .directory(mode: 0o755, owner: 0))
        } else {
            set(path, .file(text, mode: 0o644, owner: 0))
        }
    }

    func set(_ path: String, _ node: Node) {
        nodes[path] = node
        var parent = Self.parent(path)
        while nodes[parent] == nil {
            nodes[parent] = .directory(mode: 0o755, owner: 0)
            parent = Self.parent(parent)
        }
    }

    func remove(_ path: String) {
        nodes = nodes.filter { $0.key != path && !$0.key.hasPrefix(path + "/") }
    }

    private static func parent(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }

    /// The path without links, resolved inside `root`. Throws `notFound` as open(2) would.
    private func resolve(_ path: String, root: String, followLast: Bool) throws(HostError) -> String {
        var open = path.split(separator: "/").map(String.init)
        var at: [String] = []
        var links = 0
        while !open.isEmpty {
            let name = open.removeFirst()
            if name == "." { continue }
            if name == ".." {
                _ = at.popLast()
                continue
            }
            let full = root + "/" + (at + [name]).joined(separator: "/")
            guard let node = nodes[full] else {
                throw HostError(.notFound, operation: "open \(full)", message: "absent")
            }
            switch node {
            case .denied: throw HostError(.notPermitted, operation: "open \(full)", message: "permission denied")
            case .link(let target) where followLast || !open.isEmpty:
                links += 1
                guard links < 40 else { throw HostError(.other, operation: "open \(full)", message: "too many links") }
                if target.hasPrefix("/") { at = [] }
                open = target.split(separator: "/").map(String.init) + open
            default: at.append(name)
            }
        }
        return at.isEmpty ? (root.isEmpty ? "/" : root) : root + "/" + at.joined(separator: "/")
    }

    private func node(_ path: String, root: String?, followLast: Bool = true) throws(HostError) -> (String, Node) {
        let full = try resolve(path, root: root ?? "", followLast: followLast)
        guard let node = nodes[full] else { throw HostError(.notFound, operation: "open \(full)", message: "absent") }
        return (full, node)
    }

    func answer(_ request: HostRequest) throws(HostError) -> HostReply {
        switch request {
        case .read(let path, let root, let limit):
            guard case (_, .file(let text, _, _)) = try node(path, root: root) else {
                throw HostError(.malformed, operation: "read \(path)", message: "not a file")
            }
            guard text.utf8.count <= limit else {
                throw HostError(.limit, operation: "read \(path)", message: "too long")
            }
            return .bytes(ByteString(text))
        case .paragraph(let path, let line, _):
            guard case (_, .file(let text, _, _)) = try node(path, root: nil) else {
                throw HostError(.malformed, operation: "read \(path)", message: "not a file")
            }
            let bytes = Array(text.utf8)
            let range = TextParagraph.range(around: Array(line.utf8), in: bytes)
            return .bytes(ByteString(range.map { Array(bytes[$0]) } ?? []))
        case .list(let path, let root, _):
            guard case (let full, .directory) = try node(path, root: root) else {
                throw HostError(.other, operation: "list \(path)", message: "not a directory")
            }
            let prefix = full == "/" ? "/" : full + "/"
            let names = nodes.keys.filter { $0.hasPrefix(prefix) && $0 != full }.map { $0.dropFirst(prefix.count) }
            return .names(names.filter { !$0.contains("/") && !$0.isEmpty }.map(String.init).sorted())
        case .status(let path, let root, let followLinks):
            switch try node(path, root: root, followLast: followLinks).1 {
            case .file(let text, let mode, let owner):
                return .status(FileStatus(kind: .file, mode: mode, owner: owner, group: owner, size: text.utf8.count))
            case .directory(let mode, let owner):
                return .status(FileStatus(kind: .directory, mode: mode, owner: owner, group: owner, size: 4096))
            case .link(let target):
                return .status(
                    FileStatus(
                        kind: .link, mode: 0o777, owner: 0, group: 0, size: target.utf8.count, target: target))
            case .denied: throw HostError(.notPermitted, operation: "stat \(path)", message: "permission denied")
            }
        case .space:
            return .space(
                FileSystemSpace(freeBytes: freeBytes, totalBytes: 200 << 30, freeInodes: freeInodes, readOnly: false))
        case .programVersion:
            guard let version else { throw HostError(.notFound, operation: "lxc-start", message: "absent") }
            return .text(version)
        default:
            throw HostError(.unsupported, operation: "\(request)", message: "this host is only a tree of files")
        }
    }
}
