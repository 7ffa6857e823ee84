internal import HostAccess
internal import HostModel
internal import WireFormats

/// Finds what ended a probe's way, the most precise name first. Pure.
struct KillerSearch {
    let network: ProofNetwork
    let ground: ProofGround
    let autopsy: ProofAutopsy?
    let trail: ProbeTrail
    /// The trail of the same probe when it was sent again.
    let second: ProbeTrail?
    /// The identification that it had then.
    let identification: UInt16?
    /// Nothing was seen from inside netfilter: no station says where it died.
    var isBlind = false

    private var family: IPFamily { network.family }
    private var neighbourProtocol: String { family == .ipv4 ? "ARP" : "neighbour discovery" }
    private var neighbourCommand: String { family == .ipv4 ? "ip neigh" : "ip -6 neigh" }

    private var findings: ProbeFindings? { autopsy?.sightings?.findings }
    private var lossHook: String? { second?.lossHook ?? trail.lossHook }
    private var reachedBridge: Bool { trail.reachedBridge || second?.reachedBridge == true }

    /// The hook at which it died, in the words of a path.
    private var hook: String { lossHook ?? (reachedBridge ? "prerouting" : "bridge") }

    func killer() -> Killer? {
        if let kill = trail.kill ?? second?.kill { return named(kill) }
        return legacyRule() ?? reason() ?? routing() ?? uplink() ?? bracket()
    }

    /// The rule that gave the probe another destination.
    func diverter() -> Killer? {
        let tables = Set(
            autopsy?.baseChains.filter { $0.type == "nat" && $0.hook == "prerouting" }.map(\.table) ?? [])
        let passes = (autopsy?.sightings?.passes ?? []).filter { isOfProbe($0.packet) }
        // Translations are done by the last rule of a nat table that accepts at PREROUTING.
        if let pass = passes.first(where: { tables.contains("\($0.family) \($0.table)") }) {
            var killer = named(pass)
            killer.hook = "prerouting"
            killer.text = "\(pass.family) \(pass.table) \(pass.chain): rule with handle \(pass.handle ?? 0)"
            return killer
        }
        let steps = (findings?.legacySteps ?? []).filter { $0.table == "nat" && isOfProbe($0.packet) }
        guard let step = steps.prefix(while: { $0.chain != "INPUT" && $0.chain != "POSTROUTING" }).last,
            step.rule != nil
        else { return nil }
        return Killer(step, hook: "prerouting", family: family)
    }

    /// Whether these are headers of the probe as it was sent the second time.
    private func isOfProbe(_ bytes: ByteString) -> Bool {
        guard let order = autopsy?.order, let identification,
            let sent = order.packets.first(where: { IPPacket($0.bytes[...])?.identification == identification }),
            let mark = ProbeMark(packet: sent.bytes, nonce: order.nonce.bytes)
        else { return false }
        return IPPacket(bytes.bytes[...]).map(mark.matches) ?? false
    }

    private func named(_ kill: RuleKill) -> Killer {
        var place = hook
        if kill.family == "netdev" { place = lossHook == "uplink" ? "uplink" : "ingress" }
        if kill.family == "bridge", !reachedBridge { place = "bridge" }
        return Killer(kill, hook: place)
    }

    // MARK: iptables-legacy

    /// The last step of the probe in a legacy table, where that table stands where the probe was lost.
    private func legacyRule() -> Killer? {
        guard let hook = lossHook, let window,
            let step = findings?.legacySteps.last(where: { isOfProbe($0.packet) })
        else { return nil }
        let here = ProofAutopsy.kernelPriorities[hook, default: []].first { $0.table == step.table }
        guard let here, window.contains(here.priority) else { return nil }
        return Killer(step, hook: hook, family: family)
    }

    // MARK: The window between two stations

    /// From the last station's priority to below the next one's.
    private var window: Range<Int32>? {
        guard let hook = lossHook, let second, let brackets = autopsy?.order?.investigation?.brackets else {
            return nil
        }
        let here = brackets.filter { $0.hook == hook }.map(\.priority).sorted()
        guard !here.isEmpty, second.stations.contains("\(hook).first") else { return nil }
        let passed = here.last { second.stations.contains("\(hook).\($0)") } ?? .min
        let next = here.first { $0 > passed } ?? .max
        return passed..<next
    }

