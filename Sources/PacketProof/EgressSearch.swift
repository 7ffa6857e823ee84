internal import HostAccess
internal import HostModel
internal import WireFormats

/// Finds the ways out beside that to the profile's target: a second default route, one of several next hops, a policy
/// rule. A more specific route (a VPN's) was made on purpose and is none.
struct EgressSearch {
    let host: any Host
    let network: ProofNetwork
    let bridge: Link
    let names: [Int: String]

    /// Public addresses spread over the space; in fence mode nothing is ever sent to them.
    private static let spread: [IPv4Address] = [
        0x0101_0101, 0x0808_0808, 0x2d21_2003, 0x5db8_d822, 0x8efa_8044, 0x9765_0140, 0xb9c7_6c99, 0xd043_dede,
    ].map(IPv4Address.init(value:))
    /// One in the space of each regional registry, and two of old times.
    private static let spreadOfIPv6: [IPv6Address] = [
        0x2001_4860_4860, 0x2400_cb00_2048, 0x2606_4700_4700, 0x2620_00fe_0000, 0x2804_0014_0000, 0x2a00_1450_4001,
        0x2c0f_f248_0000,
    ].map { IPv6Address(value: $0 << 80 | 1) }
    private static let most = 4

    func others(than first: ProofGround.Route?) throws(HostError) -> [ProofGround.OtherRoute] {
        guard let first else { return [] }
        // local, main and default are everybody's; IPv6 has no table `default`. A default route may be written in halves,
        // or as what is handed out of IPv6 (2000::/3).
        switch network.family {
        case .ipv4: return try others(than: first, Self.spread, shortest: 1, usualRules: 3)
        case .ipv6: return try others(than: first, Self.spreadOfIPv6, shortest: 3, usualRules: 2)
        }
    }

    private func others<Address: InternetAddress>(
        than first: ProofGround.Route, _ spread: [Address], shortest: Int, usualRules: Int
    ) throws(HostError) -> [ProofGround.OtherRoute] {
        let family = AddressFamily(network.family)
        let routes: [InternetRoute<Address>] = try host.routes(family)
        let rules: [InternetRule<Address>] = try host.policyRules(family)
        let defaults = routes.filter { $0.destination.length <= shortest && $0.kind == .unicast }
        let isPlain = defaults.flatMap(\.links).count <= 1 && rules.count <= usualRules
        guard !isPlain else { return [] }
        let named = rules.compactMap { rule -> IPAddress? in
            let prefix = rule.destination.flatMap { IPPrefix(address: IPAddress($0.address), length: $0.length) }
            return prefix.map {
                $0.length < network.family.width
                    ? IPAddress(network.family, number: $0.first.number &+ 1) : $0.address
            }
        }
        var known: Set<String> = [first.uplink]
        var found: [ProofGround.OtherRoute] = []
        for target in named + spread.map({ IPAddress($0) }) where Self.isPublic(target) {
            guard found.count < Self.most else { break }
            guard let route = lookup(target), !network.exempt.contains(where: { $0.contains(target) }),
                known.insert(route.uplink).inserted
            else { continue }
            found.append(ProofGround.OtherRoute(target: target, route: route))
        }
        return found
    }

    /// Nil where the table knows no way: the proof to the profile's target shows what that means.
    private func lookup(_ target: IPAddress) -> ProofGround.Route? {
        do {
            return try ProofGround.lookup(
                target, from: ProofGround.lookupSource(network), through: bridge, names, on: host)
        } catch {
            return nil
        }
    }

    /// RFC 6890: what is not meant for one's own use.
    private static func isPublic(_ address: IPAddress) -> Bool {
        guard case .v4(let address) = address else { return address.number >> 125 == 1 }
        let octets = address.octets
        switch (octets[0], octets[1]) {
        case (0, _), (10, _), (127, _), (100, 64...127), (169, 254), (172, 16...31), (192, 168), (224..., _):
            return false
        default: return true
        }
    }
}
