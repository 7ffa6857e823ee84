internal import CLinux
internal import Glibc
internal import HostAccess
internal import HostModel
internal import WireFormats

/// A socket that an NFLOG group of our own is bound to.
///
/// Never NFULNL_CFG_CMD_PF_BIND, and never libpcap's `nflog` device, which does it: that would make nfnetlink_log the
/// logger of the whole namespace, for good. Source: linux/netfilter/nfnetlink_log.h.
struct NflogSocket: ~Copyable {
    let group: UInt16
    private let listener: NfnetlinkListener

    private static let copyBytes: UInt32 = 256
    /// A group that somebody else has bound answers EPERM, as a missing capability does.
    private static let tries = 8
    private static let operation = "bind an NFLOG group"

    init() throws(HostError) {
        let listener = try NfnetlinkListener(operation: Self.operation)
        var chosen: UInt16 = 0
        var failure: Int32 = EPERM
        for number in 1...Self.tries where failure != 0 {
            // Small numbers are what people configure.
            chosen = UInt16.random(in: 1024...UInt16.max)
            failure = try listener.ask(
                type: UInt16(NFNL_SUBSYS_ULOG) << 8 | UInt16(NFULNL_MSG_CONFIG.rawValue), sequence: UInt32(number),
                payload: NflogPacket.binding(group: chosen, copyBytes: Self.copyBytes))
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
        self.listener = listener
    }

    /// For poll(2).
    var rawValue: Int32 { listener.rawValue }

    /// Every logged packet that waits.
    func read() throws(HostError) -> [NflogPacket] {
        var packets: [NflogPacket] = []
        do {
            for message in try listener.read() {
                if let packet = try NflogPacket(message) { packets.append(packet) }
            }
        } catch let error as HostError {
            throw error
        } catch {
            throw HostError(.malformed, operation: "read the fence", message: "\(error)")
        }
        return packets
    }
}
