internal import CLinux
internal import Glibc
internal import HostAccess
internal import HostModel
internal import WireFormats

/// Hears iptables-legacy say which rules a traced packet meets.
///
/// Legacy tables hand those lines to the logger of the namespace, so for a moment that is nfnetlink_log, with group 0
/// ours. A guard process puts the previous logger back, also where this process is killed. The group is the lock: it
/// belongs to the guard as well, so nobody else can take the logger before it is back.
/// Source: linux/netfilter/nfnetlink_log.h, nf_log.c (/proc/sys/net/netfilter/nf_log/2), iptables-extensions(8) TRACE.
final class LegacyTrace {
    private let listener: NfnetlinkListener
    private var restorer: (process: pid_t, control: Int32)?

    private static let operation = "ask iptables-legacy for its rules"
    /// By the number of AF_INET or AF_INET6.
    private static func setting(_ family: IPFamily) -> String {
        "/proc/sys/net/netfilter/nf_log/\(family == .ipv4 ? AF_INET : AF_INET6)"
    }
    private static let ours = "nfnetlink_log"

    init(_ family: IPFamily) throws(HostError) {
        let listener = try NfnetlinkListener(operation: Self.operation)
        let failure = try listener.ask(
            type: UInt16(NFNL_SUBSYS_ULOG) << 8 | UInt16(NFULNL_MSG_CONFIG.rawValue), sequence: 1,
            payload: NflogPacket.binding(group: 0, copyBytes: 128))
        switch failure {
        case 0: break
        case EPERM, EBUSY:
            throw HostError(
                .other, operation: Self.operation, message: "somebody else listens to NFLOG group 0", errno: failure)
        default: throw HostError(errno: failure, operation: Self.operation)
        }
        self.listener = listener
        try takeLogger(family)
    }

    private func takeLogger(_ family: IPFamily) throws(HostError) {
        let opened = open(Self.setting(family), O_RDWR | O_CLOEXEC)
        let file = try Descriptor(opened < 0 ? -errno : opened, operation: Self.operation)
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = pread(file.rawValue, &buffer, buffer.count, 0)
        guard count > 0 else { throw HostError(errno: errno, operation: Self.operation) }
        let previous = Array(buffer.prefix(count).prefix { $0 != 10 && $0 != 0 })
        guard !previous.elementsEqual(Self.ours.utf8) else { return }
        var control: Int32 = -1
        let process = previous.withUnsafeBytes {
            clinux_guard_start(file.rawValue, $0.baseAddress, $0.count, listener.rawValue, &control)
        }
        guard process > 0 else { throw HostError(errno: -process, operation: Self.operation) }
        restorer = (process, control)
        let name = Array(Self.ours.utf8)
        guard pwrite(file.rawValue, name, name.count, 0) == name.count else {
            throw HostError(errno: errno, operation: Self.operation)
        }
    }

    /// Puts the previous logger back.
    func end() {
        if let restorer { clinux_guard_end(restorer.process, restorer.control) }
        restorer = nil
    }

    deinit { end() }

    /// The steps since the last call, in their order. Lines that were lost make a name missing, not a verdict.
    func read() throws(HostError) -> [ProbeFindings.LegacyStep] {
        do {
            return try listener.read().compactMap { message in
                guard let packet = try NflogPacket(message) else { return nil }
                return Self.step(packet)
            }
        } catch let error as HostError {
            guard error.code == .limit else { throw error }
            return []
        } catch {
            throw HostError(.malformed, operation: Self.operation, message: "\(error)")
        }
    }

    /// `TRACE: filter:FORWARD:rule:1 `; also `policy:2` at the end of a chain and `return:3` at that of a user's.
    private static func step(_ packet: NflogPacket) -> ProbeFindings.LegacyStep? {
        let mark = "TRACE: "
        guard packet.prefix.hasPrefix(mark) else { return nil }
        let words = packet.prefix.dropFirst(mark.count).split(separator: ":").map(String.init)
        guard words.count >= 4 else { return nil }
        // The name of a chain may hold a colon.
        let chain = words[1..<words.count - 2].joined(separator: ":")
        let number = Int(words[words.count - 1].filter(\.isNumber))
        return ProbeFindings.LegacyStep(
            table: words[0], chain: chain, rule: words[words.count - 2] == "policy" ? nil : number,
            packet: ByteString(Array(packet.payload)))
    }
}
