internal import ConfigFiles
internal import HostAccess
internal import HostModel
internal import WireFormats

/// How a container resolves names, told from its files: whom it asks, and why nobody would answer.
///
/// Source: resolv.conf(5), systemd-resolved.service(8), resolvconf(8).
struct GuestNames {
    private(set) var servers: [String] = []
    private(set) var problems: [String] = []
    private(set) var evidence: [Evidence] = []
    private static let file = "/etc/resolv.conf"

    init(_ guest: GuestSystem, _ config: LXCConfig) throws(ObservationFailure) {
        let place = guest.root + Self.file
        guard let status = try guest.status(Self.file, followLinks: false) else {
            // A DHCP client would write it.
            if config.devices.contains(where: { !$0.addresses.isEmpty }), try guest.status("/etc") != nil,
                config.devices.allSatisfy({ !$0.addresses.isEmpty }), try !Self.hasResolved(guest)
            {
                add("there is no resolv.conf, and no DHCP client to write one", Evidence(path: place, value: "absent"))
            }
            return
        }
        if status.kind == .link, let target = status.target {
            try judge(link: target, guest, Evidence(path: place, value: "-> \(target)"))
        }
        guard problems.isEmpty, let bytes = try guest.read(Self.file, limit: 1 << 16) else { return }
        for (number, line) in TextLines(bytes).numbered where servers.count < 8 {
            let words = line.blankSeparated
            guard words.count > 1, words[0] == "nameserver" else { continue }
            servers.append(words[1])
            let location = SourceLocation(file: place, line: number)
            try judge(server: words[1], guest, config, Evidence(location, pattern: "nameserver", value: line))
        }
        // One of several that answers is enough.
        if problems.count < servers.count {
            problems = []
            evidence = []
        }
    }

    private mutating func add(_ problem: String, _ piece: Evidence) {
        problems.append(problem)
        evidence.append(piece)
    }

    /// Below /run a link leads to nothing while the container is stopped: who would make the file must be there.
    private mutating func judge(
        link target: String, _ guest: GuestSystem, _ piece: Evidence
    ) throws(ObservationFailure) {
        if target.range(ofText: "systemd/resolve") != nil {
            guard try !Self.hasResolved(guest) else { return }
            add("resolv.conf is systemd-resolved's, which is not installed or masked", piece)
        } else if target.range(ofText: "resolvconf/") != nil {
            guard try !guest.hasAny(["/sbin/resolvconf", "/usr/sbin/resolvconf", "/usr/bin/resolvconf"]) else { return }
            add("resolv.conf is resolvconf's, which is not installed", piece)
        } else if target.range(ofText: "run/") == nil, try guest.status(Self.file) == nil {
            add("resolv.conf is a link to nothing", piece)
        }
    }

    private static func hasResolved(_ guest: GuestSystem) throws(ObservationFailure) -> Bool {
        guard try guest.hasAny(["/usr/lib/systemd/systemd-resolved", "/lib/systemd/systemd-resolved"]) else {
            return false
        }
        let unit = try guest.status("/etc/systemd/system/systemd-resolved.service", followLinks: false)
        return unit?.target != "/dev/null"
    }

    private mutating func judge(
        server: String, _ guest: GuestSystem, _ config: LXCConfig, _ piece: Evidence
    ) throws(ObservationFailure) {
        if server == "127.0.0.53" {
            guard try !Self.hasResolved(guest) else { return }
            add("127.0.0.53 is systemd-resolved's, which is not installed or masked", piece)
            return
        }
        guard let address = IPv4Address(server) else { return }
        let state = NetworkState(host: guest.reader.host)
        let links = try state.links()
        let bridges = config.devices.compactMap { $0.link.flatMap(links.named)?.index }
        // Somewhere else: not to be told from here.
        guard try state.addresses().contains(where: { bridges.contains($0.link) && $0.address.address == address })
        else { return }
        guard let table = try guest.reader.bytes("/proc/net/udp", limit: 16 << 20) else { return }
        let answers = DNSPortProbe.listeners(table, file: "/proc/net/udp", port: "0035").contains {
            $0.address == address || $0.address == IPv4Address(value: 0)
        }
        if !answers { add("nobody listens on port 53 of \(address)", piece) }
    }
}
