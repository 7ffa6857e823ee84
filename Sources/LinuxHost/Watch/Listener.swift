internal import CLinux
internal import Glibc
package import HostAccess

/// A TCP socket that waits for connections. Source: socket(7), tcp(7).
package struct Listener: ~Copyable {
    private static let backlog: Int32 = 64
    private let descriptor: Descriptor

    /// - Parameter address: IPv4 or IPv6, in numbers.
    package init(address: String, port: Int) throws(HostError) {
        let operation = "listen on \(address.contains(":") ? "[\(address)]" : address):\(port)"
        var wanted = addrinfo()
        wanted.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE
        wanted.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(address, String(port), &wanted, &found) == 0, let first = found else {
            throw HostError(.malformed, operation: operation, message: "that is no address in numbers")
        }
        defer { freeaddrinfo(first) }
        let facts = first.pointee
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = try Descriptor(socket(facts.ai_family, type, 0).orErrno, operation: operation)
        var on: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        _ = setsockopt(descriptor.rawValue, SOL_SOCKET, SO_REUSEADDR, &on, size)
        guard bind(descriptor.rawValue, facts.ai_addr, facts.ai_addrlen) == 0,
            listen(descriptor.rawValue, Self.backlog) == 0
        else { throw HostError(errno: errno, operation: operation) }
        self.descriptor = descriptor
    }

    /// Gives the listening socket away: the caller closes it.
    package consuming func release() -> Int32 { descriptor.release() }
}
