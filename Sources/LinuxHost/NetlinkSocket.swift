internal import CLinux
internal import Glibc
package import HostAccess
internal import HostModel
package import WireFormats

/// A netlink socket to the kernel, kept open for many requests.
///
/// It belongs to the network namespace in which it was opened, whatever namespace the caller is in later.
/// Source: netlink(7); NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK: linux/netlink.h.
package struct NetlinkSocket: ~Copyable {
    /// What may come back to one request.
    package struct Bounds: Sendable {
        package var milliseconds = 5_000
        package var bytes = 128 << 20
        /// How often a dump is asked again because its subject changed meanwhile (NLM_F_DUMP_INTR).
        package var tries = 5
        package init() {}
    }

    package let family: KernelQuery.Family
    package var bounds = Bounds()
    /// The address that the kernel gave this socket (`nl_pid`).
    package let port: UInt32
    /// An answer was given up before its end: the rest of it would meet the next request. Close the socket.
    package private(set) var isSpoiled = false
    private let descriptor: Descriptor
    /// For what is short; what is longer goes on in chunks of its own.
    private let buffer: UnsafeMutableRawBufferPointer
    /// The longest datagram that is received whole, in bytes. The kernel puts a dump into datagrams of up to 32 KiB
    /// where that much is asked for, and walks all its rules up to the next one for each.
    private static let longestDatagram = 256 << 10
    /// Only the pages that the kernel fills are ever touched.
    private static let chunkSize = 16 << 20
    private var sequence: UInt32 = 0

    /// Opens a socket in the network namespace of a descriptor (`/proc/PID/ns/net`), or in the caller's own.
    package init(_ family: KernelQuery.Family, namespace: Int32? = nil) throws(HostError) {
        let operation = "open a \(family.protocolName) socket"
        let result = clinux_socket_in_netns(
            namespace ?? -1, AF_NETLINK, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue),
            family.protocolNumber)
        let descriptor = try Descriptor(result, operation: operation)
        var address = sockaddr_nl()
        address.nl_family = sa_family_t(AF_NETLINK)
        var length = socklen_t(MemoryLayout<sockaddr_nl>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor.rawValue, generic, length) == 0
                    && getsockname(descriptor.rawValue, generic, &length) == 0
            }
        }
        guard bound else { throw HostError(errno: errno, operation: operation) }
        // Each of these is a convenience: an older kernel without it still answers.
        descriptor.set(SOL_SOCKET, SO_RCVBUF, 1 << 20)
        descriptor.set(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        descriptor.set(SOL_NETLINK, NETLINK_CAP_ACK, 1)
        if family == .route { descriptor.set(SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1) }
        self.family = family
        self.port = address.nl_pid
        self.descriptor = descriptor
        buffer = .allocate(byteCount: 2 * Self.longestDatagram, alignment: 16)
    }

    deinit {
        buffer.deallocate()
    }

    /// Asks a query and returns its messages, without NLMSG_DONE.
    package mutating func messages(_ query: KernelQuery) throws(HostError) -> NetlinkMessages {
        let flags = UInt16(NLM_F_REQUEST) | (query.dump ? UInt16(NLM_F_ROOT | NLM_F_MATCH) : 0)
        return try messages(
            type: query.type, flags: flags, payload: query.payload.bytes,
            operation: "\(family.protocolName) \(query.name)")
    }

    /// The same, one by one.
    package mutating func request(_ query: KernelQuery) throws(HostError) -> [[UInt8]] {
        try messages(query).map(Array.init)
    }

    /// As `messages`, one by one.
    package mutating func request(
        type: UInt16, flags: UInt16, payload: [UInt8], operation: String
    ) throws(HostError) -> [[UInt8]] {
        try messages(type: type, flags: flags, payload: payload, operation: operation).map(Array.init)
    }

    /// Sends one message and returns what the kernel answers.
    ///
    /// With NLM_F_ACK the answer ends with the acknowledgement; of a dump, with NLMSG_DONE; otherwise it is one
    /// message. Throws what the kernel answered as error, `limit` after the deadline, above the byte bound, or where
    /// a dump was interrupted too often.
    package mutating func messages(
        type: UInt16, flags: UInt16, payload: [UInt8], operation: String
    ) throws(HostError) -> NetlinkMessages {
        let deadline = Deadline(milliseconds: bounds.milliseconds)
        for _ in 0..<max(1, bounds.tries) {
            sequence &+= 1
            let message = NetlinkMessage(
                type: type, flags: flags | UInt16(NLM_F_REQUEST), sequence: sequence, payload: payload)
            try send(message.bytes, operation: operation)
            var answer = NetlinkAnswer(
                sequences: sequence...sequence, port: port, flags: flags, operation: operation)
            try receiveAll(of: &answer, deadline)
            if !answer.wasInterrupted { return answer.messages }
        }
        throw HostError(
            .limit, operation: operation, message: "it kept changing while it was read, \(bounds.tries) times")
    }

    /// Sends a change and waits for its acknowledgement.
    package mutating func change(
        type: UInt16, flags: UInt16 = 0, payload: [UInt8], operation: String
    ) throws(HostError) {
        _ = try messages(type: type, flags: flags | UInt16(NLM_F_ACK), payload: payload, operation: operation)
    }

    /// Sends an nf_tables transaction and waits until the kernel has made all of it. The first error wins, and then
    /// none of it was made.
    package mutating func commit(_ transaction: NftTransaction, operation: String) throws(HostError) {
        guard !transaction.overflowed, transaction.messageCount > 0 else {
            throw HostError(.malformed, operation: operation, message: "the transaction is empty or too long")
        }
        let deadline = Deadline(milliseconds: bounds.milliseconds)
        // BEGIN, the changes, END.
        let first = sequence &+ 1
        sequence = first &+ UInt32(clamping: transaction.messageCount + 1)
        guard first < sequence else {
            throw HostError(.limit, operation: operation, message: "sequence numbers are used up")
        }
        try send(transaction.encoded(firstSequence: first), operation: operation)
        var answer = NetlinkAnswer(
            sequences: first...sequence, port: port, flags: UInt16(NLM_F_ACK), operation: operation)
        answer.acknowledgementsWanted = transaction.messageCount
        do {
            try receiveAll(of: &answer, deadline)
        } catch {
            drain()
            throw error
        }
    }

    /// Reads until the answer is complete or an error ends it.
    private mutating func receiveAll(of answer: inout NetlinkAnswer, _ deadline: Deadline) throws(HostError) {
        var total = 0
        // Unless an answer ends as it should: the rest of it would come before the next one.
        isSpoiled = true
        do throws(HostError) {
            let filled = try receive(into: buffer, &answer, &total, deadline)
            answer.close(Array(buffer[..<filled]))
            while !answer.isComplete {
                var failure: HostError?
                let chunk = [UInt8](unsafeUninitializedCapacity: Self.chunkSize) { memory, count in
                    let memory = UnsafeMutableRawBufferPointer(memory)
                    Self.wantLargePages(memory)
                    do throws(HostError) {
                        count = try receive(into: memory, &answer, &total, deadline)
                    } catch {
                        failure = error
                    }
                }
                if let failure { throw failure }
                answer.close(chunk)
            }
        } catch {
            // An error that the kernel answered ends the answer.
            isSpoiled = !answer.isRefused
            throw error
        }
        isSpoiled = false
    }

    /// One page fault for 2 MiB instead of one for 4 KiB, where the kernel has such pages: madvise(2), MADV_HUGEPAGE.
    private static func wantLargePages(_ memory: UnsafeMutableRawBufferPointer) {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        guard page > 0, let base = memory.baseAddress else { return }
        let start = base.alignedUp(toMultipleOf: page)
        _ = madvise(start, max(0, base + memory.count - start) & ~(page - 1), MADV_HUGEPAGE)
    }

    /// Reads one datagram behind the other until the answer is complete or the memory has no room for one more. Gives
    /// the bytes that are filled.
    private borrowing func receive(
        into memory: UnsafeMutableRawBufferPointer, _ answer: inout NetlinkAnswer, _ total: inout Int,
        _ deadline: Deadline
    ) throws(HostError) -> Int {
        var filled = 0
        while !answer.isComplete, memory.count - filled >= Self.longestDatagram {
            let room = UnsafeMutableRawBufferPointer(rebasing: memory[filled..<filled + Self.longestDatagram])
            let count = try receive(room, deadline, operation: answer.operation)
            total += count
            guard total <= bounds.bytes else {
                throw HostError(
                    .limit, operation: answer.operation, message: "the answer is longer than \(bounds.bytes) bytes")
            }
            try answer.take(UnsafeRawBufferPointer(rebasing: room[..<count]), at: filled)
            filled += NetlinkAttributes.align(count)
        }
        return filled
    }

    /// Throws away what is left of an answer, so that it does not meet the next request.
    private func drain() {
        for _ in 0..<64 where recv(descriptor.rawValue, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT)) < 0 {
            return
        }
    }

    private func send(_ bytes: [UInt8], operation: String) throws(HostError) {
        var address = sockaddr_nl()
        address.nl_family = sa_family_t(AF_NETLINK)
        var sent = -1
        repeat {
            sent = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                    sendto(
                        descriptor.rawValue, bytes, bytes.count, Int32(MSG_NOSIGNAL), generic,
                        socklen_t(MemoryLayout<sockaddr_nl>.size))
                }
            }
        } while sent < 0 && errno == EINTR
        guard sent == bytes.count else { throw HostError(errno: sent < 0 ? errno : EMSGSIZE, operation: operation) }
    }

    /// Reads one datagram of the kernel.
    private borrowing func receive(
        _ buffer: UnsafeMutableRawBufferPointer, _ deadline: Deadline, operation: String
    ) throws(HostError) -> Int {
        while true {
            var waiting = pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
            let ready = poll(&waiting, 1, deadline.milliseconds)
            if ready < 0 && errno == EINTR { continue }
            guard ready >= 0 else { throw HostError(errno: errno, operation: operation) }
            guard ready > 0 else { throw HostError(errno: ETIMEDOUT, operation: operation) }
            var address = sockaddr_nl()
            var vector = iovec(iov_base: buffer.baseAddress, iov_len: buffer.count)
            var flags: Int32 = 0
            let count = withUnsafeMutablePointer(to: &address) { name in
                withUnsafeMutablePointer(to: &vector) { parts in
                    var header = msghdr()
                    header.msg_name = UnsafeMutableRawPointer(name)
                    header.msg_namelen = socklen_t(MemoryLayout<sockaddr_nl>.size)
                    header.msg_iov = parts
                    header.msg_iovlen = 1
                    let count = recvmsg(descriptor.rawValue, &header, Int32(MSG_DONTWAIT))
                    flags = header.msg_flags
                    return count
                }
            }
            if count < 0 {
                if errno == EINTR || errno == EAGAIN { continue }
                throw HostError(errno: errno, operation: operation)
            }
            // Any process may send to a netlink socket; the kernel's own address is zero.
            guard address.nl_pid == 0 else { continue }
            guard flags & Int32(MSG_TRUNC) == 0 else {
                throw HostError(.limit, operation: operation, message: "one message is longer than 256 KiB")
            }
            return count
        }
    }
}

extension KernelQuery.Family {
    var protocolNumber: Int32 {
        switch self {
        case .route: NETLINK_ROUTE
        case .netfilter: NETLINK_NETFILTER
        case .xfrm: NETLINK_XFRM
        }
    }

    /// As messages and evidence name it.
    package var protocolName: String {
        switch self {
        case .route: "rtnetlink"
        case .netfilter: "nfnetlink"
        case .xfrm: "xfrm"
        }
    }
}
