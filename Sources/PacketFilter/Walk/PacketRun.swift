internal import HostModel
internal import WireFormats

/// One way of one packet through the host, with every choice made.
final class PacketRun {
    enum End {
        case goesOn
        case stopped
    }

    let walk: PacketWalk
    let choices: WalkChoices
    var state: WalkState
    var path: [PathStep] = []
    var killer: Killer?
    /// Why the run was given up.
    var limit: String? { didSet { limitRule = rule } }
    /// The rule that was being read then.
    private(set) var limitRule: Int?
    var steps = 0
    /// The rule that is being read.
    var rule: Int?
    private(set) var isLocal = false
    private var routedMark: UInt32?
    private var arrives = false

    var ruleset: Ruleset { walk.ruleset }
    var host: HostForwarding { walk.host }

    init(_ walk: PacketWalk, _ packet: SamplePacket, _ choices: WalkChoices) {
        self.walk = walk
        self.choices = choices
        state = WalkState(packet)
        if packet.connectionState == .untracked { state.tracking = .untracked }
    }

    func ask(_ key: String, _ name: String) -> Bool { choose(2, key, name) == 0 }

    /// One of `0..<count`, by what the rule that is being read asks, where one is.
    func choose(_ count: Int, _ key: String, _ name: String) -> Int {
        // What is by chance has its place behind its name, so that two of them are not one.
        let plain = name.firstRange(of: " of rule ").map { String(name[..<$0.lowerBound]) } ?? name
        return choices.choose(count, key: key, Doubt(plain, rule: rule))
    }

    var result: WalkResult {
        guard arrives, killer == nil else {
            return WalkResult(verdict: .dropped, routedMark: routedMark, killer: killer, path: path)
        }
        return WalkResult(
            verdict: .accepted, sourceAfter: state.sourceChoices == nil ? state.source : nil,
            sourceChoices: state.sourceChoices, destinationAfter: state.destination,
            uplink: isLocal ? nil : state.output?.name, isLocal: isLocal, routedMark: routedMark,
            translatedBy: state.translator.map(ruleset.rulePlace), path: path)
    }

    // MARK: The way

    func run() {
        if state.packet.inputInterface == nil {
            sendOwn()
            return
        }
        guard let name = state.packet.inputInterface, let link = host.link(name) else {
            limit = "no link is named \(state.packet.inputInterface ?? "")"
            return
        }
        state.input = link
        path.append(PathStep(hook: link.kind == "bridge" ? "bridge" : "port", link: name, reached: true))
        guard ingress(link) == .goesOn else { return }
        if link.kind == "bridge" {
            enterBridge(link)
        } else {
            guard hook(.prerouting) == .goesOn else { return }
            route(from: link)
        }
    }

    /// br_netfilter shows the packet to the IP hooks from inside the bridge's prerouting, at NF_BR_PRI_BRNF (0). What
    /// then leads to another address of the same bridge is carried on by the bridge (br_nf_pre_routing_finish).
    private func enterBridge(_ link: HostForwarding.Interface) {
        var stays = staysOnBridge(link)
        guard bridge(.prerouting, through: 0) == .goesOn else { return }
        if host.bridgeNetfilter(of: link) {
            state.hasBridgeInfo = true
            state.outputIsBridged = stays
            let before = state.destination
            guard hook(.prerouting) == .goesOn else { return }
            if state.destination != before {
                guard let decision = routeInput(link) else { return }
                if case .forward(let output, let nextHop) = decision, output.index == link.index {
                    stays = true
                    state.nextHop = nextHop
                } else {
                    stays = false
                }
            }
        }
        guard bridge(.prerouting, after: 0) == .goesOn else { return }
        state.outputIsBridged = stays
        if stays {
            crossBridge(link)
            return
        }
        guard bridge(.input) == .goesOn, ingressBehind(link) == .goesOn else { return }
        // A socket that a rule found while the packet was still on the bridge is let go where the IP layer takes it over
        // (skb_orphan in ip_rcv_core).
        state.isForSocket = false
        if !host.bridgeNetfilter(of: link), hook(.prerouting) != .goesOn { return }
        route(from: link)
    }

