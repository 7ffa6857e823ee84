internal import HostModel
internal import WireFormats

/// The register machine of nftables, for one packet (net/netfilter/nf_tables_core.c, nft_*.c).
extension PacketRun {
    /// A condition that is not known. It is only asked about where the rule then does something.
    private struct Pending {
        var key: String
        var name: String
        var wanted = true
    }

    private func holds(_ pending: [Pending]) -> Bool {
        pending.allSatisfy { ask($0.key, $0.name) == $0.wanted }
    }

    func evaluateNft(_ rule: NftRule, _ index: Int, _ hook: NftHook) -> RuleEnd {
        if let test = rule.address, (test.isSource ? state.source : state.destination).value != test.address {
            return .next
        }
        let table = ruleset.chains[ruleset.rules[index].chain].table
        var registers = NftRegisters()
        var pending: [Pending] = []
        var list = ruleset.nft.expressionList(of: rule)
        var position = -1
        // What a choice is known by. Most rules are left at their first condition and make none.
        var key: String { "rule \(index) \(position)" }
        while let expression = list.next() {
            position += 1
            switch expression {
            case .payload(let base, let offset, let length, let into):
                // A further fragment has no such header. Only the short way to load a number does not mind, and takes
                // whatever stands there (nft_payload_fast_eval).
                let isNumber = [1, 2, 4].contains(length) && offset % length == 0
                if base == .transport, state.packet.fragment, !isNumber { return .next }
                let bytes = bytes(base, Int(min(offset, 4096)), Int(min(length, 64)))
                registers.store(
                    bytes.value, known: bytes.known, into: into,
                    name: NftPacketField.name(
                        base, offset: Int(min(offset, 4096)), length: Int(min(length, 64)), transport: state.transport))
            case .setPayload(let base, let offset, let length, let from):
                guard holds(pending) else { return .next }
                pending = []
                if let loaded = registers.load(from, Int(min(length, 64))) {
                    write(base, Int(min(offset, 4096)), loaded.value, known: loaded.known)
                }
            case .meta(let meta, let into):
                guard loadMeta(meta, into, &registers, key, hook, table) else { return .next }
            case .setMeta(let meta, let from):
                guard meta == .mark else { continue }
                guard holds(pending) else { return .next }
                pending = []
                if let word = registers.word(from) { state.mark = word }
            case .conntrack(let ct, let direction, let into):
                if ruleset.tables[table].name.family == .bridge { trackOnBridge() }
                guard loadConntrack(ct, direction, into, &registers) else { return .next }
            case .setConntrack(let ct, let from):
                guard ct == .zone ? state.tracking != .tracked && !state.hasTemplate : state.tracking == .tracked
                else { continue }
                guard holds(pending) else { return .next }
                pending = []
                if ct == .mark, let word = registers.word(from) { state.connectionMark = word }
                if ct == .zone { setZone(registers.word(from)) }
            case .fib(let result, let flags, let into): loadFib(result, flags, into, &registers, hook)
            case .immediate(let into, let value): registers.store(value.bytes, into: into)
            case .bitwise(let from, let into, let mask, let xor):
                registers.combine(from, into, mask: mask, xor: xor)
            case .shift(let from, let into, let left, let bits):
                guard let word = registers.word(from) else { return .next }
                let filled: UInt32 = left ? (1 << bits) - 1 : ~(UInt32.max >> bits)
                registers.store(
                    PartialWord(
                        value: left ? word.value << bits : word.value >> bits,
                        known: (left ? word.known << bits : word.known >> bits) | filled),
                    into: into, name: registers.name(from))
            case .byteOrder(let from, let into, let size, let length):
                swap(from, into, Int(min(size, 8)), Int(min(length, 64)), &registers)
            case .generated(let name, let modulus, let offset, let into):
                if (1...64).contains(modulus) {
                    let value = choose(Int(modulus), key, name)
                    registers.store(NftRegisters.bytes(offset &+ UInt32(value)), into: into)
                } else {
                    registers.storeUnknown(
                        4, into: into, name: "\(NftRuleReader.words(name)) of \(key)")
                }
            case .loaded(let name, let into):
                registers.storeUnknown(16, into: into, name: NftRuleReader.words(name))
            case .compare(let from, let comparison, let value):
                switch registers.compare(from, comparison, value) {
                case true?: continue
                case false?: return .next
                case nil:
                    let isEqual = comparison == .equal || comparison == .notEqual
                    let name = registers.name(from)
                    pending.append(
                        Pending(
                            key: "\(name) \(isEqual ? "" : "\(comparison)") \(value.bytes)", name: name,
                            wanted: comparison != .notEqual))
                }
            case .range(let from, let inverted, let low, let high):
                guard let above = registers.compare(from, .greaterOrEqual, low),
                    let below = registers.compare(from, .lessOrEqual, high)
                else {
                    let name = registers.name(from)
                    pending.append(
                        Pending(key: "\(name) \(low.bytes)-\(high.bytes)", name: name, wanted: !inverted))
                    continue
                }
                if (above && below) == inverted { return .next }
            case .lookup(let set, let from, let into, let inverted):
                switch lookUp(set, table, from, registers, key, isVerdict: into == .verdict) {
                case .unknown(let name):
                    if into == .verdict {
                        guard holds(pending) else { return .next }
                        limit = "the map \(set) is not known, nor what it decides"
                        return .drop
                    }
                    if let into { registers.storeUnknown(16, into: into, name: name) }
                    pending.append(Pending(key: "\(name) in \(set)", name: name, wanted: !inverted))
                case .absent: if !inverted { return .next }
                case .present(let entry):
                    if inverted { return .next }
                    if entry.isConditional { pending.append(Pending(key: key, name: "an element of \(set)")) }
                    switch entry.content {
                    case .verdict(let verdict)? where into == .verdict:
                        guard holds(pending) else { return .next }
                        if case .continue = verdict { continue }
                        return end(verdict, rule: index)
                    case .value(let bytes)?: if let into { registers.store(bytes, into: into) }
                    default: continue
                    }
                }
            case .match(let xt):
                switch holds(XtMatch(xt), hook) {
                case true?: continue
                case false?: return .next
                case nil: pending.append(Pending(key: key, name: "match \(xt.name)"))
                }
            case .limit: pending.append(Pending(key: key, name: "limit"))
            case .counter, .log: continue
            case .other(let name):
                if NftRuleReader.statements.contains(name) { continue }
                if name == "fwd" {
                    guard holds(pending) else { return .next }
                    limit = "a rule hands the packet to another device"
                    return .drop
                }
                if name == "queue" { return holds(pending) ? end(.queue, rule: index) : .next }
                if name == "synproxy" {
                    // All else than TCP ends the rule, and what is not of a handshake goes on.
                    guard state.packet.protocol == .tcp, holds(pending) else { return .next }
                    pending = []
                    if takeHandshake() { return .drop }
                    continue
                }
                // Without a socket for it the rule ends (nft_tproxy.c).
                if name == "tproxy" {
                    guard state.hasPorts, holds(pending), ask("rule \(index) tproxy", name) else { return .next }
                    pending = []
                    state.isForSocket = true
                    continue
                }
                // It may have filled any register.
                if !NftRuleReader.tests.contains(name) { registers.forget(name) }
                pending.append(Pending(key: key, name: NftRuleReader.words(name)))
            case .notrack:
                guard holds(pending) else { return .next }
                pending = []
                if state.tracking == .unseen, !state.hasTemplate { state.tracking = .untracked }
            case .verdict(let verdict):
                guard holds(pending) else { return .next }
                if case .continue = verdict { continue }
                return end(verdict, rule: index)
            case .reject: return holds(pending) ? .drop : .next
            case .masquerade: return holds(pending) ? masquerade(index) : .next
            case .nat(let nat): return holds(pending) ? translate(nat, index, registers) : .next
            case .redirect(_, let ports):
                guard holds(pending) else { return .next }
                return redirect(index, self.ports(ports, registers), hook)
            case .target(let xt):
                let target = XtTarget(xt)
                if case .passes = target {
                    noteHeader(xt, isCertain: pending.isEmpty) { holds(pending) }
                    continue
                }
                guard holds(pending) else { return .next }
                pending = []
                switch apply(target, index, hook) {
                case .next: continue
                case let end: return end
                }
            }
        }
        return .next
    }

