internal import HostModel

/// What a person looks at where a packet was lost and nobody knows why: commands that change nothing.
enum NextLook {
    /// Nothing where it was not lost. `bridge`: nil where it is not known.
    static func commands(_ probe: ProofProbe, bridge: String?) -> [String] {
        guard probe.verdict == .dropped || probe.delivery == .failed else { return [] }
        let (from, to) = (address(probe.from), address(probe.to))
        let port = probe.path.last { $0.hook == "port" }?.link
        let uplink = probe.uplink ?? probe.path.last { $0.hook == "uplink" }?.link
        let ports = bridge.map { "bridge -d link show master \($0)" }
        let filters = bridge.map { "tc -s filter show dev \($0) ingress" }
        let found: [String?]
        switch probe.killer?.hook ?? probe.path.last(where: \.reached)?.hook {
        case "container":
            found = [bridge.map { "ip neigh show dev \($0)" }, "nft list ruleset arp", ports]
        case "port":
            found = [
                port.map { "tc -s filter show dev \($0) ingress" }, port.map { "ip -d -s link show dev \($0)" }, ports,
            ]
        case "bridge", "ingress":
            found = ["nft list ruleset bridge", filters, ports]
        case "routing":
            found = [
                bridge.map { "ip route get \(to) from \(from) iif \($0)" }, "ip rule", "ip xfrm policy",
                "nstat -az IpInAddrErrors IpInHdrErrors IpOutNoRoutes TcpExtIPReversePathFilter", "nft -a list ruleset",
            ]
        case "uplink", "postrouting":
            found = [
                uplink.map { "ip neigh show dev \($0)" }, uplink.map { "tc -s qdisc show dev \($0)" },
                uplink.map { "tc -s filter show dev \($0) egress" }, "ip xfrm policy",
            ]
        default:
            found = [
                "nft -a list ruleset", "iptables-save -c", "nstat -az IpInDiscards IpOutDiscards", "ip xfrm policy",
            ]
        }
        return found.compactMap { $0 }
    }

    /// Without a port.
    private static func address(_ endpoint: String) -> String {
        IPAddress.text(ofEndpoint: endpoint)
    }
}
