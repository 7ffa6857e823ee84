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
        for part in try trafficFilters() + classFilters() {
            if part.isCut { found.append("more classes of tc than are looked at on \(links.name(part.link))") }
            if !part.filters.isEmpty { found.append("tc filter on \(links.name(part.link))") }
        }
        found += try programs(links)
        for bridge in links where bridge.kind == "bridge" {
            guard let master = links.first(where: { $0.index == bridge.master }), master.kind == "vrf" else { continue }
            // What comes in by the bridge then comes in by the VRF, as FORWARD and the rules behind it see it.
            found.append("the bridge \(bridge.name) is part of the VRF \(master.name)")
        }
        if try hasPolicies() { found.append("IPsec policies (xfrm)") }
        for table in try bridgeTables() { found.append("ebtables-legacy table \(table)") }
        return found
    }

    /// BPF programs of tcx, and those at hooks of netfilter that see what arrives in IPv4. In which network namespace the
    /// latter act the kernel does not say.
    private func programs(_ links: [Link]) throws(ObservationFailure) -> [String] {
        let programs: [String]
        do {
            programs = try host.packetPrograms(links: links.map(\.index))
        } catch {
            switch error.code {
            case .notPermitted: return ["BPF programs, which may not be asked for here"]
            // A recording from before this was asked.
            case .notRecorded, .unsupported: return []
            default: throw ObservationFailure(error)
            }
        }
        return programs.compactMap { program in
            let words = program.split(separator: " ")
            if words.count == 3, words[0] == "tcx", let link = Int(words[2]) {
                return "a BPF program of tcx \(words[1]) on \(links.name(link))"
            }
            guard words.count > 2, words[0] == "netfilter", words[1] == "ip", words[2] != "OUTPUT" else { return nil }
            return "a BPF program of \(program), here or in another network namespace"
        }
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

    /// The filters of clsact and ingress that throw packets away.
    func droppingFilters() throws(ObservationFailure) -> [TrafficControl] {
        try trafficFilters().flatMap(\.filters).filter(\.drops)
    }

    /// Filters of traffic control at one discipline of a link.
    private struct LinkFilters {
        var link: Int
        var filters: [TrafficControl] = []
        /// Whether there may be more of them.
        var isCut = false
    }

    /// The filters of clsact and ingress, which are there for what they do.
    private func trafficFilters() throws(ObservationFailure) -> [LinkFilters] {
        var found: [LinkFilters] = []
        for discipline in try trafficControl(.queueingDisciplines()) {
            guard ["clsact", "ingress"].contains(discipline.kind) else { continue }
            var part = LinkFilters(link: discipline.link)
            // Where those have their filters: TC_H_MIN_INGRESS, TC_H_MIN_EGRESS, the ingress root.
            for place in [TrafficControl.ingress, TrafficControl.ingress + 1, TrafficControl.ingressRoot]
            where part.filters.isEmpty {
                part.filters = try trafficControl(.trafficFilters(link: discipline.link, parent: place))
            }
            found.append(part)
        }
        return found
    }

    /// More classes with places for filters than these are not looked at.
    private static let mostClasses = 256

    /// The filters of other disciplines, such as htb and prio, that do more than choose a class. Those that the kernel itself
    /// puts on a link have no number, and so no place for filters. Of htb, hfsc and cbq each class has one, too.
    private func classFilters() throws(ObservationFailure) -> [LinkFilters] {
        var found: [LinkFilters] = []
        for discipline in try trafficControl(.queueingDisciplines()) {
            guard !["clsact", "ingress"].contains(discipline.kind), discipline.handle != 0 else { continue }
            var part = LinkFilters(link: discipline.link)
            var places = [discipline.handle]
            if ["htb", "hfsc", "cbq"].contains(discipline.kind) {
                let classes = try trafficControl(.trafficClasses(link: discipline.link)).map(\.handle)
                    .filter { $0 >> 16 == discipline.handle >> 16 && $0 != discipline.handle }
                part.isCut = classes.count > Self.mostClasses
                places += classes.prefix(Self.mostClasses)
            }
            for place in places {
                part.filters += try trafficControl(.trafficFilters(link: discipline.link, parent: place)).filter(\.acts)
            }
            found.append(part)
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

    /// The tables of ebtables-legacy, with rules of their own: those whose module is loaded; and those that the kernel has
    /// built in, where there is a program that puts rules into them. Whether they have any cannot be asked without making them.
    private func bridgeTables() throws(ObservationFailure) -> [String] {
        do throws(HostError) {
            let loaded = try host.readTextIfPresent("/proc/modules", limit: 1 << 20) ?? ""
            let names = Set(loaded.split(separator: "\n").map { $0.prefix { $0 != " " } })
            let builtIn = try modulesBuiltIn()
            let isBuiltIn = { (table: String) -> Bool in builtIn.contains("/ebtable_\(table).ko\n") }
            let tables = ["broute", "filter", "nat"]
            let canBeFilled = tables.contains(where: isBuiltIn) ? try hasLegacyProgram() : false
            return tables.compactMap { table in
                if names.contains("ebtable_\(table)") { return table }
                return canBeFilled && isBuiltIn(table) ? "\(table), which is built into the kernel" : nil
            }
        } catch {
            throw ObservationFailure(error)
        }
    }

    /// modules.builtin of the running kernel: a path on each line. Empty where there is none, as in an older recording.
    private func modulesBuiltIn() throws(HostError) -> String {
        do {
            let release = try host.identity().kernel
            return try host.readTextIfPresent("/lib/modules/\(release)/modules.builtin", limit: 1 << 20) ?? ""
        } catch {
            guard error.code == .notRecorded else { throw error }
            return ""
        }
    }

    /// Whether there is an ebtables of the older kind. Where nftables has the name, that is a link to its program.
    private func hasLegacyProgram() throws(HostError) -> Bool {
        for directory in ["/usr/sbin", "/sbin", "/usr/local/sbin"] {
            if try host.statusIfPresent("\(directory)/ebtables-legacy") != nil { return true }
            if try host.statusIfPresent("\(directory)/ebtables", followLinks: false)?.kind == .file { return true }
        }
        return false
    }
}
