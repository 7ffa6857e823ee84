internal import HostModel
internal import WireFormats

/// Writes a rule as `nft list` does.
///
/// The kernel keeps a rule as loads and comparisons of registers. A listing names the fields that they read by the
/// headers that must be there, and leaves out the comparisons that only say so: `meta l4proto udp` before
/// `udp dport 53`.
struct NftSentence {
    /// What a register holds.
    struct Operand {
        var field: NftField
        /// Bytes.
        var length: Int
        /// Nil: no part of the packet.
        var base: NftPayloadBase?
        /// Of an option or an extension: the header that it belongs to.
        var header: NftPayloadBase?
        /// Of the bytes that were loaded from the packet.
        var firstBit = 0
        var mask: [UInt8]?
        var flip: [UInt8]?
        var isHostOrder = false
        var constant: [UInt8]?
        /// What is written for it, where that is more than the field's name.
        var words: String?
        /// Where it is what a map gives.
        var map: Map?
    }

    /// A lookup that gives a value.
    struct Map {
        /// What is looked for.
        var words: String
        /// The name of the map.
        var name: String
        var operands: [Operand]
    }

    /// A condition that only makes sure of a header.
    private struct Dependency {
        var part: Int
        /// `ip protocol`: it says more than `meta l4proto`, where the family does not say it.
        var isField: Bool
    }

    let family: NftFamily
    let links: [UInt32: String]
    let set: (String) -> NftSet?
    private var parts: [String?] = []
    private var registers: [Operand?] = Array(repeating: nil, count: 16)
    private(set) var network: NftHeader?
    private(set) var transport: UInt8?
    /// By the layer that is made sure of.
    private var dependencies: [NftPayloadBase: Dependency] = [:]
    /// The last condition, where it may be the lower half of a range.
    private var lowerHalf: (part: Int, left: String, value: [UInt8])?

    init(_ family: NftFamily, links: [UInt32: String], set: @escaping (String) -> NftSet?) {
        self.family = family
        self.links = links
        self.set = set
        network = family == .ipv4 ? .ip : family == .ipv6 ? .ip6 : family == .arp ? .arp : nil
    }

    var text: String { parts.compactMap { $0 }.joined(separator: " ") }

    // MARK: Registers

    subscript(_ register: NftRegister) -> Operand? {
        get { register.word.flatMap { registers[$0] } }
        set { if let word = register.word { registers[word] = newValue } }
    }

    /// The operands that fill so many bytes from a register on; each begins at a multiple of four.
    func operands(from register: NftRegister, length: Int) -> [Operand] {
        guard var word = register.word else { return [] }
        var found: [Operand] = []
        var left = length
        while left > 0, registers.indices.contains(word), let operand = registers[word] {
            found.append(operand)
            let words = max(1, (operand.length + 3) / 4)
            word += words
            left -= words * 4
        }
        return found
    }

    // MARK: Parts

    mutating func say(_ words: String) {
        lowerHalf = nil
        parts.append(words)
    }

    /// A field of the packet is named: what makes sure of its header goes without saying.
    mutating func use(_ operand: Operand) {
        guard let base = operand.base ?? operand.header, !operand.field.name.hasPrefix("@") else { return }
        guard let dependency = dependencies[base] else { return }
        let isNeeded = dependency.isField && base == .transport && ![NftFamily.ipv4, .ipv6].contains(family)
        if !isNeeded { forget(base) }
    }

    mutating func forget(_ base: NftPayloadBase) {
        guard let dependency = dependencies.removeValue(forKey: base) else { return }
        parts[dependency.part] = nil
    }

    /// A statement counts or changes packets that came as far as this: what made sure of a header before it stays.
    mutating func keepDependencies() { dependencies = [:] }

    // MARK: Conditions

    mutating func compare(_ register: NftRegister, _ comparison: NftComparison, _ bytes: [UInt8]) {
        guard var operand = self[register] else { return }
        // A load of two addresses at once, as a single condition.
        let pieces = operands(from: register, length: bytes.count)
        if pieces.count == 1, operand.base != nil, bytes.count == operand.length, operand.mask == nil,
            let both = NftPacketField.split(operand, self)
        {
            return compareEach(both, comparison, bytes)
        }
        let field = narrowed(&operand, bytes)
        use(operand)
        let (value, mask) = field
        let symbol = ["", "!= ", "< ", "<= ", "> ", ">= "][Int(comparison.rawValue)]
        if comparison == .lessOrEqual, let half = lowerHalf, half.left == operand.field.name, mask == nil {
            parts[half.part] =
                "\(half.left) \(text(half.value, operand, isRange: true))-\(text(value, operand, isRange: true))"
            lowerHalf = nil
            return
        }
        var words = operand.words ?? operand.field.name
        if let mask {
            if let length = NftWords.prefixLength(mask), operand.field.kind == .address {
                parts.append("\(words) \(symbol)\(NftWords.address(value))/\(length)")
                lowerHalf = nil
                return
            }
            if operand.field.kind.isBits {
                say(Self.bits(words, comparison, mask, value, operand, self))
                return
            }
            words += " & \(text(mask, operand))"
            return say("\(words) \(comparison == .equal ? "== " : symbol)\(text(value, operand))")
        }
        parts.append("\(words) \(symbol)\(text(value, operand))")
        lowerHalf = comparison == .greaterOrEqual && mask == nil ? (parts.count - 1, operand.field.name, value) : nil
        if comparison == .equal, mask == nil { learn(operand, value) }
    }