    private func bracket() -> Killer? {
        guard let hook = lossHook, let window else { return nil }
        var here = autopsy?.baseChains.filter { $0.hook == hook && window.contains($0.priority) }.map(\.name) ?? []
        for station in ProofAutopsy.kernelPriorities[hook, default: []] where window.contains(station.priority) {
            if let table = station.table {
                if ground.legacyTables.contains(table) { here.append("\(family.legacyProgram) \(table)") }
            } else {
                here.append(station.words)
            }
        }
        let counter = findings?.counters["conntrack.drop"] ?? 0
        if counter > 0, here.contains("conntrack") {
            return Killer(
                hook: hook, text: "conntrack refused it: its table is full (its drop counter grew by \(counter))")
        }
        let place = here.isEmpty ? "nothing that has a name" : here.joined(separator: ", ")
        let priority =
            window.lowerBound == .min ? "before priority \(window.upperBound)" : "priority \(window.lowerBound)"
        return Killer(hook: hook, text: "dropped in \(hook.uppercased()) at \(priority), where this stands: \(place)")
    }

    // MARK: The kernel's own reason

    private func reason() -> Killer? {
        guard let drop = findings?.drops.first(where: { $0.identification == identification }) else { return nil }
        switch drop.reason {
        // Said better by what stands around it.
        case "NOT_SPECIFIED", "IP_INADDRERRORS": return nil
        // IPv6 gives this reason for a route that refuses as well.
        case "IP_INNOROUTES" where autopsy?.refusals.isEmpty == false: return nil
        case "NETFILTER_DROP":
            guard lossHook == nil else { return nil }
            if isBlind, reachedBridge {
                return Killer(
                    hook: "netfilter",
                    text: "a rule of netfilter (iptables-save -c, nft list ruleset); which one this kernel cannot say")
            }
            return reachedBridge
                ? Killer(
                    hook: "ingress", text: "a filter at the ingress of \(network.bridge) (nft list ruleset netdev)")
                : Killer(hook: "bridge", text: "a filter of the bridge (nft list ruleset bridge; ebtables-legacy -L)")
        default:
            let (hook, words) = words(drop.reason)
            return Killer(hook: hook, text: "the kernel dropped it: \(words)")
        }
    }

    /// Source: include/net/dropreason-core.h.
    private func words(_ reason: String) -> (hook: String, text: String) {
        let uplink = ground.route?.uplink ?? "the uplink"
        switch reason {
        case "IP_RPFILTER": return ("routing", "reverse path filter\(reversePathFilter)")
        case "IP_LOCAL_SOURCE": return ("routing", "its source is an address of this host")
        case "IP_LOCALNET": return ("routing", "its source lies in 127.0.0.0/8")
        case "IP_INVALID_SOURCE": return ("routing", "its source is no address that a packet may come from")
        case "IP_INNOROUTES": return ("routing", "there is no route to \(network.target)")
        case "IPV6DISABLED":
            return ("bridge", "IPv6 is off on \(network.bridge) (net.ipv6.conf.\(network.bridge).disable_ipv6 = 1)")
        case "IP_OUTNOROUTES": return ("routing", "there is no route out to \(network.target)")
        case "PKT_TOO_BIG": return ("forward", "it is larger than the MTU of \(uplink)")
        case "IP_INHDR": return ("routing", "its time to live was over")
        case "TC_INGRESS":
            let place = reachedBridge ? network.bridge : autopsy?.sightings?.port ?? network.bridge
            return ("ingress", "traffic control (tc filter show dev \(place) ingress)")
        case "TC_EGRESS": return ("uplink", "traffic control (tc filter show dev \(uplink) egress)")
        case "QDISC_DROP": return ("uplink", "the queue of \(uplink) is full (tc -s qdisc show dev \(uplink))")
        case "NEIGH_FAILED", "NEIGH_QUEUEFULL", "NEIGH_CREATE_FAIL", "NEIGH_DEAD":
            return (
                "uplink",
                "nobody answers \(neighbourProtocol) for the gateway\(gateway) on \(uplink) "
                    + "(\(neighbourCommand) show dev \(uplink))"
            )
        case "BRIDGE_INGRESS_STP_STATE":
            return ("bridge", "the port does not forward (spanning tree: bridge link show master \(network.bridge))")
        case "XDP": return ("ingress", "an XDP program")
        case "CPU_BACKLOG": return (hook, "the backlog of a processor is full (net.core.netdev_max_backlog)")
        case "SOCKET_FILTER": return (hook, "a socket filter")
        case "DEV_READY": return (hook, "an interface on its way is down")
        default: return (hook, reason)
        }
    }

