internal import HostModel
internal import WireFormats

/// Reads rules and matches of x_tables over sets of packets.
struct XtRuleReader {
    let ruleset: Ruleset
    let context: PacketContext

    /// A rule of iptables-legacy.
    func branches(of rule: XtRule, within box: PacketBox, isLenient: Bool = false) -> [RuleBranch] {
        var builder = BranchBuilder(within: box, isLenient: isLenient)
        address(.source, rule.source, rule.sourceMask, rule.inversions.contains(.source), &builder)
        address(.destination, rule.destination, rule.destinationMask, rule.inversions.contains(.destination), &builder)
        if !context.ignoresInput {
            interface(rule.input, context.input, rule.inversions.contains(.input), &builder)
        }
        if !context.ignoresOutput {
            interface(rule.output, context.output, rule.inversions.contains(.output), &builder)
        }
        if rule.transport != 0 {
            let number = UInt32(rule.transport)
            builder.require(.transport, IntervalSet(number...number), inverted: rule.inversions.contains(.transport))
        }
        if rule.fragment {
            builder.require(.fragment, IntervalSet(1), inverted: rule.inversions.contains(.fragment))
        }
        for match in rule.matches {
            if builder.isNever { return [] }
            require(XtMatch(match), &builder)
        }
        let action: RuleBranch.Action
        switch rule.target {
        case .verdict(let verdict): action = Self.action(verdict)
        case .target(let xt):
            let target = XtTarget(xt)
            if case .tproxy(let change) = target { return proxied(change, builder) }
            if target == .synproxy { builder.requireHandshake(true) }
            if let effect = Self.effect(target) { builder.add(effect) }
            action = Self.action(target)
        }
        if action == .next && builder.effects.isEmpty { return [] }
        return builder.branch(action).map { [$0] } ?? []
    }

    static func effect(_ target: XtTarget) -> RuleEffect? {
        switch target {
        case .notrack: .notrack
        case .mark(let change): .mark(keeping: ~change.mask, flipping: change.value)
        case .connmark(let change): .copy(change)
        // A revision that is not known: to any mark.
        case .other("MARK"), .other("HMARK"): .markOneOf(.all)
        case .ipset(let set): set.marks ? .markOneOf(.all) : nil
        case .other("CONNMARK"): .connectionMarkOneOf(.all)
        default: nil
        }
    }

    static func action(_ verdict: NftVerdict) -> RuleBranch.Action {
        switch verdict {
        case .accept: .accept
        case .drop: .drop
        case .return: .return
        case .continue, .break: .next
        case .jump(let chain): .jump(chain)
        case .goto(let chain): .goto(chain)
        case .queue: .queue
        case .other(let code): .unknown("verdict \(code)")
        }
    }

    static func action(_ target: XtTarget) -> RuleBranch.Action {
        switch target {
        case .masquerade: .masquerade
        case .sourceNat(nil): .sourcePorts
        case .sourceNat(let range), .netmap(let range):
            .sourceNat(range.map { IntervalSet($0.lowerBound.value...$0.upperBound.value) })
        case .destinationNat, .redirect: .destinationNat
        case .notrack, .template, .mark, .connmark, .ipset, .passes: .next
        case .reject: .drop
        case .tproxy: .taken(Self.proxy)
        case .synproxy: .taken("target SYNPROXY")
        case .other("MARK"), .other("HMARK"), .other("CONNMARK"): .next
        case .other("NFQUEUE"): .queue
        case .other(let name): .unknown("target \(name)")
        }
    }

    private static let proxy = "target TPROXY"

    /// TPROXY takes a packet for a socket of this host, or drops it; where the socket loses it again, it goes on.
    func proxied(_ change: XtMarkChange, _ builder: BranchBuilder) -> [RuleBranch] {
        guard !context.keepsSockets else { return [builder.branch(.taken(Self.proxy))].compactMap { $0 } }
        var taken = builder
        taken.doubt(Self.proxy)
        var accepted = taken
        accepted.add(.mark(keeping: ~change.mask, flipping: change.value))
        return [taken.branch(.taken(Self.proxy)), accepted.branch(.accept)].compactMap { $0 }
    }

    private func address(
        _ field: PacketField, _ address: IPv4Address, _ mask: IPv4Address, _ inverted: Bool,
        _ builder: inout BranchBuilder
    ) {
        guard mask.value != 0 || inverted else { return }
        guard let prefix = IPv4Prefix(address: address, netmask: mask) else { return builder.doubt("netmask \(mask)") }
        builder.require(field, IntervalSet(prefix), inverted: inverted)
    }

    private func interface(
        _ wanted: XtInterface, _ link: PacketContext.Link?, _ inverted: Bool, _ builder: inout BranchBuilder
    ) {
        if wanted == .any && !inverted { return }
        builder.require(wanted.matches(link?.name ?? "") != inverted)
    }

