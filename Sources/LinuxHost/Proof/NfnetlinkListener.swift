internal import CLinux
internal import Glibc
package import HostAccess
internal import HostModel
package import WireFormats

/// A netfilter socket for messages that the kernel sends unasked: packets of an NFLOG group, events of a multicast group.
///
/// Source: netlink(7), linux/netfilter/nfnetlink.h.
package struct NfnetlinkListener: ~Copyable {
    private let descriptor: Descriptor
    private let operation: String

    package init(operation: String) throws(HostError) {
        self.operation = operation
        // A large queue, because other programs may trace at the same time.
        descriptor = try Descriptor.netlinkListener(NETLINK_NETFILTER, queue: 2 << 20, operation)
    }

    /// For poll(2).
    var rawValue: Int32 { descriptor.rawValue }

    /// Joins a multicast group.
    package func join(_ group: Int32) throws(HostError) {
        try descriptor.join(group, operation)
    }

    /// Asks for something and waits for the kernel's answer: zero or an errno.
    package func ask(type: UInt16, sequence: UInt32, payload: [UInt8]) throws(HostError) -> Int32 {
        let message = NetlinkMessage(
            type: type, flags: UInt16(NLM_F_REQUEST | NLM_F_ACK), sequence: sequence, payload: payload)
        guard send(descriptor.rawValue, message.bytes, message.bytes.count, 0) == message.bytes.count else {
            throw HostError(errno: errno, operation: operation)
        }
        let deadline = Deadline(milliseconds: 1000)
        while try deadline.waitForInput(on: descriptor.rawValue, operation) {
            for answer in try read() where answer.header.sequence == sequence {
                guard Int32(answer.header.type) == NLMSG_ERROR,
                    let error: Int32 = answer.bytes.hostInteger(at: NetlinkHeader.size)
                else { continue }
                return NetlinkAnswer.number(ofError: error)
            }
        }
        throw HostError(errno: ETIMEDOUT, operation: operation)
    }

    /// Every message that waits.
    package func read() throws(HostError) -> [NetlinkMessage] {
        var messages: [NetlinkMessage] = []
        var buffer = [UInt8](repeating: 0, count: 32 << 10)
        // Bounded, because other programs may trace at the same time.
        for _ in 0..<1000 {
            let count = recv(descriptor.rawValue, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count < 0, errno == ENOBUFS {
                throw HostError(.limit, operation: operation, message: "the kernel lost messages")
            }
            guard count > 0 else { break }
            do {
                messages += try NetlinkMessage.split(Array(buffer.prefix(count)))
            } catch {
                throw HostError(.malformed, operation: operation, message: "\(error)")
            }
        }
        return messages
    }
}