    /// The zone comes with a template for conntrack, also where another rule had said not to track (nft_ct.c).
    private func setZone(_ word: PartialWord?) {
        guard !state.hasMetConntrack else {
            limit = "a conntrack zone for a packet that conntrack has seen already"
            return
        }
        if let word { state.zone = UInt16(truncatingIfNeeded: word.value) }
        state.tracking = .unseen
        state.hasTemplate = true
        // One template serves every packet of a processor: its mark is whatever was left there.
        state.templateMark = PartialWord(value: 0, known: 0)
    }

    private func swap(
        _ from: NftRegister, _ into: NftRegister, _ size: Int, _ length: Int, _ registers: inout NftRegisters
    ) {
        guard size > 0, let (value, known) = registers.load(from, length) else { return }
        var bytes = Array(value)
        var bits = Array(known)
        var start = 0
        while start + size <= bytes.count {
            bytes[start..<start + size].reverse()
            bits[start..<start + size].reverse()
            start += size
        }
        registers.store(bytes, known: bits, into: into, name: registers.name(from))
    }

    // MARK: Translation

    private func ports(_ pair: NftRegisterPair?, _ registers: NftRegisters) -> ClosedRange<UInt16>? {
        func port(_ register: NftRegister) -> UInt16? {
            registers.load(register, 2).map { $0.value.reduce(0) { $0 << 8 | UInt16($1) } }
        }
        guard let pair, let low = port(pair.low), let high = port(pair.high) else { return nil }
        return low...max(low, high)
    }

