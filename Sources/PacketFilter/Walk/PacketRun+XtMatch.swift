internal import HostModel
internal import WireFormats

/// Matches of x_tables. Nil: not known.
extension PacketRun {
    func holds(_ match: XtMatch, _ hook: NftHook) -> Bool? {
        switch match {
        case .comment: return true
        case .ports(let transport, let source, let destination, let flags):
            guard state.transport == transport, !state.packet.fragment,
                source.range.contains(state.sourcePort) != source.inverted,
                destination.range.contains(state.destinationPort) != destination.inverted
            else { return false }
            guard let flags else { return true }
            if flags.mask != 0, (state.packet.tcpFlags & flags.mask == flags.compare) == flags.inverted {
                return false
            }
            return flags.option == 0 ? true : nil
        case .icmp(let type, let codes, let inverted):
            guard state.packet.protocol == .icmp, !state.packet.fragment else { return false }
            let isMatch =
                type == 255
                || state.sourcePort == UInt16(type) && state.destinationPort < 256
                    && codes.contains(UInt8(truncatingIfNeeded: state.destinationPort))
            return isMatch != inverted
        case .multiport(let multiport):
            guard state.hasPorts else { return state.packet.protocol == .icmp ? false : nil }
            if state.packet.fragment { return false }
            func isListed(_ port: UInt16) -> Bool { multiport.ranges.contains { $0.contains(port) } }
            let isMatch: Bool
            switch multiport.side {
            case .source: isMatch = isListed(state.sourcePort)
            case .destination: isMatch = isListed(state.destinationPort)
            case .either: isMatch = isListed(state.sourcePort) || isListed(state.destinationPort)
            }
            return isMatch != multiport.inverted
        case .conntrack(let states, let inverted): return (UInt32(states) & xtState != 0) != inverted
        case .conntrackFields(let fields): return holds(fields)
        case .mark(let value, let mask, let inverted):
            return state.mark.equals(value, mask: mask).map { $0 != inverted }
        case .connmark(let value, let mask, let inverted):
            guard state.hasConnection else { return false }
            return state.seenConnectionMark.equals(value, mask: mask).map { $0 != inverted }
        case .addressType(let type): return holds(type, hook)
        case .physdev(let physdev): return holds(physdev, hook)
        case .addressRange(let range):
            if let source = range.source, source.contains(state.source) == range.sourceInverted { return false }
            if let wanted = range.destination, wanted.contains(state.destination) == range.destinationInverted {
                return false
            }
            return true
        // Where a policy exists nothing is said at all, so none applies.
        case .policy(let ipsec, _): return !ipsec
        case .reversePath(let flags): return holds(reversePath: flags)
        case .owner(let owner): return state.input == nil ? holds(owner) : owner.holdsWithoutSocket
        case .u32(let u32): return holds(u32)
        case .ipset(let match): return holds(match, hook)
        case .packetType(let type, let inverted): return packetType.map { (type == UInt32($0)) != inverted }
        case .length(let range, let inverted): return state.length.map { range.contains($0) != inverted }
        case .timeToLive(let range, let inverted): return state.timeToLive.map { range.contains($0) != inverted }
        case .service(let value, let mask, let inverted):
            let (bits, known) = bytes(.network, 1, 1)
            return known[0] & mask == mask ? (bits[0] & mask == value) != inverted : nil
        case .other: return nil
        }
    }

    /// `XT_CONNTRACK_STATE_*`: invalid 1, established 2, related 4, new 8, SNAT 64, DNAT 128, untracked 256.
    private var xtState: UInt32 {
        guard let bit = state.stateBit else { return state.tracking == .untracked ? 256 : 1 }
        let status = state.status.value
        return bit | (status & 0x10 != 0 ? 64 : 0) | (status & 0x20 != 0 ? 128 : 0)
    }

    private func holds(_ fields: XtConntrack) -> Bool? {
        func fails(_ condition: XtConntrack.Conditions, _ isTrue: Bool) -> Bool {
            fields.wanted.contains(condition) && isTrue == fields.inverted.contains(condition)
        }
        if fails(.state, UInt32(fields.states) & xtState != 0) { return false }
        guard state.tracking == .tracked else { return fields.wanted.contains(.state) }
        if fails(.direction, !state.isReply) { return false }
        // What the flow of an error looks like, the error does not say.
        if state.isError, !fields.wanted.subtracting([.state, .direction, .status, .isStateAlias]).isEmpty {
            return nil
        }
        let original = state.original
        let reply = state.currentReply
        let addresses = [original.source, original.destination, reply.source, reply.destination]
        let ports = [original.sourcePort, original.destinationPort, reply.sourcePort, reply.destinationPort]
        for index in 0..<4 where index < fields.addresses.count && index < fields.ports.count {
            let wanted = fields.addresses[index]
            if fails(
                XtConntrack.Conditions(rawValue: 1 << UInt16(2 + index)),
                (addresses[index].value ^ wanted.address.value) & wanted.mask.value == 0)
            {
                return false
            }
            let condition = XtConntrack.Conditions(rawValue: 1 << UInt16(8 + index))
            if fields.wanted.contains(condition), !state.hasPorts { return nil }
            if fails(condition, fields.ports[index].contains(ports[index])) { return false }
        }
        if fails(.transport, UInt16(state.transport) == fields.transport) { return false }
        if fields.wanted.contains(.expires) { return nil }
        if fields.wanted.contains(.status) {
            let status = state.status
            let wanted = UInt32(fields.status)
            let isSet = status.value & status.known & wanted != 0
            if !isSet, wanted & ~status.known != 0 { return nil }
            if fails(.status, isSet) { return false }
        }
        return true
    }

