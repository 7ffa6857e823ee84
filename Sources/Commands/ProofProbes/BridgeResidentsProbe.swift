internal import HostAccess
internal import HostModel
internal import PacketProof
internal import Probes

/// What was seen inside the running containers of a network when the proof was made.
struct BridgeResidentsProbe: Probe {
    static let specification = ProbeSpecification(
        name: "bridge-residents",
        summary: "routes, gateways, addresses and hardware addresses of the running containers of a network",
        parameters: ["network": .string],
        facts: [
            "count": .integer, "residents": .strings, "noRoute": .strings, "wrongGateway": .strings,
            "wrongSubnet": .strings, "duplicateMacs": .strings, "duplicateAddresses": .strings,
            "gatewayAnswers": .strings, "unknownPorts": .strings, "down": .strings,
            "tooLarge": .strings, "noAddress": .strings, "withoutARP": .strings,
            "gatewayAsked": .boolean, "reason": .string,
        ])

    var specification: ProbeSpecification { Self.specification }

    /// Nil where the proof is off.
    let transcripts: [ProofTranscript]?

    func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let name = try parameters.string("network")
        guard let transcripts else { throw .proofIsOff }
        guard let transcript = transcripts.first(where: { $0.network.name == name && $0.family != .ipv6 }) else {
            throw .notApplicable("nothing is to be translated on \(name)")
        }
        let obstacle = transcript.ground?.obstacle(to: transcript.subject, mode: transcript.mode)
        guard let all = transcript.residents else {
            throw .unknown(
                transcript.residentsFailure ?? obstacle ?? transcript.failure ?? "nobody looked into the containers")
        }
        let residents = all.residents
        guard !residents.isEmpty || all.gatewayAnswers?.isEmpty == false else {
            throw .notApplicable("no container runs on \(name)")
        }
        let network = transcript.network
        // Routes go with the interface: one that is down has lost them.
        let routeless = residents.filter { $0.isUp && !$0.addresses.isEmpty && !$0.hasDefaultRoute }
        // Who has a way out has its address elsewhere: on a bridge of its own, or a VLAN.
        let unaddressed = residents.filter { $0.isUp && $0.addresses.isEmpty && !$0.hasDefaultRoute }
        let withoutARP = residents.filter { $0.isWithoutARP == true }
        let astray = residents.filter { resident in
            !resident.gateways.isEmpty && !resident.gateways.contains(network.address.address)
        }
        let foreign = residents.flatMap { resident in
            Self.foreignAddresses(of: resident, in: network).map { "\(resident.title): \($0)" }
        }
        return Observation(
            facts: [
                "count": .integer(residents.count), "residents": .strings(residents.map(Self.line)),
                "noRoute": .strings(routeless.map(\.title)),
                "wrongGateway": .strings(
                    astray.map { "\($0.title): \($0.gateways.map(\.description).joined(separator: ", "))" }),
                "wrongSubnet": .strings(foreign),
                "duplicateMacs": .strings(
                    Self.shared(residents.map { ($0.title, [$0.hardwareAddress?.description].compactMap { $0 }) })),
                "duplicateAddresses": .strings(
                    Self.shared(residents.map { ($0.title, $0.addresses.map(\.address.description)) })),
                "gatewayAnswers": .strings((all.gatewayAnswers ?? []).map { Self.owner($0, among: residents) }),
                "unknownPorts": .strings(all.unknownPorts),
                "down": .strings(residents.filter { !$0.isUp }.map { "\($0.title): \($0.interface)" }),
                "tooLarge": .strings(residents.compactMap(Self.tooLarge)),
                "noAddress": .strings(unaddressed.map(\.title)),
                "withoutARP": .strings(withoutARP.map { "\($0.title): \($0.interface)" }),
                // Where nothing may be sent, nobody was asked who has the gateway's address.
                "gatewayAsked": .boolean(transcript.order != nil || all.gatewayAnswers != nil),
                "reason": .string(obstacle ?? transcript.failure ?? ""),
            ],
            evidence: Self.evidence(
                all,
                odd: routeless + astray + unaddressed + withoutARP
                    + residents.filter {
                        !$0.isUp || !Self.foreignAddresses(of: $0, in: network).isEmpty || Self.tooLarge($0) != nil
                    },
                bridge: network.bridge))
    }

    /// Evidence that is shown for single containers; nobody reads more of it.
    private static let mostLines = 8

    /// Evidence in this order: who answers for the gateway, each container with which something is wrong, and all others in
    /// one line.
    private static func evidence(_ all: BridgeResidents, odd: [Resident], bridge: String) -> [Evidence] {
        let residents = all.residents
        let shared = repeated(residents.compactMap(\.hardwareAddress))
        let twins = repeated(residents.flatMap(\.addresses).map(\.address))
        let culprits = residents.filter { resident in
            odd.contains(resident) || resident.hardwareAddress.map(shared.contains) == true
                || resident.addresses.contains { twins.contains($0.address) }
                || resident.hardwareAddress.map { all.gatewayAnswers?.contains($0) == true } == true
        }
        let answers = (all.gatewayAnswers ?? []).map { owner in
            let port = residents.first { $0.hardwareAddress == owner }.map { ", behind port \($0.port)" } ?? ""
            return Evidence(
                source: "ARP on \(bridge)", command: "bridge fdb show br \(bridge) | grep -i \(owner)",
                value: "\(Self.owner(owner, among: residents)) answers for the gateway's address\(port)")
        }
        let lines = culprits.prefix(mostLines).map { resident in
            Evidence(
                source: "namespace of \(resident.title)",
                command: resident.name.map { "lxc-attach -n \($0) -- ip address" }
                    ?? "nsenter --net=\(resident.namespace) ip address",
                value: line(resident))
        }
        let others = residents.filter { !culprits.prefix(mostLines).contains($0) }
        guard !others.isEmpty else { return answers + lines }
        let rest = Evidence(
            source: "namespaces of the containers at \(bridge)", command: "ip link show master \(bridge)",
            value: (culprits.isEmpty ? "" : "\(others.count) more: ")
                + others.map(culprits.isEmpty ? line : { $0.title }).joined(separator: "; "))
        return answers + lines + [rest]
    }

    private static func foreignAddresses(of resident: Resident, in network: Network) -> [IPv4Prefix] {
        let length = network.address.length
        let isAtHome = resident.addresses.contains { network.cidr.contains($0.address) && $0.length == length }
        return resident.addresses.filter { address in
            guard network.cidr.contains(address.address) else { return true }
            // One more beside the right one, for a service: nobody routes by it.
            return address.length != length && !(isAtHome && address.length > length)
        }
    }

    private static func line(_ resident: Resident) -> String {
        let held = resident.addresses.map(\.description).joined(separator: " ")
        let addresses = held.isEmpty ? "without an IPv4 address" : held
        let gateways = resident.gateways.map(\.description).joined(separator: " ")
        return "\(resident.title) \(resident.interface) \(addresses) via \(gateways.isEmpty ? "nothing" : gateways) "
            + "\(resident.hardwareAddress?.description ?? "") port \(resident.port)\(resident.isUp ? "" : ", down")"
            + (resident.isWithoutARP == true ? ", NOARP" : "")
            + (tooLarge(resident) == nil ? "" : ", mtu \(resident.mtu ?? 0) over \(resident.portMTU ?? 0)")
    }

    /// An interface whose MTU is larger than that of the other end of its veth, which silently drops longer packets.
    private static func tooLarge(_ resident: Resident) -> String? {
        guard let inside = resident.mtu, let outside = resident.portMTU, inside > outside else { return nil }
        return "\(resident.title): \(resident.interface) \(inside), \(resident.port) \(outside)"
    }

    private static func repeated<Value: Hashable>(_ values: [Value]) -> Set<Value> {
        Set(Dictionary(grouping: values) { $0 }.filter { $0.value.count > 1 }.keys)
    }

    /// Values that more than one has: `10.5.0.9: c1, c2`.
    private static func shared(_ owned: [(String, [String])]) -> [String] {
        var owners: [String: [String]] = [:]
        for (title, values) in owned {
            for value in values { owners[value, default: []].append(title) }
        }
        return owners.filter { $0.value.count > 1 }.map { "\($0.key): \($0.value.joined(separator: ", "))" }.sorted()
    }

    private static func owner(_ address: MACAddress, among residents: [Resident]) -> String {
        let owner = residents.first { $0.hardwareAddress == address }
        return owner.map { "\(address) (\($0.title))" } ?? address.description
    }
}
