internal import HostAccess
package import HostModel
internal import WireFormats

/// The links and peers by which a person may be working on the host right now.
package struct Connections: Codable, Sendable, Hashable {
    /// Links that carry a default route, or the local address of a remote session.
    package var links: Set<String>
    /// The other ends of remote sessions.
    package var peers: Set<IPv4Address>

    package init(links: Set<String> = [], peers: Set<IPv4Address> = []) {
        self.links = links
        self.peers = peers
    }

    /// Whether a change may cut one of them off.
    ///
    /// The IPv4 forwarding switches may not: they speak of packets for others only. Neither may a table of ours that
    /// translates at postrouting.
    func mayBeCut(by change: Change) -> Bool {
        switch change {
        case .deleteBridge(let name): links.contains(name)
        case .setMaster(let link, _, _): links.contains(link)
        case .setLinkUp(let name, let up): !up && links.contains(name)
        case .removeAddress(let link, _): links.contains(link)
        case .addAddress(let link, let address):
            // The way back to the peer would lead into the new subnet.
            links.contains(link) || peers.contains { address.address.network.contains($0) }
        case .setSysctl(let key, _, _):
            links.contains { key.hasPrefix("net.ipv4.conf.\($0.replacing(".", with: "/")).") }
                && !key.hasSuffix(".forwarding")
        case .run(.lxcNetStart(let outcome)), .run(.lxcNetStop(let outcome)): links.contains(outcome.bridge)
        // Rules that are added accept or translate what is forwarded; the others are not removed but by whoever undoes.
        // What changes inside a container is the container's connection, not the operator's.
        case .containerAddress, .containerHardwareAddress, .restoreImage, .forgetFlows: false
        case .createBridge, .createTranslationTable, .deleteTranslationTable, .file, .symbolicLink, .addRule,
            .removeRule, .addNftRule, .removeNftRule, .run:
            false
        }
    }

    /// Default routes, `SSH_CONNECTION`, and established connections to port 22 (sudo keeps the variable from us).
    static func read(_ host: any Host, _ facts: PlanFacts, session: String?) throws(HostError) -> Connections {
        var connections = Connections(links: try defaultLinks(host))
        var ends = try established(host)
        if let session { ends += self.ends(ofSession: session) }
        for end in ends where end.local.value >> 24 != 127 {
            connections.peers.insert(end.peer)
            for (link, addresses) in facts.state.addresses
            where addresses.contains(where: { $0.address.address == end.local }) {
                connections.links.insert(link)
            }
        }
        return connections
    }

    private struct End {
        var local: IPv4Address
        var peer: IPv4Address
    }

    private static func defaultLinks(_ host: any Host) throws(HostError) -> Set<String> {
        let routes = try host.query(.routes())
        let links = try host.query(.links())
        do throws(WireError) {
            let indexes = Set(
                try Route.all(in: routes).filter { $0.destination.length == 0 && $0.kind == .unicast }
                    .flatMap(\.links))
            return Set(try Link.all(in: links).filter { indexes.contains($0.index) }.map(\.name))
        } catch {
            throw HostError(.malformed, operation: "read routes", message: error.description)
        }
    }

    /// `CLIENT CLIENT-PORT SERVER SERVER-PORT` (ssh(1)).
    private static func ends(ofSession text: String) -> [End] {
        let words = text.split(separator: " ")
        guard words.count == 4, let peer = IPv4Address(String(words[0])), let local = IPv4Address(String(words[2]))
        else { return [] }
        return [End(local: local, peer: peer)]
    }

    /// `/proc/net/tcp`: local and remote address as the host writes the four bytes of network order as one number in
    /// hexadecimal, port, state (01 established). Source: proc_pid_net(5), get_tcp4_sock of the kernel.
    private static func established(_ host: any Host) throws(HostError) -> [End] {
        guard let text = try host.readTextIfPresent("/proc/net/tcp") else { return [] }
        return text.split(separator: "\n").dropFirst().compactMap { line in
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            guard words.count > 3, words[3] == "01" else { return nil }
            let local = words[1].split(separator: ":")
            let peer = words[2].split(separator: ":")
            guard local.count == 2, peer.count == 2, local[1] == "0016", let own = address(local[0]),
                let other = address(peer[0])
            else { return nil }
            return End(local: own, peer: other)
        }
    }

    private static func address(_ digits: Substring) -> IPv4Address? {
        UInt32(digits, radix: 16).map { IPv4Address(value: UInt32(bigEndian: $0)) }
    }
}
