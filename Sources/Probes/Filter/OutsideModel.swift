internal import HostAccess
internal import HostModel
internal import PacketFilter
internal import WireFormats

/// What acts on packets and is no part of the model of the ruleset: where there is any, nothing is proven.
struct OutsideModel {
    let host: any Host

    /// By name: `XDP on eth0`, `tc filter on lxcbr1`.
    func actors(_ links: [Link]) throws(ObservationFailure) -> [String] {
        var found: [String] = []
        for link in links where link.hasXDP { found.append("XDP on \(link.name)") }
        for filters in try trafficFilters() where !filters.filters.isEmpty {
            found.append("tc filter on \(links.name(filters.link))")
        }
        if try hasPolicies() { found.append("IPsec policies (xfrm)") }
        for table in try bridgeTables() { found.append("ebtables-legacy table \(table)") }
        return found
    }

    /// `netdev chain t c on up0`.
    static func deviceChains(_ ruleset: Ruleset) -> [String] {
        ruleset.deviceChains.map { index in
            let chain = ruleset.chains[index]
            let table = ruleset.tables[chain.table].name
            let devices = Set(chain.base?.devices ?? []).sorted().joined(separator: ", ")
            return "\(table.family.name) chain \(table.name) \(chain.name) on \(devices)"
        }
    }

    /// The filters of traffic control that throw packets away.
    func droppingFilters() throws(ObservationFailure) -> [TrafficControl] {
        try trafficFilters().flatMap(\.filters).filter(\.drops)
    }

    /// By link, the filters of every discipline that has a place for them: those of clsact and ingress.
    private func trafficFilters() throws(ObservationFailure) -> [(link: Int, filters: [TrafficControl])] {
        var found: [(link: Int, filters: [TrafficControl])] = []
        for discipline in try trafficControl(.queueingDisciplines()) {
            guard ["clsact", "ingress"].contains(discipline.kind) else { continue }
            // Where those have their filters: TC_H_MIN_INGRESS, TC_H_MIN_EGRESS, the ingress root.
            var filters: [TrafficControl] = []
            for place in [TrafficControl.ingress, TrafficControl.ingress + 1, TrafficControl.ingressRoot]
            where filters.isEmpty {
                filters = try trafficControl(.trafficFilters(link: discipline.link, parent: place))
            }
            found.append((discipline.link, filters))
        }
        return found
    }

    private func trafficControl(_ query: KernelQuery) throws(ObservationFailure) -> [TrafficControl] {
        guard let messages = try ask(query) else { return [] }
        do {
            return try TrafficControl.all(in: messages)
        } catch {
            throw .unknown("rtnetlink \(query.name): \(error)")
        }
    }

    private func hasPolicies() throws(ObservationFailure) -> Bool {
        guard let message = try ask(.policyInfo)?.first else { return false }
        do {
            return try PolicyInfo.count(message) > 0
        } catch {
            throw .unknown("xfrm XFRM_MSG_GETSPDINFO: \(error)")
        }
    }

    /// Nil where the kernel has nothing of the kind: not built in, or no such discipline.
    private func ask(_ query: KernelQuery) throws(ObservationFailure) -> [[UInt8]]? {
        do {
            return try host.query(query)
        } catch {
            switch error.code {
            case .unsupported, .notFound: return nil
            default:
                // EPROTONOSUPPORT, EOPNOTSUPP and EINVAL (22) for a kernel without the subsystem.
                if [22, 93, 95].contains(error.errno) { return nil }
                throw ObservationFailure(error)
            }
        }
    }

    /// The modules of ebtables-legacy: each one is a table with rules of its own.
    private func bridgeTables() throws(ObservationFailure) -> [String] {
        let modules: String
        do {
            modules = try host.readTextIfPresent("/proc/modules", limit: 1 << 20) ?? ""
        } catch {
            throw ObservationFailure(error)
        }
        let names = Set(modules.split(separator: "\n").map { $0.prefix { $0 != " " } })
        return ["broute", "filter", "nat"].filter { names.contains("ebtable_\($0)") }
    }
}
