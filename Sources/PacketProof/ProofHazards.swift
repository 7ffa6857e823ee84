internal import HostAccess
internal import HostModel
internal import WireFormats

/// What could let a copy of a fenced probe leave the host, or make the host remember its address. Read before anything is sent.
///
/// Each hazard is a reason, for people, why fence mode cannot keep its promise here.
struct ProofHazards {
    let host: any Host
    /// Of the probes.
    let family: IPFamily
    let bridge: Link
    let links: [Link]

    /// The hazards of the bridge, which every probe of a throw-away container passes, and of the rules.
    func read() throws(HostError) -> RuleHazards {
        var found = RuleHazards(family: family)
        found.everywhere = try hazards(of: bridge) + idleBridge()
        try found.readRules(on: bridge.name, host)
        try found.readLegacyRules(host)
        return found
    }

    /// The hazards of the port of a real container, in addition to those of the bridge.
    func read(port: Link) throws(HostError) -> [String] {
        var found = RuleHazards(family: family)
        try found.readRules(on: port.name, host)
        return try hazards(of: port) + found.everywhere
    }

    // MARK: Programs and traffic control of one link

    private func hazards(of link: Link) throws(HostError) -> [String] {
        var found = link.hasXDP ? ["an XDP program on \(link.name) could send a probe elsewhere"] : []
        found += try programs(on: link)
        found += try trafficControl(on: link)
        return found
    }

    private func programs(on link: Link) throws(HostError) -> [String] {
        let programs: [String]
        do {
            programs = try host.packetPrograms(link: link.index)
        } catch {
            guard error.code == .notPermitted else { throw error }
            return ["which BPF programs see the packets of \(link.name) may not be asked here"]
        }
        return programs.compactMap { Self.words($0, on: link.name, family) }
    }

    /// A program as a hazard; nil where no probe meets it: probes do not leave by the link, and are of one family. The kernel
    /// does not say in which network namespace a program of netfilter acts.
    static func words(_ program: String, on link: String, _ family: IPFamily = .ipv4) -> String? {
        let words = program.split(separator: " ")
        guard words.first == "netfilter" else {
            return program == "tcx egress"
                ? nil : "a BPF program of \(program) on \(link) could send a probe elsewhere (bpftool net show)"
        }
        guard words.count > 2, words[1] == family.netfilterName, words[2] != "OUTPUT" else { return nil }
        return
            "a BPF program of \(program), here or in another network namespace, could remember the address of a probe "
            + "(bpftool link show)"
    }

    // MARK: The bridge

    /// A bridge without ports gets its carrier and hardware address from the proof's port and loses them again. A program that
    /// manages the bridge would react to that with a new configuration.
    private func idleBridge() throws(HostError) -> [String] {
        guard !links.contains(where: { $0.master == bridge.index }) else { return [] }
        let networkd = try host.readTextIfPresent("/run/systemd/netif/links/\(bridge.index)") ?? ""
        let manager = try host.readTextIfPresent("/run/NetworkManager/devices/\(bridge.index)") ?? ""
        var managers: [String] = []
        let isUnmanaged = networkd.contains("ADMIN_STATE=unmanaged")
        if !networkd.isEmpty, !isUnmanaged { managers.append("systemd-networkd") }
        if manager.contains("connection-uuid=") || manager.contains("managed=true") {
            managers.append("NetworkManager")
        }
        return managers.map {
            "\(bridge.name) has no ports and \($0) manages it: it would see carrier come and go"
        }
    }

    private func trafficControl(on link: Link) throws(HostError) -> [String] {
        let messages = try host.query(.queueingDisciplines())
        let disciplines = try HostError.decoding("RTM_GETQDISC") { () throws(WireError) in
            try TrafficControl.all(in: messages)
        }
        let kinds = disciplines.filter { $0.link == link.index }.map(\.kind)
        guard kinds.contains("clsact") || kinds.contains("ingress") else { return [] }
        let parent = kinds.contains("clsact") ? TrafficControl.ingress : TrafficControl.ingressRoot
        let answers = try host.query(.trafficFilters(link: link.index, parent: parent))
        let filters = try HostError.decoding("RTM_GETTFILTER") { () throws(WireError) in
            try TrafficControl.all(in: answers)
        }
        var found: [String] = []
        if filters.contains(where: \.mirrors) {
            found.append(
                "a tc filter on \(link.name) copies packets to another link (tc filter show dev \(link.name) ingress)"
            )
        }
        if filters.contains(where: \.tracks) {
            found.append("a tc filter on \(link.name) tracks connections: a probe would be remembered")
        }
        if filters.contains(where: \.runsProgram) {
            found.append("a BPF program of tc on \(link.name) could send a probe elsewhere")
        }
        return found
    }
}