    private var gateway: String { ground.route?.gateway.map { " \($0)" } ?? "" }

    /// The larger of the two settings counts (ip-sysctl.rst).
    private var reversePathFilter: String {
        let all = "net.ipv4.conf.all.rp_filter"
        let own = "net.ipv4.conf.\(network.bridge).rp_filter"
        let values = [own, all].compactMap { key in autopsy?.sysctls[key].flatMap { Int($0) }.map { (key, $0) } }
        guard let highest = values.max(by: { $0.1 < $1.1 }), highest.1 > 0 else { return "" }
        let first = values.first { $0.1 > 0 } ?? highest
        return " (\(first.0) = \(first.1))"
    }

    // MARK: Routing

    /// What refuses it at the routing decision: an error of the table, a switch, a route made for that.
    private func routing() -> Killer? {
        guard lossHook == "routing" || isBlind && reachedBridge else { return nil }
        func off(_ key: String) -> Bool { autopsy?.sysctls[key] == "0" }
        let forwarding = ProofAutopsy.forwardingKeys(family, network.bridge)
        let marked = autopsy?.markedRouteError
        let refusals = autopsy?.refusals ?? []
        // What was said to the container tells a route that refuses from a switch that is off.
        let toldSo = trail.error ?? second?.error
        if toldSo == nil, let key = forwarding.first(where: off) {
            return Killer(hook: "routing", text: "forwarding is off (\(key) = 0)")
        }
        if let refusal = refusals.first(where: { matches($0, toldSo) }), ground.route == nil || marked != nil {
            let mark = marked != nil ? autopsy?.mark.map { " for its mark 0x\(String($0, radix: 16))" } ?? "" : ""
            return Killer(hook: "routing", text: "the routing table refuses it\(mark): \(refusal)")
        }
        if let marked, let mark = autopsy?.mark {
            return Killer(hook: "routing", text: "\(marked), for its mark 0x\(String(mark, radix: 16))")
        }
        if let key = forwarding.first(where: off) {
            return Killer(hook: "routing", text: "forwarding is off (\(key) = 0)")
        }
        return ground.route == nil ? ground.routeError.map { Killer(hook: "routing", text: $0) } : nil
    }

    /// Whether a route or rule that refuses can have said what the container was told; blackholes say nothing.
    private func matches(_ refusal: String, _ error: String?) -> Bool {
        guard let error else {
            // The kernel does not tell everybody: it limits how often it speaks.
            switch ground.routeError {
            case ProofGround.prohibited: return refusal.contains("prohibit")
            case ProofGround.unreachable: return refusal.contains("unreachable")
            default: return refusal.contains("blackhole")
            }
        }
        if error.hasPrefix("host unreachable") { return refusal.contains("unreachable") }
        if error.hasPrefix("administratively") { return refusal.contains("prohibit") }
        return refusal.contains("throw")
    }

    // MARK: Behind POSTROUTING

    private func uplink() -> Killer? {
        guard lossHook == "uplink" || isBlind && reachedBridge, let uplink = autopsy?.uplink else { return nil }
        let name = uplink.name
        if !uplink.isUp { return Killer(hook: "uplink", text: "\(name) is down (ip link show \(name))") }
        if uplink.carrier == false {
            return Killer(hook: "uplink", text: "\(name) has no carrier (ip link show \(name))")
        }
        if let neighbour = uplink.neighbour, ["INCOMPLETE", "FAILED"].contains(neighbour) {
            return Killer(
                hook: "uplink",
                text: "nobody answers \(neighbourProtocol) for the gateway\(gateway) on \(name) "
                    + "(\(neighbourCommand): \(neighbour))")
        }
        return nil
    }
}
