internal import CLinux
internal import Glibc
internal import HostAccess
internal import HostModel
internal import WireFormats

/// A socket that an NFLOG group of our own is bound to.
///
/// Never NFULNL_CFG_CMD_PF_BIND, and never libpcap's `nflog` device, which does it: that would make nfnetlink_log the
/// logger of the whole namespace, for good. Source: linux/netfilter/nfnetlink_log.h, netlink(7).
struct NflogSocket: ~Copyable {
    let group: UInt16
    private let descriptor: Descriptor

    private static let copyBytes: UInt32 = 256
    /// A group that somebody else has bound answers EPERM, as a missing capability does.
    private static let tries = 8
    private static let operation = "bind an NFLOG group"

    init() throws(HostError) {
        let descriptor = try Descriptor(
            clinux_socket_in_netns(
                -1, AF_NETLINK, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), NETLINK_NETFILTER),
            operation: Self.operation)
        var address = sockaddr_nl()
        address.nl_family = sa_family_t(AF_NETLINK)
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(descriptor.rawValue, $0, socklen_t(MemoryLayout<sockaddr_nl>.size))
            }
        }
        guard bound == 0 else { throw HostError(errno: errno, operation: Self.operation) }
        var chosen: UInt16 = 0
        var failure: Int32 = EPERM
        for number in 1...Self.tries where failure != 0 {
            // Small numbers are what people configure.
            chosen = UInt16.random(in: 1024...UInt16.max)
            failure = try Self.ask(descriptor, to: chosen, sequence: UInt32(number))
            guard [0, EPERM, EBUSY].contains(failure) else { break }
        }
        switch failure {
        case 0: break
        case EINVAL, EOPNOTSUPP:
            throw HostError(
                .unsupported, operation: Self.operation, message: "this kernel has no nfnetlink_log", errno: failure)
        default: throw HostError(errno: failure, operation: Self.operation)
        }
        group = chosen
        self.descriptor = descriptor
    }

    /// For poll(2).
    var rawValue: Int32 { descriptor.rawValue }

    /// Asks for a group and waits for the kernel's answer: zero or an errno.
    private static func ask(
        _ descriptor: borrowing Descriptor, to group: UInt16, sequence: UInt32
    ) throws(HostError) -> Int32 {
        let message = NetlinkMessage(
            type: UInt16(NFNL_SUBSYS_ULOG) << 8 | UInt16(NFULNL_MSG_CONFIG.rawValue),
            flags: UInt16(NLM_F_REQUEST | NLM_F_ACK), sequence: sequence,
            payload: NflogPacket.binding(group: group, copyBytes: copyBytes))
        guard send(descriptor.rawValue, message.bytes, message.bytes.count, 0) == message.bytes.count else {
            throw HostError(errno: errno, operation: operation)
        }
        let deadline = Deadline(milliseconds: 1000)
        var buffer = [UInt8](repeating: 0, count: 4096)
        while deadline.milliseconds > 0 {
            var waiting = pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, deadline.milliseconds) > 0 else { continue }
            let count = recv(descriptor.rawValue, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            guard count > 0, let header = NetlinkHeader(Array(buffer.prefix(count))), header.sequence == sequence,
                Int32(header.type) == NLMSG_ERROR, let error: Int32 = buffer.hostInteger(at: NetlinkHeader.size)
            else { continue }
            return error == Int32.min ? EIO : abs(error)
        }
        throw HostError(errno: ETIMEDOUT, operation: operation)
    }

    /// Every logged packet that waits. A message that cannot be read is left out, as another's would be.
    func read() throws(HostError) -> [NflogPacket] {
        var packets: [NflogPacket] = []
        var buffer = [UInt8](repeating: 0, count: 32 << 10)
        // A bound, although only our own rules log here.
        for _ in 0..<1000 {
            let count = recv(descriptor.rawValue, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count < 0, errno == ENOBUFS {
                throw HostError(.limit, operation: "read the fence", message: "the kernel lost messages")
            }
            guard count > 0 else { break }
            do {
                for message in try NetlinkMessage.split(Array(buffer.prefix(count))) {
                    if let packet = try NflogPacket(message) { packets.append(packet) }
                }
            } catch {
                throw HostError(.malformed, operation: "read the fence", message: "\(error)")
            }
        }
        return packets
    }
}