    private func translate(_ nat: NftNat, _ rule: Int, _ registers: NftRegisters) -> RuleEnd {
        guard nat.family != .ipv6 else { return .next }
        func address(_ register: NftRegister) -> IPv4Address? {
            registers.load(register, 4).flatMap {
                $0.known.allSatisfy { $0 == 0xff } ? IPv4Address(octets: $0.value) : nil
            }
        }
        var addresses: [IPv4Address] = []
        if let pair = nat.addresses {
            guard let low = address(pair.low), let high = address(pair.high), low <= high else {
                limit = "an address to translate to that is not known"
                return .accept
            }
            // NF_NAT_RANGE_NETMAP: the host part stays.
            if nat.flags & 0x40 != 0 {
                let host = low.value ^ high.value
                let old = nat.kind == .source ? state.source.value : state.destination.value
                addresses = [IPv4Address(value: old & host | low.value & ~host)]
            } else if let list = Self.addresses(low...high) {
                addresses = list
            } else {
                addresses = [low, high]
            }
        }
        if nat.kind == .source {
            translateSource(rule, addresses.isEmpty ? [state.source] : addresses)
        } else {
            translateDestination(rule, addresses, ports(nat.ports, registers))
        }
        return .accept
    }

    // MARK: Sets

    private enum Lookup {
        case present(NftSetEntry)
        case absent
        case unknown(String)
    }

    private func lookUp(
        _ name: String, _ table: Int, _ from: NftRegister, _ registers: NftRegisters, _ key: String, isVerdict: Bool
    ) -> Lookup {
        guard let (set, isChanging) = ruleset.knownSet(named: name, inTable: table) else {
            return .unknown("set \(name)")
        }
        // Elements come and go. No rule adds verdicts (nft_dynset.c), so those at most go.
        if isChanging, !isVerdict { return .unknown("set \(name)") }
        guard let (value, known) = registers.load(from, set.keyLength) else { return .unknown("set \(name)") }
        func present(_ entry: NftSetEntry) -> Lookup {
            var entry = entry
            if isChanging { entry.isConditional = true }
            return .present(entry)
        }
        let rest = set.hasCatchAll ? set.entries.first(where: \.isCatchAll) : nil
        if known.allSatisfy({ $0 == 0xff }) {
            return set.entry(holding: value).map(present) ?? rest.map(present) ?? .absent
        }
        let candidates = set.entries.filter { !$0.isCatchAll && $0.mayHold(value, known) }
        if candidates.isEmpty { return rest.map(present) ?? .absent }
        if set.groups.isEmpty, set.rest.isEmpty { return .unknown(registers.name(from)) }
        guard candidates.count <= Self.mostCandidates else {
            limit =
                "more than \(Self.mostCandidates) elements of \(name) may be meant: depends on \(registers.name(from))"
            return .absent
        }
        let choice = choose(candidates.count + 1, key, registers.name(from))
        if choice < candidates.count { return present(candidates[choice]) }
        return rest.map(present) ?? .absent
    }

    /// Elements of a map that are tried one by one.
    private static let mostCandidates = 64
}

extension NftSetEntry {
    /// Part by part of a concatenation; each part begins at a whole word.
    func holds(_ key: ArraySlice<UInt8>, _ widths: [UInt32]) -> Bool {
        var offset = 0
        for width in widths {
            let size = Int(min(width, 64))
            guard offset + size <= key.count, offset + size <= low.count, offset + size <= high.count else {
                return low.elementsEqual(key)
            }
            let part = key.dropFirst(offset).prefix(size)
            if part.lexicographicallyPrecedes(low[offset..<offset + size]) { return false }
            if high[offset..<offset + size].lexicographicallyPrecedes(part) { return false }
            offset += (size + 3) & ~3
        }
        return true
    }

    /// Whether a key with some bits unknown may be this one. Of a range nothing is excluded.
    func mayHold(_ key: ArraySlice<UInt8>, _ known: ArraySlice<UInt8>) -> Bool {
        guard low == high else { return true }
        return zip(zip(key, known), low).allSatisfy { pair, wanted in (pair.0 ^ wanted) & pair.1 == 0 }
    }
}
