internal import CLinux
internal import Glibc
internal import HostAccess
internal import WireFormats

/// Puts the datagrams that answer one request together: parts of a dump, acknowledgements, errors.
///
/// Source: netlink(7); struct nlmsgerr and NLMSGERR_ATTR_MSG: linux/netlink.h.
struct NetlinkAnswer {
    let sequences: ClosedRange<UInt32>
    let port: UInt32
    let operation: String
    var acknowledgementsWanted: Int
    private(set) var messages = NetlinkMessages()
    private(set) var wasInterrupted = false
    private(set) var isComplete = false
    /// The kernel answered with an error, behind which nothing comes.
    private(set) var isRefused = false

    private let waitsForAcknowledgement: Bool
    private var acknowledgements = 0

    init(sequences: ClosedRange<UInt32>, port: UInt32, flags: UInt16, operation: String) {
        self.sequences = sequences
        self.port = port
        self.operation = operation
        waitsForAcknowledgement = flags & UInt16(NLM_F_ACK) != 0
        acknowledgementsWanted = 1
    }

    /// Takes one datagram: whole messages, each aligned to four bytes. It lies at `start` in the memory that `close`
    /// is given in the end.
    mutating func take(_ datagram: UnsafeRawBufferPointer, at start: Int) throws(HostError) {
        var offset = 0
        while datagram.count - offset >= NetlinkHeader.size {
            let length = Int(datagram.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            guard length >= NetlinkHeader.size, length <= datagram.count - offset else {
                throw HostError(.malformed, operation: operation, message: "a message is longer than its datagram")
            }
            try take(message: UnsafeRawBufferPointer(rebasing: datagram[offset..<offset + length]), at: start + offset)
            offset += NetlinkAttributes.align(length)
        }
    }

    /// Keeps the memory in which the datagrams since the last time lie.
    mutating func close(_ memory: [UInt8]) {
        messages.close(memory)
    }

    private mutating func take(message: UnsafeRawBufferPointer, at start: Int) throws(HostError) {
        let type = message.loadUnaligned(fromByteOffset: 4, as: UInt16.self)
        let flags = message.loadUnaligned(fromByteOffset: 6, as: UInt16.self)
        // An answer to an earlier request that was given up, or to another socket: not ours.
        guard sequences.contains(message.loadUnaligned(fromByteOffset: 8, as: UInt32.self)),
            message.loadUnaligned(fromByteOffset: 12, as: UInt32.self) == port
        else { return }
        if flags & UInt16(NLM_F_DUMP_INTR) != 0 { wasInterrupted = true }
        switch Int32(type) {
        case NLMSG_NOOP: return
        case NLMSG_ERROR:
            try takeError(message, flags)
            acknowledgements += 1
            if acknowledgements >= acknowledgementsWanted { isComplete = true }
        case NLMSG_DONE:
            if message.count >= NetlinkHeader.size + 4 { try takeError(message, flags, isDone: true) }
            isComplete = true
        case NLMSG_OVERRUN:
            throw HostError(.limit, operation: operation, message: "the kernel lost messages")
        default:
            messages.note(start..<start + message.count)
            if flags & UInt16(NLM_F_MULTI) == 0 && !waitsForAcknowledgement { isComplete = true }
        }
    }

    /// Throws the error of an NLMSG_ERROR or NLMSG_DONE message, with the kernel's own words where it gives some.
    private mutating func takeError(
        _ message: UnsafeRawBufferPointer, _ flags: UInt16, isDone: Bool = false
    ) throws(HostError) {
        guard message.count >= NetlinkHeader.size + 4 else {
            throw HostError(.malformed, operation: operation, message: "an error message without an error")
        }
        let error = message.loadUnaligned(fromByteOffset: NetlinkHeader.size, as: Int32.self)
        guard error < 0 else { return }
        isRefused = true
        let number = Self.number(ofError: error)
        var detail: String?
        if flags & UInt16(NLM_F_ACK_TLVS) != 0 {
            var start = NetlinkHeader.size + 4
            if !isDone {
                // The header of the request follows, and the whole request unless NLM_F_CAPPED says otherwise.
                guard message.count >= start + NetlinkHeader.size else {
                    throw HostError(errno: number, operation: operation)
                }
                let length = Int(message.loadUnaligned(fromByteOffset: start, as: UInt32.self))
                start += flags & UInt16(NLM_F_CAPPED) != 0 ? NetlinkHeader.size : NetlinkAttributes.align(length)
            }
            detail = extendedText(Array(message), from: start)
        }
        throw HostError(errno: number, operation: operation, detail: detail)
    }

    /// errno of the `error` of struct nlmsgerr, which is negative; 0 is the acknowledgement.
    static func number(ofError error: Int32) -> Int32 { error == .min ? EIO : abs(error) }

    /// The text is left out where it cannot be decoded: the error itself is what matters.
    private func extendedText(_ bytes: [UInt8], from start: Int) -> String? {
        guard start <= bytes.count else { return nil }
        let attributes = NetlinkAttributes(bytes, start..<bytes.count)
        do {
            guard let text = try attributes.first(UInt16(NLMSGERR_ATTR_MSG.rawValue)) else { return nil }
            return attributes.text(text)
        } catch {
            return nil
        }
    }
}
