package import HostAccess
package import HostModel
internal import WireFormats

/// Whether what the host sends to single containers comes to their interfaces: by the neighbour entries of the bridge, its
/// forwarding database and the states of its ports. Only what stays as it is counts: the kernel corrects what it has learnt.
package struct ContainerCables {
    package struct Fault: Hashable {
        /// `its port vethA is disabled`.
        package var words: String
        /// The command that takes it away.
        package var repair: String
        package var evidence: Evidence
    }

    private struct Place: Hashable {
        /// The index of the port.
        var port: Int
        /// Not to be passed on, but for the host itself.
        var isLocal: Bool
    }

    private static let noARP: UInt16 = 0x40
    private static let permanent: UInt16 = 0x80

    private let bridge: String
    private let ports: [Link]
    private let names: [Int: String]
    /// By addresses: those that somebody has set.
    private var neighbours: [IPv4Address: MACAddress] = [:]
    /// By hardware addresses: the same of the forwarding database.
    private var places: [MACAddress: [Place]] = [:]

    package init(of bridge: String, on host: any Host) throws(ObservationFailure) {
        self.bridge = bridge
        let state = NetworkState(host: host)
        let links = try state.links()
        let index = links.named(bridge)?.index
        ports = links.filter { $0.master == index }
        names = Dictionary(links.map { ($0.index, $0.name) }, uniquingKeysWith: { first, _ in first })
        for entry in try state.neighbours() where entry.link == index {
            guard entry.state & (Self.permanent | Self.noARP) != 0, let address = entry.address else { continue }
            neighbours[address] = entry.mac
        }
        do throws(HostError) {
            for entry in try host.neighbours(.bridge) where entry.master == index && entry.vlan == nil {
                guard entry.state & (Self.permanent | Self.noARP) != 0, let mac = entry.mac else { continue }
                places[mac, default: []].append(
                    Place(port: entry.link, isLocal: entry.state & Self.permanent != 0))
            }
        } catch {
            throw ObservationFailure(error)
        }
    }

    /// What keeps packets for an address from a container that has it.
    ///
    /// - Parameter owners: the hardware addresses of all that have the address.
    package func fault(of resident: Resident, at address: IPv4Address, owners: Set<MACAddress>) -> Fault? {
        // A port that hangs elsewhere is looked after elsewhere.
        guard let port = ports.named(resident.port) else { return nil }
        if let state = port.port?.state, state != .forwarding {
            return Fault(
                words: "its port \(port.name) is \(state)", repair: "bridge link set dev \(port.name) state 3",
                evidence: Evidence(
                    source: "rtnetlink RTM_GETLINK \(port.name), IFLA_BRPORT_STATE",
                    command: "bridge link show dev \(port.name)", value: "state \(state)"))
        }
        if let set = neighbours[address], !owners.contains(set) {
            return Fault(
                words: "its address is set to be at \(set)",
                repair: "ip neighbour del \(address) dev \(bridge)",
                evidence: Evidence(
                    source: "rtnetlink RTM_GETNEIGH \(address)",
                    command: "ip neighbour show \(address) dev \(bridge)",
                    value: "\(address) lladdr \(set), for good; \(resident.title) has "
                        + (resident.hardwareAddress?.description ?? "another")))
        }
        guard let mac = resident.hardwareAddress,
            let place = places[mac]?.first(where: { $0.isLocal || $0.port != port.index })
        else { return nil }
        let goal = place.isLocal ? "this host itself" : names[place.port] ?? "if\(place.port)"
        return Fault(
            words: "\(mac) is set to be at \(goal)",
            repair: "bridge fdb del \(mac) dev \(names[place.port] ?? "if\(place.port)") master",
            evidence: Evidence(
                source: "rtnetlink RTM_GETNEIGH, forwarding database of \(bridge)",
                command: "bridge fdb show br \(bridge) | grep -i \(mac)",
                value: "\(mac) at \(goal), for good; \(resident.title) is behind \(port.name)"))
    }
}