    /// Whether the bridge itself carries the packet on, from port to port.
    private func staysOnBridge(_ link: HostForwarding.Interface) -> Bool {
        guard !host.isOwn(state.destination) else { return false }
        return link.addresses.contains { own in
            own.address.contains(state.source) && own.address.contains(state.destination)
                && state.destination != own.address.last
        }
    }

    private func crossBridge(_ link: HostForwarding.Interface) {
        guard state.destination != state.packet.source else {
            drop(hook: "bridge", "it would leave by the port of \(link.name) that it came in by")
            return
        }
        state.output = link
        // br_nf_forward_ip stands at NF_BR_PRI_BRNF - 1.
        guard bridge(.forward, through: -1) == .goesOn else { return }
        if host.bridgeNetfilter(of: link), hook(.forward) != .goesOn { return }
        guard bridge(.forward, after: -1) == .goesOn, bridge(.postrouting) == .goesOn else { return }
        if host.bridgeNetfilter(of: link), hook(.postrouting) != .goesOn { return }
        guard egress(link, isBridged: true) == .goesOn else { return }
        arrive()
    }

    private func route(from link: HostForwarding.Interface) {
        let decision = routeInput(link)
        routedMark = state.mark.value
        guard let decision else { return }
        switch decision {
        case .local:
            path.append(PathStep(hook: "routing", link: "lo", reached: true))
            isLocal = true
            guard !state.packet.fragment else {
                limit = "the host puts a fragment together with the others before it looks at it further"
                return
            }
            if hook(.input) == .goesOn { arrives = true }
        case .forward(let output, let nextHop):
            path.append(PathStep(hook: "routing", link: output.name, reached: true))
            guard isForwarded() else { return }
            state.output = output
            state.nextHop = nextHop
            guard hook(.forward) == .goesOn else { return }
            leave()
        }
    }

    private func leave() {
        guard hook(.postrouting) == .goesOn else { return }
        if state.output?.kind == "bridge" {
            guard bridge(.output) == .goesOn, bridge(.postrouting) == .goesOn else { return }
        }
        if let output = state.output, egress(output) == .stopped { return }
        arrive()
    }

    private func sendOwn() {
        guard routeOutput() else { return }
        let destination = state.destination
        guard hook(.output) == .goesOn else { return }
        if state.destination != destination || state.needsRoute {
            guard routeOutput() else { return }
        }
        path.append(PathStep(hook: "routing", link: state.output?.name, reached: true))
        if let loopback = state.output, loopback.isLoopback {
            comeBack(by: loopback)
        } else {
            leave()
        }
    }

    /// To the host itself: out by lo and in again. Conntrack and translation know the flow by then.
    private func comeBack(by loopback: HostForwarding.Interface) {
        guard hook(.postrouting) == .goesOn else { return }
        state.isLooped = true
        state.input = loopback
        state.output = nil
        isLocal = true
        guard hook(.prerouting) == .goesOn, hook(.input) == .goesOn else { return }
        arrives = true
    }

    private func arrive() {
        arrives = true
        path.append(PathStep(hook: "uplink", link: state.output?.name, reached: true))
    }

    // MARK: Ends

    func drop(hook: String, _ text: String) {
        killer = Killer(hook: hook, text: text)
    }

    /// Both flavours of iptables have chains of the same names: of the older one the text says so.
    private func policyText(_ chain: Int, _ table: Ruleset.Table) -> String {
        ruleset.policyText(ofChain: chain) + (table.backend == .iptablesLegacy ? " (iptables-legacy)" : "")
    }

    /// By a rule, or, without one, by the policy of the chain.
    func drop(hook: String, chain: Int, rule: Int?) {
        let table = ruleset.tables[ruleset.chains[chain].table]
        let named = rule.map { ruleset.rules[$0].chain } ?? chain
        killer = Killer(
            hook: hook, family: table.name.family.name, table: table.name.name, chain: ruleset.chains[named].name,
            rule: rule.flatMap { ruleset.position(ofRule: $0) }, handle: rule.flatMap { ruleset.handle(ofRule: $0) },
            backend: table.backend.rawValue,
            text: rule.map { ruleset.text(ofRule: $0) } ?? policyText(chain, table))
    }
}
