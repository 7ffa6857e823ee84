package import HostModel

/// The leases that a bridge's dnsmasq has noted.
///
/// Shape: a line is expiry, hardware address, address, name, client id; leases of IPv6 follow a line that begins with
/// `duid`. Source: dnsmasq(8), --dhcp-leasefile.
package struct DHCPLeases: Hashable, Sendable {
    package struct Lease: Hashable, Sendable {
        /// Its line, from 1, and the text of that.
        package var line: Int
        package var text: String
        /// As dnsmasq writes it; with a type before it (`06-…`) where it is not Ethernet's.
        package var hardwareAddress: String
        package var address: IPv4Address
        /// `*` where the client gave none.
        package var name: String
    }

    /// A lease is a line of a hundred bytes: room for more than a /16 can hold.
    private static let maximumBytes = 16 << 20

    package let file: String
    package let leases: [Lease]

    init(file: String, bytes: [UInt8]) {
        self.file = file
        var leases: [Lease] = []
        for (index, line) in bytes.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated() {
            if line.starts(with: "duid".utf8) { break }
            let words = line.split(separator: 0x20).map { String(decoding: $0, as: UTF8.self) }
            guard words.count >= 4, let address = IPv4Address(words[2]) else { continue }
            leases.append(
                Lease(
                    line: index + 1, text: String(decoding: line, as: UTF8.self), hardwareAddress: words[1],
                    address: address, name: words[3]))
        }
        self.leases = leases
    }

    /// Reads a file; none where it does not exist.
    package init(file: String, on host: any Host) throws(HostError) {
        do {
            self.init(file: file, bytes: try host.read(file, limit: Self.maximumBytes))
        } catch {
            guard error.code == .notFound else { throw error }
            self.init(file: file, bytes: [])
        }
    }

    /// Reads those of a bridge: from the file that its dnsmasq was started with, or else from the one that lxc-net
    /// names. That stays when dnsmasq ends, and the containers keep their addresses for a while.
    package static func of(
        _ bridge: String, at address: IPv4Address? = nil, on host: any Host
    ) throws(HostError) -> DHCPLeases {
        if let file = try DnsmasqProcess.serving(bridge, at: address, on: host)?.server.leaseFile {
            return try DHCPLeases(file: file, on: host)
        }
        let file = "/var/lib/misc/dnsmasq.\(bridge).leases"
        // A name with a slash would lead elsewhere; the kernel allows none.
        return bridge.contains("/") ? DHCPLeases(file: file, bytes: []) : try DHCPLeases(file: file, on: host)
    }
}