    private func holds(_ type: XtAddressType, _ hook: NftHook) -> Bool {
        var link: UInt32?
        if type.limitsInterface {
            link =
                hook == .prerouting || hook == .input || hook == .forward && type.limitsInput
                ? state.input?.index : state.output?.index
        }
        if type.source != 0 {
            let bit = UInt16(1) << UInt16(host.addressType(state.source, on: link))
            if (type.source & bit != 0) == type.sourceInverted { return false }
        }
        if type.destination != 0 {
            let bit = UInt16(1) << UInt16(host.addressType(state.destination, on: link))
            if (type.destination & bit != 0) == type.destinationInverted { return false }
        }
        return true
    }

    /// Of a socket of this host (xt_owner.c).
    private func holds(_ owner: XtOwner) -> Bool? {
        func fails(_ bit: UInt8, _ isTrue: Bool) -> Bool {
            owner.tests & bit != 0 && isTrue == (owner.inverted & bit != 0)
        }
        guard let user = state.packet.user, let group = state.packet.group else { return nil }
        if owner.tests & 4 != 0, owner.inverted & 4 != 0 { return false }
        if fails(1, owner.users.contains(user)) { return false }
        let isListed = owner.groups.contains(group)
        // The other groups of that user are not told.
        if owner.tests & 8 != 0, owner.tests & 2 != 0, !isListed { return nil }
        return !fails(2, isListed)
    }

    private func holds(_ physdev: XtPhysdev, _ hook: NftHook) -> Bool? {
        func wants(_ bit: UInt8) -> Bool { physdev.tests & bit != 0 }
        func inverts(_ bit: UInt8) -> Bool { physdev.inverted & bit != 0 }
        guard state.hasBridgeInfo else {
            // No bridge information: only what is inverted holds.
            return physdev.tests & ~physdev.inverted == 0
        }
        let hasOutput = state.outputIsBridged && (hook == .forward || hook == .postrouting)
        if wants(4), hasOutput == inverts(4) { return false }
        if wants(8), inverts(8) { return false }
        if wants(16), hasOutput == inverts(16) { return false }
        if wants(1) {
            guard let port = state.packet.inputPort else { return nil }
            if physdev.input.matches(port) == inverts(1) { return false }
        }
        if wants(2), hasOutput { return nil }
        return true
    }

    private func holds(reversePath flags: UInt8) -> Bool {
        let inverted = flags & 8 != 0
        guard let input = state.input, !input.isLoopback else { return !inverted }
        if state.asksWithoutAddress { return !inverted }
        let flow = HostForwarding.Flow(
            source: state.destination, destination: state.source, input: "lo",
            mark: flags & 2 != 0 ? state.mark.value : 0)
        guard let found = host.lookup(flow, ask: { ask($0, $0) }),
            found.kind == .unicast || found.kind == .local && flags & 4 != 0
        else { return inverted }
        return (found.uses(input.index) || flags & 1 != 0) != inverted
    }

    private func holds(_ u32: XtU32) -> Bool? {
        for test in u32.tests {
            var base = 0
            guard let first = test.steps.first, let start = number(base, first.number) else { return nil }
            var value = start
            for step in test.steps.dropFirst() {
                switch step.operation {
                case 0: value = value.changed(keeping: step.number, flipping: 0)
                case 1 where step.number < 32:
                    value = PartialWord(
                        value: value.value << step.number, known: value.known << step.number | (1 << step.number - 1))
                case 2 where step.number < 32:
                    value = PartialWord(
                        value: value.value >> step.number,
                        known: value.known >> step.number | ~(UInt32.max >> step.number))
                case 3:
                    guard value.known == .max, value.value < 4096 else { return nil }
                    base += Int(value.value)
                    guard base < 8192, let next = number(base, step.number) else { return nil }
                    value = next
                default: return nil
                }
            }
            guard value.known == .max else { return nil }
            if !test.ranges.contains(where: { $0.contains(value.value) }) { return u32.inverted }
        }
        return !u32.inverted
    }

    /// Four bytes at an offset from the beginning of the IP header, in network order.
    private func number(_ base: Int, _ offset: UInt32) -> PartialWord? {
        guard offset < 4096 else { return nil }
        let bytes = bytes(.network, base + Int(offset), 4)
        return PartialWord(
            value: bytes.value.reduce(0) { $0 << 8 | UInt32($1) }, known: bytes.known.reduce(0) { $0 << 8 | UInt32($1) }
        )
    }
}
