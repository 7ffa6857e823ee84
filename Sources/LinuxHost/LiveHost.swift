internal import CLinux
internal import Glibc
package import HostAccess
internal import HostModel
internal import WireFormats

/// The machine that this process runs on, in the network namespace of the process.
///
/// One netlink socket per family is opened when it is first needed and kept. Not for use by two threads at once; what it
/// does in the background has sockets of its own.
package final class LiveHost: Host {
    private var route: NetlinkSocket?
    private var netfilter: NetlinkSocket?
    /// Queries that were begun in the background.
    private(set) var begun: [KernelQuery: Background<NetlinkMessages>] = [:]

    /// Whether new files are made without a name (O_TMPFILE) where the file system can. False only in tests of the fallback.
    let hasNamelessFiles: Bool
    /// Files as they were before a run, by the run's id.
    let backups: FileBackups
    /// The id of the repair that changes belong to; nil: no backups are made of what they replace.
    var run: String?
    /// Called about ten times a second with the progress of a long change.
    package var progress: (ChangeProgress) -> Void = { _ in }
    /// Whether the changes roll that repair back.
    var isRestoring = false

    package convenience init() {
        self.init(hasNamelessFiles: true)
    }

    init(hasNamelessFiles: Bool, backups: FileBackups = FileBackups()) {
        self.hasNamelessFiles = hasNamelessFiles
        self.backups = backups
    }

    package func answer(_ request: HostRequest) throws(HostError) -> HostReply {
        switch request {
        case .read(let path, let root, let limit): .bytes(ByteString(try readFile(path, root: root, limit: limit)))
        case .paragraph(let path, let line, let limit):
            .bytes(ByteString(try readParagraph(path, with: line, limit: limit)))
        case .list(let path, let root, let limit): .names(try listDirectory(path, root: root, limit: limit))
        case .status(let path, let root, let followLinks):
            .status(try fileStatus(path, root: root, followLinks: followLinks))
        case .space(let path): .space(try fileSystemSpace(path))
        case .netlink(let query): .messages(try ask(query))
        case .legacyTable(let name): try legacyTableReply(name)
        case .iptablesRules(let table): .text(try iptablesRules(of: table))
        case .programVersion(let program): .text(try version(of: program))
        case .packetPrograms(let link): .names(try packetPrograms(link: link))
        case .packetProgramsOf(let links): .names(try packetPrograms(links: links))
        case .residents: .residents(try ResidentReader(self).read())
        case .identity: .identity(try currentIdentity())
        }
    }

    /// Begins a query in the background, on a socket and a thread of its own. For queries that keep the kernel busy for
    /// milliseconds. The next request for the same query gets the result.
    package func begin(_ query: KernelQuery) {
        begun[query] = Background { () throws(HostError) in
            var socket = try NetlinkSocket(query.family)
            return try socket.messages(query)
        }
    }

    /// Drops the results of queries that were begun before a change: they do not describe the host after it.
    func dropBegun() { begun.removeAll() }

    private func ask(_ query: KernelQuery) throws(HostError) -> NetlinkMessages {
        if let early = begun.removeValue(forKey: query) { return try early.value() }
        return try withSocket(query.family) { (socket) throws(HostError) in try socket.messages(query) }
    }

    /// Lends the socket of a family.
    func withSocket<Value>(
        _ family: KernelQuery.Family, _ body: (inout NetlinkSocket) throws(HostError) -> Value
    ) throws(HostError) -> Value {
        switch family {
        case .route: try LiveHost.lend(&route, family, body)
        case .netfilter: try LiveHost.lend(&netfilter, family, body)
        case .xfrm:
            // Needed once at most in a run.
            try { () throws(HostError) in
                var socket = try NetlinkSocket(family)
                return try body(&socket)
            }()
        }
    }

    private static func lend<Value>(
        _ kept: inout NetlinkSocket?, _ family: KernelQuery.Family,
        _ body: (inout NetlinkSocket) throws(HostError) -> Value
    ) throws(HostError) -> Value {
        if let open = kept.take() {
            var socket = open
            do {
                let value = try body(&socket)
                kept = consume socket
                return value
            } catch {
                if !socket.isSpoiled { kept = consume socket }
                throw error
            }
        }
        kept = try NetlinkSocket(family)
        return try lend(&kept, family, body)
    }
}
