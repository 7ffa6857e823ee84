internal import HostModel

/// Reading the blob of the kernel.
///
/// Shape: `struct ipt_getinfo` (name[32], valid hooks, hook_entry[5], underflow[5], entries, size), and
/// `struct ipt_get_entries` (name[32], size, padding to 40, entries). An entry is 112 bytes (of IPv6 168), matches, a
/// target, with offsets to the target and the next entry. A jump is the offset of an entry. Source:
/// `linux/netfilter_ipv4/ip_tables.h`, `linux/netfilter_ipv6/ip6_tables.h`, `linux/netfilter/x_tables.h`; host order,
/// 64-bit layout.
extension LegacyTable {
    private static var entriesStart: Int { 40 }
    private static var hookNames: [String] { ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"] }

    private struct Entry {
        var offset: Int
        var rule: LegacyRule<Address>
        /// Of an ERROR target: the name of a chain.
        var heading: String?
        /// Of a standard target that jumps: an offset and whether it is a goto.
        var jump: (offset: Int, isGoto: Bool)?
    }

    @specialized(where Address == IPv4Address)
    package init(info: [UInt8], entries: [UInt8]) throws(WireError) {
        let header = XtInfo(info[...])
        guard info.count >= 84, let validHooks = header.word(32), let size = header.word(80) else {
            throw WireError(.truncated, "ipt_getinfo")
        }
        guard let listed = XtInfo(entries[...]).word(32), listed == size else {
            throw WireError(.malformed, "ipt_get_entries: another size than ipt_getinfo says")
        }
        guard Int(size) <= entries.count - Self.entriesStart else { throw WireError(.truncated, "ipt_get_entries") }
        name = header.text(0, limit: 32)
        var list = try Self.split(entries[Self.entriesStart..<Self.entriesStart + Int(size)])

        // Where each chain begins: hooks by their offsets, the others behind an ERROR entry that names them.
        var starts: [Int: (name: String, hook: NftHook?, underflow: Int)] = [:]
        for hook in 0..<5 where validHooks >> UInt32(hook) & 1 != 0 {
            guard let entry = header.word(36 + 4 * hook), let underflow = header.word(56 + 4 * hook) else {
                throw WireError(.truncated, "ipt_getinfo")
            }
            starts[Int(entry)] = (Self.hookNames[hook], NftHook(rawValue: UInt32(hook)), Int(underflow))
        }
        for (index, entry) in list.enumerated() where entry.heading != nil && index + 1 < list.count {
            starts[list[index + 1].offset] = (entry.heading ?? "", nil, -1)
        }
        for index in list.indices {
            guard let jump = list[index].jump else { continue }
            guard let target = starts[jump.offset]?.name else { throw WireError(.malformed, "ipt_entry jump") }
            list[index].rule.target = .verdict(jump.isGoto ? .goto(target) : .jump(target))
        }
        chains = []
        var underflow: Int?
        for (index, entry) in list.enumerated() {
            if let start = starts[entry.offset] {
                chains.append(LegacyChain(name: start.name, hook: start.hook, policy: nil, rules: []))
                underflow = start.hook == nil ? nil : start.underflow
            }
            guard entry.heading == nil, let last = chains.indices.last else { continue }
            if let underflow, entry.offset == underflow {
                if case .verdict(let verdict) = entry.rule.target { chains[last].policy = verdict }
            } else if underflow == nil, index + 1 >= list.count || list[index + 1].heading != nil {
                // The RETURN at the end of every chain that a user made.
            } else {
                chains[last].rules.append(entry.rule)
            }
        }
        chains.sort { ($0.hook?.rawValue ?? 5) < ($1.hook?.rawValue ?? 5) }
    }

    private static func split(_ bytes: ArraySlice<UInt8>) throws(WireError) -> [Entry] {
        var entries: [Entry] = []
        var start = bytes.startIndex
        while start < bytes.endIndex {
            let fields = XtInfo(bytes[start...])
            guard let targetOffset = fields.short(XtLayout<Address>.targetOffset),
                let next = fields.short(XtLayout<Address>.targetOffset + 2)
            else {
                throw WireError(.truncated, "ipt_entry")
            }
            guard Int(next) <= bytes.endIndex - start else { throw WireError(.truncated, "ipt_entry") }
            guard Int(targetOffset) >= XtLayout<Address>.entrySize, Int(targetOffset) + 32 <= Int(next) else {
                throw WireError(.malformed, "ipt_entry offsets")
            }
            entries.append(
                try entry(bytes[start..<start + Int(next)], offset: start - bytes.startIndex, Int(targetOffset)))
            start += Int(next)
        }
        return entries
    }

    private static func entry(
        _ bytes: ArraySlice<UInt8>, offset: Int, _ targetOffset: Int
    ) throws(WireError) -> Entry {
        typealias Layout = XtLayout<Address>
        let fields = XtInfo(bytes)
        func address(_ index: Int) -> Address? {
            Address(octets: fields.slice(index * Address.octetCount, Address.octetCount))
        }
        guard let source = address(0), let destination = address(1), let sourceMask = address(2),
            let destinationMask = address(3), let transport = fields.short(Layout.transport),
            let flags = fields.byte(Layout.flags), let inversions = fields.byte(Layout.flags + 1)
        else { throw WireError(.truncated, "ipt_ip") }
        var matches: [XtExtension] = []
        var position = Layout.entrySize
        while position < targetOffset {
            let (match, size) = try Self.extension(bytes, at: position)
            guard size <= targetOffset - position else { throw WireError(.malformed, "xt_entry_match") }
            matches.append(match)
            position += size
        }
        let (target, _) = try Self.extension(bytes, at: targetOffset)
        let names = Layout.interfaces
        var rule = LegacyRule(
            source: source, sourceMask: sourceMask, destination: destination, destinationMask: destinationMask,
            input: fields.interface(names, mask: names + 32),
            output: fields.interface(names + 16, mask: names + 48),
            transport: UInt8(truncatingIfNeeded: transport), fragment: Layout.isIPv4 && flags & 1 != 0,
            inversions: XtInversions(rawValue: inversions), matches: matches, target: .target(target))
        var result = Entry(offset: offset, rule: rule, heading: nil, jump: nil)
        if target.name == "ERROR" {
            result.heading = XtInfo(target.info).text(0, limit: 30)
        } else if target.name.isEmpty {
            guard let word = XtInfo(target.info).word(0) else { throw WireError(.truncated, "xt_standard_target") }
            let verdict = Int32(bitPattern: word)
            switch verdict {
            case -2: rule.target = .verdict(.accept)
            case -1: rule.target = .verdict(.drop)
            case -4: rule.target = .verdict(.queue)
            case -5: rule.target = .verdict(.return)
            case ..<0: rule.target = .verdict(.other(verdict))
            // A "jump" to the next entry is how a rule without a target is written.
            case Int32(truncatingIfNeeded: offset + bytes.count): rule.target = .verdict(.continue)
            default: result.jump = (Int(verdict), flags & Layout.goto != 0)
            }
            result.rule = rule
        }
        return result
    }

    /// `xt_entry_match` and `xt_entry_target`: size, name[29], revision, data.
    private static func `extension`(
        _ bytes: ArraySlice<UInt8>, at offset: Int
    ) throws(WireError) -> (XtExtension, Int) {
        let fields = XtInfo(bytes.dropFirst(offset))
        guard let size = fields.short(0), let revision = fields.byte(31) else {
            throw WireError(.truncated, "xt_entry_match")
        }
        guard size >= 32, Int(size) <= bytes.count - offset else { throw WireError(.malformed, "xt_entry_match") }
        let start = bytes.startIndex + offset
        let info = bytes[start + 32..<start + Int(size)]
        return (XtExtension(name: fields.text(2, limit: 29), revision: revision, info: info), Int(size))
    }
}

/// Where things are in `struct ipt_entry`, and in `struct ip6t_entry`: four addresses, two names and two masks of
/// interfaces, the protocol, flags and inversions; then a word, the offsets, a word, and two counters of eight bytes.
private enum XtLayout<Address: InternetAddress> {
    static var isIPv4: Bool { Address.octetCount == 4 }
    static var interfaces: Int { 4 * Address.octetCount }
    static var transport: Int { interfaces + 64 }
    /// The traffic class comes first in IPv6.
    static var flags: Int { transport + (isIPv4 ? 2 : 3) }
    static var targetOffset: Int { isIPv4 ? 88 : 140 }
    static var entrySize: Int { isIPv4 ? 112 : 168 }
    /// IPT_F_GOTO, IP6T_F_GOTO.
    static var goto: UInt8 { isIPv4 ? 2 : 4 }
}
