internal import HostModel
internal import WireFormats

/// What of a packet a set of ipset is asked about.
struct IPSetQuery {
    var source: UInt32
    var destination: UInt32
    var transport: UInt8
    /// Of ICMP the source port is type and code; nil where there are none.
    var ports: (source: UInt16, destination: UInt16)?
    var input: String?
    var output: String?
}

/// Membership as `ip_set_test` finds it (net/netfilter/ipset/ip_set_hash_gen.h, ip_set_list_set.c). Nil: not known.
extension Ruleset {
    /// By name; the index where the set is not there.
    func name(ofIPSet index: UInt16) -> String { ipsets[index]?.name ?? "#\(index)" }

    /// Whether a match holds.
    func holds(_ match: XtSetMatch, _ query: IPSetQuery) -> Bool? {
        guard !match.hasMore, let set = ipsets[match.index] else { return nil }
        return contains(set, match.isSource, query).map { $0 != match.inverted }
    }

    private func contains(_ set: IPSet, _ isSource: [Bool], _ query: IPSetQuery) -> Bool? {
        guard !changedIPSets.contains(set.index), !set.isCut, let parts = set.parts else { return nil }
        // A set of another family never holds a packet of IPv4.
        if set.family == 10 { return false }
        if set.type == "list:set" {
            return listContains(set, isSource, query)
        }
        // A rule that names fewer parts than the set has never matches.
        guard isSource.count >= parts.count else { return false }
        guard !parts.contains(.other) else { return set.members.isEmpty ? false : nil }
        var best: (length: UInt64, isException: Bool)?
        var isUnknown = false
        for member in set.members {
            switch matches(member, set, parts, isSource, query) {
            case true?:
                // The narrowest decides, for an exception may stand in a wider one.
                let length = member.addresses.reduce(0) { $0 + UInt64($1.upperBound - $1.lowerBound) }
                if let found = best, found.length <= length { continue }
                best = (length, member.isException)
            case nil: isUnknown = true
            case false?: continue
            }
        }
        guard let best else { return isUnknown ? nil : false }
        if isUnknown, best.isException || set.members.contains(where: \.isException) { return nil }
        return !best.isException
    }

    /// Any of its sets holds the packet. The kernel puts no list into a list, and no set twice: of a recording such
    /// members are not followed.
    private func listContains(_ list: IPSet, _ isSource: [Bool], _ query: IPSetQuery) -> Bool? {
        var isUnknown = false
        var seen: Set<String> = []
        for member in list.members {
            guard let name = member.name, let inner = ipset(named: name), inner.type != "list:set" else {
                isUnknown = true
                continue
            }
            guard seen.insert(name).inserted else { continue }
            switch contains(inner, isSource, query) {
            case true?: return true
            case nil: isUnknown = true
            case false?: continue
            }
        }
        return isUnknown ? nil : false
    }

    private func matches(
        _ member: IPSet.Member, _ set: IPSet, _ parts: [IPSet.Part], _ isSource: [Bool], _ query: IPSetQuery
    ) -> Bool? {
        var isKnown = true
        var address = 0
        for (place, part) in parts.enumerated() {
            switch part {
            case .address:
                guard address < member.addresses.count else { return nil }
                let value = (isSource[place] ? query.source : query.destination) & set.addressMask
                guard member.addresses[address].contains(value) else { return false }
                address += 1
            case .port:
                guard let ports = member.ports else { return nil }
                // bitmap:port knows tcp and udp, and tells them not apart.
                if let transport = member.transport {
                    guard transport == query.transport else { return false }
                } else if query.transport != 6, query.transport != 17 {
                    return false
                }
                guard let own = query.ports else {
                    isKnown = false
                    continue
                }
                let value = query.transport == 1 ? own.source : isSource[place] ? own.source : own.destination
                guard ports.contains(value) else { return false }
            case .interface:
                guard let wanted = member.interface, !member.isPhysical else {
                    isKnown = false
                    continue
                }
                guard let name = isSource[place] ? query.input : query.output else { return false }
                guard member.isWildcard ? name.hasPrefix(wanted) : name == wanted else { return false }
            case .other: isKnown = false
            }
        }
        return isKnown ? true : nil
    }
}