    private mutating func compareEach(_ operands: [Operand], _ comparison: NftComparison, _ bytes: [UInt8]) {
        var rest = bytes[...]
        let symbol = comparison == .notEqual ? "!= " : ""
        for operand in operands {
            use(operand)
            say("\(operand.field.name) \(symbol)\(text(Array(rest.prefix(operand.length)), operand))")
            rest = rest.dropFirst(operand.length)
        }
    }

    /// The value and the mask as of the field that the comparison is about; both as bytes of that field.
    private func narrowed(_ operand: inout Operand, _ bytes: [UInt8]) -> (value: [UInt8], mask: [UInt8]?) {
        guard let mask = operand.mask else {
            // A comparison of the first bytes of an address is one with a prefix.
            let whole = operand.field.bits.isEmpty ? operand.length : operand.field.bits.count / 8
            guard operand.field.kind == .address, bytes.count < whole else { return (bytes, nil) }
            let padded = bytes + [UInt8](repeating: 0, count: whole - bytes.count)
            return (padded, NftPacketField.prefix(bytes.count * 8, whole))
        }
        if operand.base != nil, let found = NftPacketField.field(in: operand, mask: mask, self) {
            operand.field = found.field
            return (NftPacketField.extract(bytes, found.bits), nil)
        }
        return (bytes, mask)
    }

    /// `tcp flags syn / fin,syn`, `ct state new`: bits by their names.
    private static func bits(
        _ name: String, _ comparison: NftComparison, _ mask: [UInt8], _ value: [UInt8], _ operand: Operand,
        _ sentence: NftSentence
    ) -> String {
        if value.allSatisfy({ $0 == 0 }) {
            let negation = comparison == .equal ? "! " : ""
            return "\(name) \(negation)\(sentence.text(mask, operand))"
        }
        let symbol = comparison == .notEqual ? "!= " : ""
        return "\(name) \(symbol)\(sentence.text(value, operand)) / \(sentence.text(mask, operand))"
    }

    /// What an equality makes sure of.
    private mutating func learn(_ operand: Operand, _ value: [UInt8]) {
        let part = parts.count - 1
        guard let number = NftWords.number(value, isHostOrder: operand.isHostOrder) else { return }
        switch operand.field.name {
        case "meta nfproto":
            network = number == 2 ? .ip : number == 10 ? .ip6 : network
            dependencies[.network] = Dependency(part: part, isField: false)
        case "meta protocol", "ether type", "vlan type":
            network = NftHeader.network(etherType: UInt16(truncatingIfNeeded: number))
            dependencies[network == .vlan ? .link : .network] = Dependency(part: part, isField: false)
        case "ct l3proto":
            network = number == 2 ? .ip : number == 10 ? .ip6 : network
            dependencies[.network] = Dependency(part: part, isField: false)
        case "meta iiftype" where number == 1:
            dependencies[.link] = Dependency(part: part, isField: false)
        case "meta l4proto", "ip protocol", "ip6 nexthdr":
            transport = UInt8(truncatingIfNeeded: number)
            let isField = operand.field.name != "meta l4proto"
            // ICMP is of one version of IP only.
            if !isField, number == 1 && network == .ip || number == 58 && network == .ip6,
                ![NftFamily.ipv4, .ipv6].contains(family)
            {
                forget(.network)
            }
            dependencies[.transport] = Dependency(part: part, isField: isField)
        default: break
        }
    }

    mutating func range(_ register: NftRegister, inverted: Bool, _ low: [UInt8], _ high: [UInt8]) {
        guard let operand = self[register] else { return }
        use(operand)
        let name = operand.words ?? operand.field.name
        say(
            "\(name) \(inverted ? "!= " : "")\(text(low, operand, isRange: true))-\(text(high, operand, isRange: true))"
        )
    }

    // MARK: Sets

    /// The operands of a lookup, each named once it is used: `ip saddr . tcp dport`.
    mutating func key(_ register: NftRegister, length: Int) -> (words: String, operands: [Operand]) {
        var pieces = operands(from: register, length: length)
        for index in pieces.indices {
            if let mask = pieces[index].mask, pieces[index].base != nil,
                let found = NftPacketField.field(in: pieces[index], mask: mask, self)
            {
                pieces[index].field = found.field
                pieces[index].firstBit = found.bits.lowerBound
                pieces[index].words = nil
            }
            use(pieces[index])
        }
        // A field that needs a mask keeps it: sets hold what is left under it.
        return (pieces.map { $0.words ?? $0.field.name }.joined(separator: " . "), pieces)
    }

    mutating func look(_ name: String, _ register: NftRegister, inverted: Bool, isVerdict: Bool) {
        let found = set(name)
        let (words, operands) = key(register, length: found.map { Int($0.keyLength) } ?? 4)
        let what = NftSetText(operands, self).text(name, found, data: nil)
        say("\(words) \(inverted ? "!= " : "")\(isVerdict ? "vmap " : "")\(what)")
    }

    func text(_ bytes: [UInt8], _ operand: Operand, isRange: Bool = false) -> String {
        if isRange {
            return NftWords.rangeText(bytes, operand.field.kind, isHostOrder: operand.isHostOrder, links: links)
        }
        return NftWords.text(bytes, operand.field.kind, isHostOrder: operand.isHostOrder, links: links)
    }
}
