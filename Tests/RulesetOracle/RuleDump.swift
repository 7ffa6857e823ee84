import CLinux
import Glibc
import HostAccess
import LinuxHost
import WireFormats

/// The kernel's own dump of all rules, thrown away as it comes: what reading cannot be faster than.
enum RuleDump {
    static func run() throws {
        let socket = try Descriptor(
            clinux_socket_in_netns(
                -1, AF_NETLINK, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), NETLINK_NETFILTER),
            operation: "netlink socket")
        let query = KernelQuery.nftRules()
        let request = NetlinkMessage(
            type: query.type, flags: UInt16(NLM_F_REQUEST | NLM_F_ROOT | NLM_F_MATCH), sequence: 1,
            payload: query.payload.bytes)
        guard send(socket.rawValue, request.bytes, request.bytes.count, 0) == request.bytes.count else {
            throw OracleError("send: errno \(errno)")
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
        defer { buffer.deallocate() }
        var rules = 0
        while true {
            let count = recv(socket.rawValue, buffer.baseAddress, buffer.count, 0)
            guard count > 0 else { throw OracleError("recv: errno \(errno)") }
            var offset = 0
            while offset + 16 <= count {
                let length = Int(buffer.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
                let type = buffer.loadUnaligned(fromByteOffset: offset + 4, as: UInt16.self)
                // NLMSG_ERROR, NLMSG_DONE.
                if type == 2 { throw OracleError("the kernel refused the dump") }
                if type == 3 { return print(rules) }
                rules += 1
                guard length >= 16 else { throw OracleError("a message of \(length) bytes") }
                offset += (length + 3) & ~3
            }
        }
    }
}
