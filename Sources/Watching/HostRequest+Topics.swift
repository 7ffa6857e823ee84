package import HostAccess
internal import WireFormats

extension HostRequest {
    /// The parts of the host on which the answer depends. Empty for what does not change while the host runs.
    package var topics: Set<WatchTopic> {
        switch self {
        case .read(let path, let root, _), .status(let path, let root, _):
            Self.topics(of: HostPath(path, root: root))
        case .paragraph(let path, _, _): Self.topics(of: HostPath(path))
        case .list(let path, let root, _): Self.topics(of: HostPath(path, root: root, isListing: true))
        // Room on a file system changes all the time; it is looked at again with everything else.
        case .space: []
        case .netlink(let query): query.topics
        case .legacyTable: [.legacyTables]
        case .iptablesRules(let table): table.flavour == .nft ? [.nftables] : [.legacyTables]
        case .packetPrograms, .packetProgramsOf: [.links, .trafficControl]
        // What happens inside a container says nothing here; what it does to its port does.
        case .residents: [.links, .neighbours]
        case .programVersion(.lxcStart): [.file(HostPath("/usr/bin/lxc-start"))]
        // Other programs are asked for plans only: no check depends on them.
        case .programVersion, .identity: []
        }
    }

    private static func topics(of file: HostPath) -> Set<WatchTopic> {
        guard file.root == nil else { return [.file(file)] }
        let parts = file.path.split(separator: "/")
        switch parts.first {
        case "proc": return procTopics(of: file.path, parts)
        case "sys": return parts.starts(with: ["sys", "class", "net"]) ? [.links] : []
        default: return [.file(file)]
        }
    }

    private static func procTopics(of path: String, _ parts: [Substring]) -> Set<WatchTopic> {
        guard parts.count >= 2 else { return [] }
        if parts.starts(with: ["proc", "sys", "net", "bridge"]) { return [.bridgeSettings] }
        if parts.starts(with: ["proc", "sys", "net", "ipv4"]) {
            return [.file(HostPath(path)), .interfaceSettings]
        }
        if parts[1] == "sys" { return [.file(HostPath(path))] }
        if parts[1] == "modules" { return [.nftables, .links] }
        if parts[1] == "net" {
            switch parts.last {
            case "ip_tables_names", "ip6_tables_names": return [.legacyTables]
            case "dev": return [.links]
            case "udp", "tcp", "raw": return [.sockets]
            default: return []
            }
        }
        return Int(parts[1]).map { [.process($0)] } ?? []
    }
}

extension KernelQuery {
    /// NFNL_SUBSYS_IPSET of linux/netfilter/nfnetlink.h: the upper byte of a message's type.
    private static let ipsetSubsystem: UInt16 = 6

    fileprivate var topics: Set<WatchTopic> {
        switch family {
        case .netfilter:
            if let table = tableOfRules { return [.nftTable(table)] }
            return type >> 8 == Self.ipsetSubsystem ? [.ipsets] : [.nftables]
        case .xfrm: return [.ipsec]
        case .route: break
        }
        switch type {
        case RouteMessageType.getLink: return [.links]
        case RouteMessageType.getAddress: return [.addresses]
        // How one packet would be routed depends on all of it.
        case RouteMessageType.getRoute: return dump ? [.routes] : [.routes, .policyRules, .links, .addresses]
        case RouteMessageType.getRule: return [.policyRules]
        case RouteMessageType.getNeighbour: return [.neighbours]
        default: return [.trafficControl]
        }
    }
}