extension PacketRun {
    /// The match `set`.
    func holds(_ match: XtSetMatch, _ hook: NftHook) -> Bool? {
        let isICMP = state.packet.protocol == .icmp
        let ports: (UInt16, UInt16)? =
            state.packet.fragment
            ? nil
            : state.hasPorts
                ? (state.sourcePort, state.destinationPort)
                : isICMP ? (state.sourcePort << 8 | state.destinationPort & 0xff, 0) : nil
        return ruleset.holds(
            match,
            IPSetQuery(
                source: state.source.value, destination: state.destination.value, transport: state.transport,
                ports: ports, input: input(at: hook)?.name, output: output(at: hook)?.name))
    }
}

extension XtRuleReader {
    /// More members than these are not followed one by one.
    private static let mostMembers = 1024

    /// The match `set`, over a set of packets.
    func require(_ match: XtSetMatch, _ builder: inout BranchBuilder) {
        let name = "set \(ruleset.name(ofIPSet: match.index))"
        guard !match.hasMore, let set = ruleset.ipsets[match.index], !ruleset.changedIPSets.contains(set.index),
            !set.isCut, let parts = set.parts, set.type != "list:set", !parts.contains(.other)
        else { return builder.doubt(name) }
        if set.family == 10 || match.isSource.count < parts.count { return builder.require(match.inverted) }
        if parts == [.address], set.addressMask == .max, !set.members.contains(where: \.isException) {
            return builder.require(
                match.isSource[0] ? .source : .destination, IntervalSet(set.members.compactMap(\.addresses.first)),
                inverted: match.inverted)
        }
        guard set.members.count <= Self.mostMembers, set.addressMask == .max,
            !set.members.contains(where: \.isException)
        else { return builder.doubt(name) }
        // Member by member: those that hold some of the packets.
        var found: [BranchBuilder] = []
        for member in set.members {
            var branch = builder
            require(member, parts, match.isSource, name, &branch)
            if !branch.isNever { found.append(branch) }
        }
        if found.isEmpty { return builder.require(match.inverted) }
        if found.contains(where: { $0.isAsWide(as: builder) }) {
            return builder.require(!match.inverted)
        }
        guard found.count == 1, !match.inverted else { return builder.doubt(name) }
        builder = found[0]
    }

    private func require(
        _ member: IPSet.Member, _ parts: [IPSet.Part], _ isSource: [Bool], _ name: String,
        _ builder: inout BranchBuilder
    ) {
        var address = 0
        for (place, part) in parts.enumerated() {
            switch part {
            case .address:
                guard address < member.addresses.count else { return builder.doubt(name) }
                builder.require(isSource[place] ? .source : .destination, IntervalSet(member.addresses[address]))
                address += 1
            case .port:
                guard let ports = member.ports else { return builder.doubt(name) }
                builder.require(.fragment, .zero)
                builder.require(
                    .transport, member.transport.map { IntervalSet(UInt32($0)) } ?? IntervalSet([6...6, 17...17]))
                let isFirst = isSource[place] || member.transport == 1
                builder.require(
                    isFirst ? .sourcePort : .destinationPort,
                    IntervalSet(UInt32(ports.lowerBound)...UInt32(ports.upperBound)))
            case .interface:
                guard let wanted = member.interface, !member.isPhysical else { return builder.doubt(name) }
                let link = isSource[place] ? context.input : context.output
                builder.require(link.map { member.isWildcard ? $0.name.hasPrefix(wanted) : $0.name == wanted } ?? false)
            case .other: builder.doubt(name)
            }
        }
    }
}
