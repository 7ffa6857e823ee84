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
        var ends = try ShellSession.established(host)
        if let session { ends += ShellSession.named(session) }
        let links = try host.links()
        var others: [LinkAddress<IPv6Address>] = []
        if ends.contains(where: { $0.local.v6 != nil }) {
            let messages = try host.query(.addresses(.ipv6))
            others = try HostError.decoding("read addresses") { () throws(WireError) in
                try LinkAddress.all(in: messages)
            }
        }
        for end in ends {
            switch end.local {
            case .v4(let local):
                if local.value >> 24 == 127 { continue }
                if let peer = end.peer.v4 { connections.peers.insert(peer) }
                for (link, addresses) in facts.state.addresses
                where addresses.contains(where: { $0.address.address == local }) {
                    connections.links.insert(link)
                }
            case .v6(let local):
                let indexes = others.filter { $0.address.address == local }.map(\.link)
                connections.links.formUnion(links.filter { indexes.contains($0.index) && $0.name != "lo" }.map(\.name))
            }
        }
        return connections
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
}
