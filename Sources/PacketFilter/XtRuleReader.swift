internal import HostModel
internal import WireFormats

/// Reads rules and matches of x_tables over sets of packets.
struct XtRuleReader {
    let context: PacketContext

    /// A rule of iptables-legacy.
    func branches(of rule: XtRule, within box: PacketBox) -> [RuleBranch] {
        var builder = BranchBuilder(within: box)
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
        // The first packet of a flow is reassembled by conntrack: it is no second fragment.
        if rule.fragment { builder.require(rule.inversions.contains(.fragment)) }
        if builder.isNever { return [] }
        for match in rule.matches { require(XtMatch(match), &builder) }
        var action: RuleBranch.Action
        var notrack = false
        switch rule.target {
        case .verdict(let verdict): action = Self.action(verdict)
        case .target(let xt):
            let target = XtTarget(xt)
            notrack = target == .notrack
            action = Self.action(target)
        }
        if action == .next && !notrack { return [] }
        return builder.branch(action, notrack: notrack).map { [$0] } ?? []
    }

    static func action(_ verdict: NftVerdict) -> RuleBranch.Action {
        switch verdict {
        case .accept: .accept
        case .drop: .drop
        case .return: .return
        case .continue, .break: .next
        case .jump(let chain): .jump(chain)
        case .goto(let chain): .goto(chain)
        case .queue: .unknown("queue")
        case .other(let code): .unknown("verdict \(code)")
        }
    }

    static func action(_ target: XtTarget) -> RuleBranch.Action {
        switch target {
        case .masquerade: .masquerade
        case .sourceNat(let range), .netmap(let range):
            .sourceNat(range.map { IntervalSet($0.lowerBound.value...$0.upperBound.value) })
        case .destinationNat, .redirect: .accept
        case .notrack, .template, .mark, .connmark, .passes: .next
        case .reject: .drop
        case .other(let name): .unknown("target \(name)")
        }
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
            builder.require(.transport, IntervalSet(UInt32(transport)...UInt32(transport)))
            for (field, ports) in [(PacketField.sourcePort, source), (.destinationPort, destination)] where !ports.isAny
            {
                builder.require(
                    field, IntervalSet(UInt32(ports.range.lowerBound)...UInt32(ports.range.upperBound)),
                    inverted: ports.inverted)
            }
            guard let flags else { return }
            guard let known = context.tcpFlags else { return builder.doubt("tcp flags") }
            builder.require((known & flags.mask == flags.compare) != flags.inverted)
        case .icmp(let type, _, let inverted):
            builder.require(.transport, IntervalSet(1...1))
            if type != 255 || inverted { builder.doubt("icmp type") }
        case .multiport(let multiport):
            let set = IntervalSet(multiport.ranges.map { UInt32($0.lowerBound)...UInt32($0.upperBound) })
            switch multiport.side {
            case .source: builder.require(.sourcePort, set, inverted: multiport.inverted)
            case .destination: builder.require(.destinationPort, set, inverted: multiport.inverted)
            case .either: builder.doubt("multiport --ports")
            }
        case .conntrackFields: builder.doubt("conntrack")
        case .conntrack(let states, let inverted):
            builder.require((UInt32(states) & context.stateBit != 0) != inverted)
        case .mark(let value, let mask, let inverted), .connmark(let value, let mask, let inverted):
            if context.mayBeMarked || match.isConnectionMark && context.state == .established {
                return builder.doubt("mark")
            }
            builder.require((0 & mask == value) != inverted)
        case .addressType(let type):
            let source = UInt16(1) << UInt16(context.sourcePlace.type)
            let destination = UInt16(1) << UInt16(context.destinationPlace.type)
            if type.source != 0 { builder.require((type.source & source != 0) != type.sourceInverted) }
            if type.destination != 0 {
                builder.require((type.destination & destination != 0) != type.destinationInverted)
            }
        case .physdev(let physdev):
            guard physdev.tests & ~4 == 0, !context.isBridged else { return builder.doubt("physdev") }
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
        // What is forwarded has no socket: each test fails, unless inverted.
        case .owner(let tests, let inverted): builder.require(tests & ~inverted == 0)
        case .u32: builder.doubt("match u32")
        case .packetType(let type, let inverted): builder.require((type == 0) != inverted)
        case .other(let name): builder.doubt("match \(name)")
        }
    }
}

extension XtMatch {
    fileprivate var isConnectionMark: Bool {
        if case .connmark = self { return true }
        return false
    }
}
