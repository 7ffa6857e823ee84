internal import HostModel
internal import WireFormats

/// Rules, matches and targets of x_tables, for one packet (net/netfilter/xt_*.c, net/ipv4/netfilter/ipt_*.c).
extension PacketRun {
    func evaluateLegacy(_ rule: XtRule, _ index: Int, _ hook: NftHook) -> RuleEnd {
        func masked(_ address: IPv4Address, _ wanted: IPv4Address, _ mask: IPv4Address) -> Bool {
            address.value & mask.value == wanted.value
        }
        let (input, output) = (input(at: hook), output(at: hook))
        guard masked(state.source, rule.source, rule.sourceMask) != rule.inversions.contains(.source),
            masked(state.destination, rule.destination, rule.destinationMask)
                != rule.inversions.contains(.destination),
            rule.input.matches(input?.name ?? "") != rule.inversions.contains(.input),
            rule.output.matches(output?.name ?? "") != rule.inversions.contains(.output)
        else { return .next }
        if rule.transport != 0, (rule.transport == state.transport) == rule.inversions.contains(.transport) {
            return .next
        }
        if rule.fragment, state.packet.fragment == rule.inversions.contains(.fragment) { return .next }
        var pending: [(key: String, name: String)] = []
        for (position, match) in rule.matches.enumerated() {
            switch holds(XtMatch(match), hook) {
            case true?: continue
            case false?: return .next
            case nil: pending.append(("rule \(index) \(position)", "match \(match.name)"))
            }
        }
        func matches() -> Bool { pending.allSatisfy { ask($0.key, $0.name) } }
        switch rule.target {
        case .verdict(.continue): return .next
        case .target(let xt):
            let target = XtTarget(xt)
            if case .passes = target {
                noteHeader(xt, isCertain: pending.isEmpty, matches)
                return .next
            }
            guard matches() else { return .next }
            return apply(target, index, hook)
        case .verdict(let verdict):
            guard matches() else { return .next }
            return end(verdict, rule: index)
        }
    }

    func apply(_ target: XtTarget, _ rule: Int, _ hook: NftHook) -> RuleEnd {
        switch target {
        case .masquerade: return masquerade(rule)
        case .sourceNat(let range):
            translateSource(
                rule, range.map { Self.addresses($0) ?? [$0.lowerBound, $0.upperBound] } ?? [state.source])
            return .accept
        case .destinationNat(let range):
            translateDestination(
                rule, range.addresses.map { Self.addresses($0) ?? [$0.lowerBound, $0.upperBound] } ?? [],
                range.ports)
            return .accept
        case .redirect(let ports): return redirect(rule, ports, hook)
        case .netmap(let range):
            guard let range else { return .accept }
            let hostBits = range.lowerBound.value ^ range.upperBound.value
            func mapped(_ old: IPv4Address) -> IPv4Address {
                IPv4Address(value: old.value & hostBits | range.lowerBound.value & ~hostBits)
            }
            if hook == .prerouting || hook == .output {
                translateDestination(rule, [mapped(state.destination)], nil)
            } else {
                translateSource(rule, [mapped(state.source)])
            }
            return .accept
        case .notrack:
            if state.tracking == .unseen, !state.hasTemplate { state.tracking = .untracked }
            return .next
        case .template:
            if state.tracking == .unseen { state.hasTemplate = true }
            return .next
        case .reject: return .drop
        case .mark(let change):
            state.mark = state.mark.changed(keeping: ~change.mask, flipping: change.value)
            return .next
        case .connmark(let change):
            if state.tracking == .tracked { apply(change) }
            return .next
        case .tproxy(let change):
            // Without a socket for it the packet is dropped (xt_TPROXY.c).
            guard ask("rule \(rule) target", "target TPROXY") else { return .drop }
            state.isForSocket = true
            state.mark = state.mark.changed(keeping: ~change.mask, flipping: change.value)
            return .accept
        case .synproxy: return takeHandshake() ? .drop : .next
        case .ipset(let set):
            if set.marks { state.mark = PartialWord(value: 0, known: 0) }
            return .next
        case .passes: return .next
        case .other("MARK"), .other("HMARK"):
            state.mark = PartialWord(value: 0, known: 0)
            return .next
        case .other(let name):
            if ["NFQUEUE", "QUEUE"].contains(name) { return end(.queue, rule: rule) }
            switch choose(3, "rule \(rule) target", "target \(name)") {
            case 0: return .next
            case 1: return .accept
            default: return .drop
            }
        }
    }

    /// Whether `synproxy` takes the packet: TCP with SYN or ACK. It answers for the other end, and opens the connection there
    /// when the sender has shown that it is real, so that the packet itself is neither passed on nor lost.
    func takeHandshake() -> Bool {
        guard state.packet.protocol == .tcp, state.packet.tcpFlags & 0x12 != 0 else { return false }
        limit = "a rule answers it for the other end, and opens a connection there of its own (synproxy)"
        return true
    }

    private func apply(_ change: XtMarkChange) {
        func shifted(_ word: PartialWord) -> PartialWord {
            guard let shift = change.shift else { return word }
            let bits = UInt32(abs(Int(shift)))
            return shift > 0
                ? PartialWord(value: word.value << bits, known: word.known << bits | (1 << bits - 1))
                : PartialWord(value: word.value >> bits, known: word.known >> bits | ~(UInt32.max >> bits))
        }
        let (packet, connection) = (state.mark, state.connectionMark)
        switch change.mode {
        case .set:
            state.connectionMark = shifted(connection.changed(keeping: ~change.mask, flipping: change.value))
        case .save:
            let add = shifted(packet.changed(keeping: change.packetMask, flipping: 0))
            let old = connection.changed(keeping: ~change.mask, flipping: 0)
            state.connectionMark = PartialWord(value: old.value ^ add.value, known: old.known & add.known)
        case .restore:
            let add = shifted(connection.changed(keeping: change.mask, flipping: 0))
            let old = packet.changed(keeping: ~change.packetMask, flipping: 0)
            state.mark = PartialWord(value: old.value ^ add.value, known: old.known & add.known)
        }
    }
}
