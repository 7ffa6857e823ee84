internal import HostAccess
internal import HostModel
internal import WireFormats

/// Finds the ways out beside that to the profile's target: a second default route, one of several next hops, a policy
/// rule. A more specific route (a VPN's) was made on purpose and is none.
struct EgressSearch {
    let host: any Host
    let network: Network
    let bridge: Link
    let names: [Int: String]

    /// Public addresses spread over the space; in fence mode nothing is ever sent to them.
    private static let spread: [UInt32] = [
        0x0101_0101, 0x0808_0808, 0x2d21_2003, 0x5db8_d822, 0x8efa_8044, 0x9765_0140, 0xb9c7_6c99, 0xd043_dede,
    ]
    private static let most = 4

    func others(than first: ProofGround.Route?) throws(HostError) -> [ProofGround.OtherRoute] {
        guard let first else { return [] }
        let routes: [Route]
        let rules: [RouteRule]
        do {
            routes = try Route.all(in: try host.query(.routes()))
            rules = try RouteRule.all(in: try host.query(.rules()))
        } catch let error as HostError {
            throw error
        } catch {
            throw HostError(.malformed, operation: "read the routing tables", message: "\(error)")
        }
        let defaults = routes.filter { $0.destination.length <= 1 && $0.kind == .unicast }
        // local, main and default are everybody's.
        let isPlain = defaults.flatMap(\.links).count <= 1 && rules.count <= 3
        guard !isPlain else { return [] }
        let named = rules.compactMap { rule in
            rule.destination.flatMap { $0.length < 32 ? IPv4Address(value: $0.first.value &+ 1) : $0.address }
        }
        var known: Set<String> = [first.uplink]
        var found: [ProofGround.OtherRoute] = []
        for target in named + Self.spread.map(IPv4Address.init(value:)) where Self.isPublic(target) {
            guard found.count < Self.most else { break }
            guard let route = lookup(target), !network.exempt.contains(where: { $0.contains(target) }),
                known.insert(route.uplink).inserted
            else { continue }
            found.append(ProofGround.OtherRoute(target: target, route: route))
        }
        return found
    }

    /// Nil where the table knows no way: the proof to the profile's target shows what that means.
    private func lookup(_ target: IPv4Address) -> ProofGround.Route? {
        do {
            return try ProofGround.lookup(
                target, from: ProofGround.lookupSource(network), through: bridge, names, on: host)
        } catch {
            return nil
        }
    }

    /// RFC 6890: what is not meant for one's own use.
    private static func isPublic(_ address: IPv4Address) -> Bool {
        let octets = address.octets
        switch (octets[0], octets[1]) {
        case (0, _), (10, _), (127, _), (100, 64...127), (169, 254), (172, 16...31), (192, 168), (224..., _): return false
        default: return true
        }
    }
}
