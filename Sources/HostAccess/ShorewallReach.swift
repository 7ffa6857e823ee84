package import HostModel

/// What a network must be able to do once shorewall has loaded its files.
package struct ShorewallReach: Codable, Sendable, Hashable {
    package var bridge: String
    package var network: IPv4Prefix
    /// The bridge's own, which containers ask for addresses and names.
    package var address: IPv4Address
    package var uplink: String
    /// Something outside.
    package var target: IPv4Address

    package init(bridge: String, address: IPv4Prefix, uplink: String, target: IPv4Address) {
        self.bridge = bridge
        network = address.network
        self.address = address.address
        self.uplink = uplink
        self.target = target
    }

    /// Why the network cannot, by the ruleset that `shorewall check -r` prints among other things; nil: it can.
    package func complaint(aboutOutput output: String) -> String? {
        let lines = output.split(separator: "\n", omittingEmptySubsequences: false)
        guard let start = lines.firstIndex(of: "*filter") else { return "the compiler printed no ruleset" }
        let end = lines[start...].firstIndex(of: "COMMIT") ?? lines.endIndex
        return complaint(about: IptablesListing(text: lines[start..<end].joined(separator: "\n")))
    }

    /// The same of a filter table.
    package func complaint(about filter: IptablesListing) -> String? {
        for (chain, packet) in packets {
            let what = "\(packet.transport.rawValue)\(packet.port > 0 ? " to port \(packet.port)" : "") in \(chain)"
            switch filter.fate(of: packet, in: chain) {
            case .accepted: continue
            case .dropped(let rule): return "\(what) would be dropped by `\(rule)`"
            case .undecided(let rule): return "what becomes of \(what) is not known: `\(rule)`"
            }
        }
        return nil
    }

    /// The first packets of what containers do: to the outside by each protocol, and to the host's DHCP and DNS.
    private var packets: [(chain: String, packet: NewPacket)] {
        let container = IPv4Address(value: network.last.value &- 1)
        let outside = [(NewPacket.Transport.udp, 443), (.tcp, 443), (.icmp, 0)].map { transport, port in
            (
                "FORWARD",
                NewPacket(
                    input: bridge, output: uplink, source: container, destination: target, transport: transport,
                    port: port)
            )
        }
        let inside = [(NewPacket.Transport.udp, 67), (.udp, 53), (.tcp, 53)].map { transport, port in
            (
                "INPUT",
                NewPacket(
                    input: bridge, source: container, destination: address, transport: transport, port: port)
            )
        }
        return outside + inside
    }
}
