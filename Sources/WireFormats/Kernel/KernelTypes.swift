/// What the kernel says of its own types, as far as the packet proof asks: where fields of `struct sk_buff` lie, and
/// the names of `enum skb_drop_reason`.
///
/// Source: /sys/kernel/btf/vmlinux, in the form of linux/btf.h, host byte order.
package struct KernelTypes: Sendable, Hashable {
    /// In bytes from the start of `struct sk_buff`.
    package private(set) var socketBufferFields: [String: Int] = [:]
    /// `IP_RPFILTER` by number.
    package private(set) var dropReasons: [UInt32: String] = [:]

    private static let reasonPrefix = "SKB_DROP_REASON_"

    /// Throws `malformed` where this is not BTF, or lacks the types.
    package init(_ bytes: [UInt8], fields: Set<String>) throws(WireError) {
        guard var walk = Walk(bytes) else { throw WireError(.malformed, "BTF header") }
        guard let found = walk.find() else { throw WireError(.malformed, "BTF types") }
        walk.addFields(of: found.socketBuffer, base: 0, depth: 0, wanted: fields, to: &socketBufferFields)
        guard socketBufferFields.count == fields.count else { throw WireError(.malformed, "struct sk_buff in BTF") }
        guard let enumeration = found.dropReason else { return }
        for (number, name) in walk.values(of: enumeration) where name.hasPrefix(Self.reasonPrefix) {
            dropReasons[number] = String(name.dropFirst(Self.reasonPrefix.count))
        }
    }

    /// A walk over the types, which have no index: each says how long it is.
    private struct Walk {
        private let bytes: [UInt8]
        private let types: Range<Int>
        private let strings: Range<Int>
        /// Where each type begins, by its number.
        private var starts: [Int] = [0]

        init?(_ bytes: [UInt8]) {
            // struct btf_header: magic (16 bits), version, flags, then 32 bits each: header length, offset and length
            // of the types, offset and length of the strings.
            guard let magic: UInt16 = bytes.hostInteger(at: 0), magic == 0xeb9f,
                let header: UInt32 = bytes.hostInteger(at: 4), let typeOffset: UInt32 = bytes.hostInteger(at: 8),
                let typeLength: UInt32 = bytes.hostInteger(at: 12),
                let stringOffset: UInt32 = bytes.hostInteger(at: 16),
                let stringLength: UInt32 = bytes.hostInteger(at: 20)
            else { return nil }
            let typeStart = Int(header) + Int(typeOffset)
            let stringStart = Int(header) + Int(stringOffset)
            guard typeStart + Int(typeLength) <= bytes.count, stringStart + Int(stringLength) <= bytes.count else {
                return nil
            }
            self.bytes = bytes
            types = typeStart..<typeStart + Int(typeLength)
            strings = stringStart..<stringStart + Int(stringLength)
        }

        /// BTF_KIND_STRUCT sk_buff and BTF_KIND_ENUM skb_drop_reason.
        mutating func find() -> (socketBuffer: Int, dropReason: Int?)? {
            var socketBuffer: Int?
            var dropReason: Int?
            var offset = types.lowerBound
            starts.reserveCapacity(types.count / 20)
            while offset + 12 <= types.upperBound {
                guard let info: UInt32 = bytes.hostInteger(at: offset + 4) else { return nil }
                let kind = info >> 24 & 0x1f
                let count = Int(info & 0xffff)
                starts.append(offset)
                if kind == 4, socketBuffer == nil, count > 10, isNamed(offset, "sk_buff") { socketBuffer = offset }
                if kind == 6, dropReason == nil, isNamed(offset, "skb_drop_reason") { dropReason = offset }
                offset += 12 + Self.extra(kind, count)
            }
            return socketBuffer.map { ($0, dropReason) }
        }

        /// The bytes behind the three words that each type begins with.
        private static func extra(_ kind: UInt32, _ count: Int) -> Int {
            switch kind {
            // INT, VAR, DECL_TAG.
            case 1, 14, 17: 4
            // ARRAY.
            case 3: 12
            // STRUCT, UNION, DATASEC, ENUM64.
            case 4, 5, 15, 19: count * 12
            // ENUM, FUNC_PROTO.
            case 6, 13: count * 8
            default: 0
            }
        }

        private func isNamed(_ offset: Int, _ name: String) -> Bool {
            guard let string: UInt32 = bytes.hostInteger(at: offset) else { return false }
            let start = strings.lowerBound + Int(string)
            guard start + name.utf8.count < strings.upperBound else { return false }
            return bytes[start + name.utf8.count] == 0 && bytes[start..<start + name.utf8.count].elementsEqual(name.utf8)
        }

        private func text(_ string: UInt32) -> String {
            let start = strings.lowerBound + Int(string)
            guard strings.contains(start) else { return "" }
            return String(decoding: bytes[start..<strings.upperBound].prefix { $0 != 0 }, as: UTF8.self)
        }

        /// Fields of a struct or union, and of those without a name inside it.
        func addFields(of offset: Int, base: Int, depth: Int, wanted: Set<String>, to fields: inout [String: Int]) {
            guard depth < 8, let info: UInt32 = bytes.hostInteger(at: offset + 4) else { return }
            let kind = info >> 24 & 0x1f
            guard kind == 4 || kind == 5 else { return }
            for member in 0..<Int(info & 0xffff) {
                let place = offset + 12 + member * 12
                guard place + 12 <= types.upperBound, let name: UInt32 = bytes.hostInteger(at: place),
                    let type: UInt32 = bytes.hostInteger(at: place + 4),
                    let position: UInt32 = bytes.hostInteger(at: place + 8)
                else { return }
                // With the kind flag, the upper eight bits are the width of a bit field.
                let bits = info >> 31 == 1 ? position & 0xff_ffff : position
                let field = base + Int(bits / 8)
                if name == 0 {
                    guard starts.indices.contains(Int(type)) else { continue }
                    addFields(of: starts[Int(type)], base: field, depth: depth + 1, wanted: wanted, to: &fields)
                } else {
                    let text = text(name)
                    if wanted.contains(text), fields[text] == nil { fields[text] = field }
                }
            }
        }

        /// The values of an enum with their names.
        func values(of offset: Int) -> [UInt32: String] {
            guard let info: UInt32 = bytes.hostInteger(at: offset + 4) else { return [:] }
            var values: [UInt32: String] = [:]
            for member in 0..<Int(info & 0xffff) {
                let place = offset + 12 + member * 8
                guard place + 8 <= types.upperBound, let name: UInt32 = bytes.hostInteger(at: place),
                    let value: UInt32 = bytes.hostInteger(at: place + 4)
                else { return values }
                values[value] = text(name)
            }
            return values
        }
    }
}
