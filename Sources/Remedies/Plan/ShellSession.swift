internal import ConfigFiles
internal import HostAccess
internal import HostModel

/// A connection by which somebody may be working on this host: one to sshd.
struct ShellSession {
    var local: IPAddress
    var peer: IPAddress

    /// `SSH_CONNECTION`: `CLIENT CLIENT-PORT SERVER SERVER-PORT` (ssh(1)).
    static func named(_ text: String) -> [ShellSession] {
        let words = text.split(separator: " ")
        guard words.count == 4, let peer = address(words[0]), let local = address(words[2]) else { return [] }
        return [ShellSession(local: local, peer: peer)]
    }

    /// The established connections to sshd's ports. sudo(8) keeps `SSH_CONNECTION` from us.
    static func established(_ host: any Host) throws(HostError) -> [ShellSession] {
        let ports = try ports(host)
        var sessions: [ShellSession] = []
        for file in ["/proc/net/tcp", "/proc/net/tcp6"] {
            guard let text = try host.readTextIfPresent(file) else { continue }
            sessions += text.split(separator: "\n").dropFirst().compactMap { session($0, ports) }
        }
        return sessions
    }

    /// A line of `/proc/net/tcp` or `tcp6`: local and remote address as the host writes each four bytes of network order
    /// as one number in hexadecimal, port, state (01 established). Source: proc_pid_net(5), get_tcp4_sock and
    /// get_tcp6_sock of the kernel.
    private static func session(_ line: Substring, _ ports: Set<Int>) -> ShellSession? {
        let words = line.split(separator: " ", omittingEmptySubsequences: true)
        guard words.count > 3, words[3] == "01" else { return nil }
        let local = words[1].split(separator: ":")
        let peer = words[2].split(separator: ":")
        guard local.count == 2, peer.count == 2, let port = Int(local[1], radix: 16), ports.contains(port),
            let own = address(digits: local[0]), let other = address(digits: peer[0])
        else { return nil }
        return ShellSession(local: own, peer: other)
    }

    private static func address(digits: Substring) -> IPAddress? {
        guard digits.utf8.count == 8 || digits.utf8.count == 32 else { return nil }
        var octets: [UInt8] = []
        var rest = digits
        while !rest.isEmpty {
            guard let number = UInt32(rest.prefix(8), radix: 16) else { return nil }
            octets += withUnsafeBytes(of: number) { Array($0) }
            rest = rest.dropFirst(8)
        }
        return octets.count == 4 ? IPAddress(octets: octets) : mapped(octets)
    }

    private static func address(_ text: Substring) -> IPAddress? {
        // `fe80::1%eth0`
        let text = String(text.prefix { $0 != "%" })
        if let address = IPv4Address(text) { return .v4(address) }
        return IPv6Address(text).flatMap { mapped($0.octets) }
    }

    /// A socket for both families has IPv4 as ::ffff:0:0/96 (RFC 4291 §2.5.5.2).
    private static func mapped(_ octets: [UInt8]) -> IPAddress? {
        if octets.prefix(12) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff] {
            return IPAddress(octets: octets.suffix(4))
        }
        return IPAddress(octets: octets)
    }

    // MARK: Ports

    private static let configuration = "/etc/ssh/sshd_config"
    private static let parts = "/etc/ssh/sshd_config.d"
    private static let socketParts = ["/etc/systemd/system/ssh.socket.d", "/etc/systemd/system/sshd.socket.d"]
    private static let mostParts = 64

    /// Where sshd listens: 22, and whatever its files and its socket's name. Source: sshd_config(5), systemd.socket(5).
    private static func ports(_ host: any Host) throws(HostError) -> Set<Int> {
        var ports: Set<Int> = [22]
        var files = [configuration]
        for directory in [parts] + socketParts {
            files += try host.listIfPresent(directory).sorted().prefix(mostParts).filter { $0.hasSuffix(".conf") }
                .map { "\(directory)/\($0)" }
        }
        for file in files {
            guard let text = try host.readTextIfPresent(file) else { continue }
            for line in text.split(separator: "\n") {
                let words = line.split { $0 == " " || $0 == "\t" || $0 == "=" }
                guard words.count >= 2, ["port", "listenaddress", "listenstream"].contains(words[0].lowercased())
                else { continue }
                // `Port 2222`, `ListenAddress 10.0.0.1:2222`, `ListenStream=[::]:2222`
                if let port = words[1].split(separator: ":").last.flatMap({ Int($0) }), (1...65_535).contains(port) {
                    ports.insert(port)
                }
            }
        }
        return ports
    }
}
