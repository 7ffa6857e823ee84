internal import CLinux
internal import Glibc
internal import HostAccess
internal import HostModel

/// Reading iptables-legacy tables. Source: linux/netfilter_ipv4/ip_tables.h, linux/netfilter_ipv6/ip6_tables.h.
extension LiveHost {
    /// Reads a table that exists. Asking the kernel for one that does not would create it.
    func legacyTableReply(_ name: LegacyTableName) throws(HostError) -> HostReply {
        let operation = "\(name.family.program) table \(name.table)"
        let listed = String(
            decoding: try readFile(name.family.listing, root: nil, limit: 1 << 16), as: UTF8.self)
        guard listed.split(separator: "\n").contains(where: { $0 == name.table }), name.table.utf8.count < 32 else {
            throw HostError(
                .notFound, operation: operation, message: "the kernel has no such table (\(name.family.listing))")
        }
        let socket = try Descriptor(
            clinux_socket_in_netns(
                -1, name.family.domain, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), Int32(IPPROTO_RAW)),
            operation: operation)
        let field = Array(name.table.utf8) + [UInt8](repeating: 0, count: 32 - name.table.utf8.count)
        // The table may change between the two calls: EAGAIN.
        for _ in 0..<5 {
            var info = field + [UInt8](repeating: 0, count: LegacyLayout.infoSize - 32)
            try socket.get(name.family.level, LegacyLayout.getInfo, &info, operation)
            let size = info.withUnsafeBytes {
                $0.loadUnaligned(fromByteOffset: LegacyLayout.infoTableSizeOffset, as: UInt32.self)
            }
            guard size <= 64 << 20 else {
                throw HostError(.limit, operation: operation, message: "the table is longer than 64 MiB")
            }
            var entries = field + [UInt8](repeating: 0, count: LegacyLayout.entriesHeaderSize - 32 + Int(size))
            entries.withUnsafeMutableBytes { $0.storeBytes(of: size, toByteOffset: 32, as: UInt32.self) }
            do {
                try socket.get(name.family.level, LegacyLayout.getEntries, &entries, operation)
            } catch {
                if error.errno == EAGAIN { continue }
                throw error
            }
            return .legacyTable(info: ByteString(info), entries: ByteString(entries))
        }
        throw HostError(.limit, operation: operation, message: "it kept changing while it was read")
    }
}

/// The same layout for IPv4 and IPv6; the C headers of both cannot be imported side by side.
private enum LegacyLayout {
    /// IPT_BASE_CTL + 0 and + 1.
    static let getInfo: Int32 = 64
    static let getEntries: Int32 = 65
    /// struct ipt_getinfo: name[32], valid_hooks, hook_entry[5], underflow[5], num_entries, size.
    static let infoSize = 84
    static let infoTableSizeOffset = 80
    /// struct ipt_get_entries: name[32], size, then entries aligned to eight bytes.
    static let entriesHeaderSize = 40
}

extension LegacyTableName.Family {
    fileprivate var program: String {
        switch self {
        case .ipv4: "iptables-legacy"
        case .ipv6: "ip6tables-legacy"
        }
    }

    fileprivate var listing: String {
        switch self {
        case .ipv4: "/proc/net/ip_tables_names"
        case .ipv6: "/proc/net/ip6_tables_names"
        }
    }

    fileprivate var domain: Int32 {
        switch self {
        case .ipv4: AF_INET
        case .ipv6: AF_INET6
        }
    }

    /// SOL_IP, SOL_IPV6.
    fileprivate var level: Int32 {
        switch self {
        case .ipv4: 0
        case .ipv6: 41
        }
    }
}

extension Descriptor {
    fileprivate func get(
        _ level: Int32, _ option: Int32, _ bytes: inout [UInt8], _ operation: String
    ) throws(HostError) {
        var length = socklen_t(bytes.count)
        let result = bytes.withUnsafeMutableBytes { getsockopt(rawValue, level, option, $0.baseAddress, &length) }
        guard result == 0 else { throw HostError(errno: errno, operation: operation) }
        guard Int(length) == bytes.count else {
            throw HostError(.malformed, operation: operation, message: "the answer has another length than asked for")
        }
    }
}
