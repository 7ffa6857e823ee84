internal import Glibc
package import HostAccess

/// An open file descriptor, closed at the end of its life. Source: open(2), close(2).
package struct Descriptor: ~Copyable {
    package let rawValue: Int32

    /// Takes over a descriptor that is open and belongs to nobody else.
    package init(owning rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// Takes over the result of a shim: a descriptor, or `-errno`.
    package init(_ result: Int32, operation: @autoclosure () -> String) throws(HostError) {
        guard result >= 0 else { throw HostError(errno: -result, operation: operation()) }
        rawValue = result
    }

    deinit {
        _ = Glibc.close(rawValue)
    }

    /// Closes now and says so if that fails (a write that the file system could not complete).
    package consuming func close(operation: String) throws(HostError) {
        let result = Glibc.close(rawValue)
        let error = errno
        discard self
        // On Linux the descriptor is gone after EINTR as well.
        if result < 0, error != EINTR { throw HostError(errno: error, operation: operation) }
    }

    /// Gives the descriptor away: the caller closes it.
    package consuming func release() -> Int32 {
        let value = rawValue
        discard self
        return value
    }
}
