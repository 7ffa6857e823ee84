internal import CLinux
internal import Glibc
package import HostAccess
internal import HostModel
package import WireFormats

/// A netlink socket on which the kernel tells multicast groups what has changed.
///
/// It belongs to the network namespace in which it was opened. Source: netlink(7).
package struct EventSocket: ~Copyable {
    package struct Events: Sendable {
        package var messages: [NetlinkMessage] = []
        /// The kernel could not queue something (ENOBUFS), or it cannot be read: anything may have changed.
        package var areIncomplete = false
    }

    /// The kernel's queue. Much more is a storm, after which everything is read again anyway.
    private static let queueBytes: Int32 = 1 << 20
    /// Datagrams of one call, so that a storm cannot keep the caller from everything else.
    private static let mostAtOnce = 256

    private let descriptor: Descriptor
    private let operation: String
    private var buffer: [UInt8]

    /// Throws `notPermitted` where a family tells only the privileged.
    package init(_ family: KernelQuery.Family, groups: [UInt32]) throws(HostError) {
        let operation = "listen to \(family.protocolName)"
        let descriptor = try Descriptor.netlinkListener(
            family.protocolNumber, queue: Self.queueBytes, type: Int32(SOCK_NONBLOCK.rawValue), operation)
        for group in groups { try descriptor.join(Int32(clamping: group), operation) }
        self.operation = operation
        self.descriptor = descriptor
        buffer = [UInt8](repeating: 0, count: 64 << 10)
    }

    /// The group of NETLINK_XFRM that tells of policies.
    package static let policyGroups: [UInt32] = [UInt32(XFRMNLGRP_POLICY.rawValue)]

    /// For poll(2).
    package var rawValue: Int32 { descriptor.rawValue }

    /// What waits, up to a bound; the rest comes with the next call.
    package mutating func read() throws(HostError) -> Events {
        var events = Events()
        for _ in 0..<Self.mostAtOnce {
            var address = sockaddr_nl()
            var length = socklen_t(MemoryLayout<sockaddr_nl>.size)
            let count = buffer.withUnsafeMutableBytes { bytes in
                withUnsafeMutablePointer(to: &address) { pointer in
                    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        recvfrom(
                            descriptor.rawValue, bytes.baseAddress, bytes.count, Int32(MSG_TRUNC), $0,
                            &length)
                    }
                }
            }
            if count < 0 {
                switch errno {
                case EINTR: continue
                case EAGAIN: return events
                case ENOBUFS: events.areIncomplete = true
                default: throw HostError(errno: errno, operation: operation)
                }
                continue
            }
            // Any process may send to a netlink socket; the kernel's own address is zero.
            guard address.nl_pid == 0 else { continue }
            guard count <= buffer.count else {
                events.areIncomplete = true
                continue
            }
            do {
                events.messages += try NetlinkMessage.split(Array(buffer.prefix(count)))
            } catch {
                events.areIncomplete = true
            }
        }
        return events
    }
}