    /// A match, of either flavour of iptables.
    func require(_ match: XtMatch, _ builder: inout BranchBuilder) {
        switch match {
        case .comment: return
        case .ports(let transport, let source, let destination, let flags):
            builder.require(.transport, IntervalSet(UInt32(transport)))
            builder.require(.fragment, .zero)
            for (field, ports) in [(PacketField.sourcePort, source), (.destinationPort, destination)] where !ports.isAny
            {
                builder.require(
                    field, IntervalSet(UInt32(ports.range.lowerBound)...UInt32(ports.range.upperBound)),
                    inverted: ports.inverted)
            }
            guard let flags else { return }
            if flags.option != 0 { builder.doubt("match tcp --tcp-option") }
            if flags.mask == 0 { return }
            builder.require(.tcpFlags, or: "tcp flags") {
                ($0 & UInt32(flags.mask) == UInt32(flags.compare)) != flags.inverted
            }
        case .icmp(let type, let codes, let inverted):
            builder.require(.transport, IntervalSet(1))
            builder.require(.fragment, .zero)
            let number = UInt32(type) << 8
            builder.require(
                .sourcePort,
                type == 255
                    ? IntervalSet(0...65535)
                    : IntervalSet(number | UInt32(codes.lowerBound)...number | UInt32(codes.upperBound)),
                inverted: inverted)
        case .multiport(let multiport):
            let set = IntervalSet(multiport.ranges.map { UInt32($0.lowerBound)...UInt32($0.upperBound) })
            builder.require(.fragment, .zero)
            switch multiport.side {
            case .source: builder.require(.sourcePort, set, inverted: multiport.inverted)
            case .destination: builder.require(.destinationPort, set, inverted: multiport.inverted)
            case .either: builder.doubt("match multiport --ports")
            }
        case .conntrackFields(let fields): require(fields, &builder)
        case .conntrack(let states, let inverted): require(states: states, inverted, &builder)
        case .mark(let value, let mask, let inverted):
            builder.require(.mark, or: "mark") { ($0 & mask == value) != inverted }
        case .connmark(let value, let mask, let inverted):
            builder.require(!context.isUnseen)
            builder.require(.state, SamplePacket.ConnectionState.tracked)
            builder.require(.connectionMark, or: "connmark") { ($0 & mask == value) != inverted }
        case .addressType(let type):
            let source = UInt16(1) << UInt16(context.sourcePlace.type)
            let destination = UInt16(1) << UInt16(context.destinationPlace.type)
            if type.source != 0 { builder.require((type.source & source != 0) != type.sourceInverted) }
            if type.destination != 0 {
                builder.require((type.destination & destination != 0) != type.destinationInverted)
            }
        case .physdev(let physdev):
            guard physdev.tests & ~4 == 0, !context.isBridged else { return builder.doubt("match physdev") }
            builder.require(physdev.inverted & 4 != 0)
        case .addressRange(let range):
            if let source = range.source {
                builder.require(
                    .source, IntervalSet(source.lowerBound.value...source.upperBound.value),
                    inverted: range.sourceInverted)
            }
            if let destination = range.destination {
                builder.require(
                    .destination, IntervalSet(destination.lowerBound.value...destination.upperBound.value),
                    inverted: range.destinationInverted)
            }
        case .policy(let ipsec, _):
            // What an IPsec policy takes is exempted on purpose and no part of the question.
            builder.require(!ipsec)
        case .reversePath: builder.doubt("match rpfilter")
        // What is forwarded has no socket.
        case .owner(let owner): builder.require(owner.holdsWithoutSocket)
        case .u32: builder.doubt("match u32")
        case .ipset(let match): require(match, &builder)
        case .packetType(let type, let inverted):
            guard let own = context.packetType else { return builder.doubt("match pkttype") }
            builder.require((type == UInt32(own)) != inverted)
        case .length: builder.doubt("match length")
        case .timeToLive: builder.doubt("match ttl")
        // Of dscp the upper six bits.
        case .service(_, let mask, _): builder.doubt(mask == 0xfc ? "match dscp" : "match tos")
        case .other(let name): builder.doubt("match \(name)")
        }
    }
}

/// What conntrack says.
extension XtRuleReader {
    /// `--ctstate`: invalid 1, established 2, related 4, new 8, SNAT 64, DNAT 128, untracked 256.
    private func require(states: UInt16, _ inverted: Bool, _ builder: inout BranchBuilder) {
        func isListed(_ number: UInt32) -> Bool {
            let bit = context.stateBit(number)
            return UInt32(states) & (bit == 64 ? 256 : bit) != 0
        }
        // Whether a flow is translated is another question than its state; a new one to the outside is not yet.
        let mayBeTranslated =
            states & 128 != 0 && ruleset.translatesDestinations
            || states & 64 != 0 && builder.box.state != IntervalSet(SamplePacket.ConnectionState.new.number)
        if mayBeTranslated, builder.box.state.filtered(isListed) != builder.box.state {
            return builder.doubt("match conntrack")
        }
        builder.require(.state, or: "conntrack") { isListed($0) != inverted }
    }

    private func require(_ fields: XtConntrack, _ builder: inout BranchBuilder) {
        if fields.wanted.contains(.state) {
            require(states: fields.states, fields.inverted.contains(.state), &builder)
        }
        if fields.wanted.contains(.direction) {
            builder.require(!context.isUnseen)
            builder.require(.state, SamplePacket.ConnectionState.tracked)
            builder.require(.direction, fields.inverted.contains(.direction) ? IntervalSet(1) : .zero)
        }
        if !fields.wanted.subtracting([.state, .direction]).isEmpty { builder.doubt("match conntrack") }
    }
}
