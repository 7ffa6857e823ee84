internal import CLinux
internal import Glibc
package import HostAccess

/// The watch's end of the line to its page server.
package struct PageServerLine: ~Copyable {
    private let own: Descriptor
    /// For the child.
    package private(set) var childEnd: Int32

    package init() throws(HostError) {
        var ends: [Int32] = [-1, -1]
        let result = clinux_packet_pair(&ends)
        guard result == 0 else { throw HostError(errno: -result, operation: "socketpair") }
        own = Descriptor(owning: ends[0])
        childEnd = ends[1]
    }

    deinit {
        if childEnd >= 0 { close(childEnd) }
    }

    /// The child has its end.
    package mutating func closeChildEnd() {
        if childEnd >= 0 { close(childEnd) }
        childEnd = -1
    }

    /// Sends bodies; false where the server does not take them now.
    package func send(_ bodies: [[UInt8]]) throws(HostError) -> Bool {
        var files: [Int32] = []
        defer { for file in files { close(file) } }
        for body in bodies {
            let file = clinux_sealed_file(body, body.count)
            guard file >= 0 else { throw HostError(errno: -file, operation: "memfd_create") }
            files.append(file)
        }
        return clinux_send_files(own.rawValue, files, Int32(files.count)) == 0
    }
}
