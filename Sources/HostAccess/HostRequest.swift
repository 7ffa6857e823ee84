package import HostModel
package import WireFormats

/// Everything that can be asked of a host. Asking never changes it.
///
/// The set is closed and Codable, so that a run can be recorded as (request, answer) pairs and judged elsewhere.
package enum HostRequest: Codable, Sendable, Hashable {
    /// The bytes of a regular file (or of a procfs or sysfs file), at most `limit`; more is an error of code `limit`.
    /// With `root`, the path is resolved inside that directory (`openat2(2)`, RESOLVE_IN_ROOT): for everything below
    /// a container's rootfs, which is hostile.
    case read(path: String, root: String?, limit: Int)
    /// The paragraph of a text file that has this whole line: what lies between two blank lines. Empty where none has it. Of
    /// a package manager's database, of many megabytes at times, the rest is neither kept nor recorded. More than `limit`
    /// bytes before its end are an error of code `limit`.
    case paragraph(path: String, line: String, limit: Int)
    /// The names in a directory, sorted by byte value, without `.` and `..`; at most `limit`.
    case list(path: String, root: String?, limit: Int)
    /// Type, mode, owner and size. A link is described itself unless `followLinks`.
    case status(path: String, root: String?, followLinks: Bool)
    /// Room on the file system that holds the path (`statvfs(3)`).
    case space(path: String)
    /// A netlink GET or dump.
    case netlink(KernelQuery)
    /// An iptables-legacy table, only where `/proc/net/ip_tables_names` lists it already: asking for another would
    /// create it.
    case legacyTable(LegacyTableName)
    /// A table as `iptables-nft-save` or `iptables-legacy-save` prints it; empty where the kernel has no such table. A
    /// legacy table only where `/proc/net/ip_tables_names` lists it.
    case iptablesRules(IptablesTable)
    /// The version that a program prints, for what no package database tells that is text.
    case programVersion(ProgramName)
    /// The BPF programs that act on packets and of which neither rtnetlink nor nf_tables tells: those of tcx on a link
    /// of this namespace, and those at hooks of netfilter, of whatever namespace. A line for each.
    case packetPrograms(link: Int)
    /// As `packetPrograms`, of several links at once: those of tcx have the index of their link behind them. A link that is
    /// gone has none.
    case packetProgramsOf(links: [Int])
    /// Everybody behind a veth of this host: containers and other namespaces, as far as they can be entered.
    case residents
    /// Host name, kernel release, effective user and capabilities, and namespaces of the asking process.
    case identity
}

/// An iptables-legacy table: the family and a name such as `nat`.
package struct LegacyTableName: Codable, Sendable, Hashable {
    package enum Family: String, Codable, Sendable { case ipv4, ipv6 }
    package var family: Family
    package var table: String
    package init(family: Family, table: String) {
        self.family = family
        self.table = table
    }
}

/// A program that may be run to be asked for a version, with nothing else on its command line.
package enum ProgramName: String, Codable, Sendable {
    /// `lxc-start --version`.
    case lxcStart = "lxc-start"
    /// `dockerd --version`: `Docker version 20.10.24+dfsg1, build 297e128`.
    case dockerd
    /// `nmcli --version`: `nmcli tool, version 1.42.4`.
    case nmcli
    /// `rpm --query lxc`: `lxc-4.0.12-1.fc39.x86_64`. It fails where the package is not installed; rpm's database is no
    /// text that could be read instead.
    case rpm

    package var arguments: [String] {
        switch self {
        case .lxcStart, .dockerd, .nmcli: ["--version"]
        case .rpm: ["--query", "lxc"]
        }
    }
}

/// The answer to a `HostRequest`, of the same name.
package enum HostReply: Codable, Sendable, Hashable {
    case bytes(ByteString)
    case names([String])
    case status(FileStatus)
    case space(FileSystemSpace)
    /// Whole netlink messages with their headers, without NLMSG_DONE, in the order of the dump.
    case messages(NetlinkMessages)
    /// `ipt_get_entries` of a table preceded by its `ipt_getinfo` (`linux/netfilter_ipv4/ip_tables.h`), host order.
    case legacyTable(info: ByteString, entries: ByteString)
    case text(String)
    case residents(BridgeResidents)
    case identity(HostIdentity)
}

/// What `statx(2)` says of a path.
package struct FileStatus: Codable, Sendable, Hashable {
    package enum Kind: String, Codable, Sendable { case file, directory, link, other }
    package var kind: Kind
    /// Permission bits, with set-uid, set-gid and sticky: `0o1777`.
    package var mode: Int
    package var owner: Int
    package var group: Int
    package var size: Int
    /// Where a link points, unresolved; nil otherwise.
    package var target: String?

    package init(kind: Kind, mode: Int, owner: Int, group: Int, size: Int, target: String? = nil) {
        self.kind = kind
        self.mode = mode
        self.owner = owner
        self.group = group
        self.size = size
        self.target = target
    }
}

/// Room on a file system, for a process without privilege.
package struct FileSystemSpace: Codable, Sendable, Hashable {
    package var freeBytes: Int
    package var totalBytes: Int
    /// Nil where the file system does not count inodes (btrfs reports none).
    package var freeInodes: Int?
    package var readOnly: Bool

    package init(freeBytes: Int, totalBytes: Int, freeInodes: Int?, readOnly: Bool) {
        self.freeBytes = freeBytes
        self.totalBytes = totalBytes
        self.freeInodes = freeInodes
        self.readOnly = readOnly
    }
}

/// Who asks, and of which host.
package struct HostIdentity: Codable, Sendable, Hashable {
    package var hostname: String
    /// `uname -r`.
    package var kernel: String
    package var effectiveUser: Int
    /// Names of the effective capabilities that matter here: `net_admin`, `net_raw`, `sys_admin`.
    package var capabilities: [String]
    /// Whether the network namespace is that of process 1; nil where that cannot be read.
    package var inInitialNetworkNamespace: Bool?
    /// Whether this is a practice host.
    package var isPracticeHost: Bool

    /// The file of root's that marks a practice host.
    package static let practiceHostMark = "/run/lxc-doctor-practice-host"

    package init(
        hostname: String, kernel: String, effectiveUser: Int, capabilities: [String],
        inInitialNetworkNamespace: Bool?, isPracticeHost: Bool
    ) {
        self.hostname = hostname
        self.kernel = kernel
        self.effectiveUser = effectiveUser
        self.capabilities = capabilities
        self.inInitialNetworkNamespace = inInitialNetworkNamespace
        self.isPracticeHost = isPracticeHost
    }
}
