internal import WireFormats

/// The register memory of nftables: 64 bytes, each with the bits that are known.
struct NftRegisters {
    private(set) var value = [UInt8](repeating: 0, count: 64)
    private(set) var known = [UInt8](repeating: 0, count: 64)
    /// What is not known, by word.
    private var names = [String](repeating: "register", count: 16)

    /// Bytes that are all known; the rest of the last word is zero.
    mutating func store(_ bytes: [UInt8], into register: NftRegister) {
        store(bytes, known: [], into: register, name: "")
    }

    mutating func store(_ bytes: [UInt8], known bits: [UInt8], into register: NftRegister, name: String) {
        guard let word = register.word else { return }
        let start = word * 4
        let padded = (bytes.count + 3) & ~3
        for index in 0..<min(padded, 64 - start) {
            value[start + index] = index < bytes.count ? bytes[index] : 0
            known[start + index] = index < bits.count ? bits[index] : 0xff
        }
        if !name.isEmpty { for index in word..<min(16, word + max(1, padded / 4)) { names[index] = name } }
    }

    mutating func store(_ word: PartialWord, into register: NftRegister, name: String) {
        store(
            Self.bytes(word.value), known: Self.bytes(word.known), into: register, name: name)
    }

    mutating func storeUnknown(_ count: Int, into register: NftRegister, name: String) {
        store(
            [UInt8](repeating: 0, count: count), known: [UInt8](repeating: 0, count: count), into: register, name: name)
    }

    /// After this nothing is known of any.
    mutating func forget(_ name: String) {
        storeUnknown(64, into: .one, name: name)
    }

    /// Host order.
    static func bytes(_ value: UInt32) -> [UInt8] {
        withUnsafeBytes(of: value) { Array($0) }
    }

    func load(_ register: NftRegister, _ count: Int) -> (value: ArraySlice<UInt8>, known: ArraySlice<UInt8>)? {
        guard let word = register.word, count >= 0, word * 4 + count <= 64 else { return nil }
        let range = word * 4..<word * 4 + count
        return (value[range], known[range])
    }

    /// Host order.
    func word(_ register: NftRegister) -> PartialWord? {
        guard let (value, known) = load(register, 4) else { return nil }
        func number(_ bytes: ArraySlice<UInt8>) -> UInt32 {
            UInt32(bigEndian: bytes.reduce(0) { $0 << 8 | UInt32($1) })
        }
        return PartialWord(value: number(value), known: number(known))
    }

    func name(_ register: NftRegister) -> String {
        register.word.map { names[$0] } ?? "register"
    }

    mutating func combine(_ from: NftRegister, _ into: NftRegister, mask: NftValue, xor: NftValue) {
        guard let (source, bits) = load(from, mask.count) else { return }
        let (sourceStart, bitsStart) = (source.startIndex, bits.startIndex)
        var bytes: [UInt8] = []
        var known: [UInt8] = []
        for index in 0..<mask.count {
            bytes.append((source[sourceStart + index] & mask[index]) ^ xor[index])
            known.append(bits[bitsStart + index] | ~mask[index])
        }
        store(bytes, known: known, into: into, name: name(from))
    }

    /// Compares byte by byte from the left; nil where a bit that is not known decides.
    func compare(_ from: NftRegister, _ comparison: NftComparison, _ wanted: NftValue) -> Bool? {
        guard let (bytes, bits) = load(from, wanted.count) else { return nil }
        let start = bytes.startIndex
        var order = 0
        var isSure = true
        for index in 0..<wanted.count {
            let (byte, known) = (bytes[start + index], bits[start + index])
            if (byte ^ wanted[index]) & known != 0, comparison == .equal || comparison == .notEqual {
                return comparison == .notEqual
            }
            if known != 0xff { isSure = false }
            if order == 0, byte != wanted[index] { order = byte < wanted[index] ? -1 : 1 }
        }
        guard isSure else { return nil }
        switch comparison {
        case .equal: return order == 0
        case .notEqual: return order != 0
        case .less: return order < 0
        case .lessOrEqual: return order <= 0
        case .greater: return order > 0
        case .greaterOrEqual: return order >= 0
        }
    }
}
