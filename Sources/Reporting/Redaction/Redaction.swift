internal import FoundationEssentials
internal import HostModel

/// Takes the addresses out of what is to be shown to others: every IPv4, IPv6 and hardware address in every text of a
/// value, in place of which stands another, always the same for the same key.
///
/// Names of hosts, containers and interfaces stay.
package struct Redaction: Sendable {
    private let mapping: AddressMapping

    /// - Parameter key: 16 octets. Who knows them can find the addresses again by trying.
    package init(key: [UInt8]) {
        mapping = AddressMapping(key: key)
    }

    /// The value with every text in it redacted. Throws where a field cannot hold what stands in for its address: nothing
    /// is shown then.
    package func applied<Value: Codable>(to value: Value) throws -> Value {
        let tree = try JSONDecoder().decode(JSONTree.self, from: JSONEncoder().encode(value))
        return try JSONDecoder().decode(Value.self, from: JSONEncoder().encode(tree.mapTexts(text)))
    }

    /// One text.
    package func text(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            if let found = address(in: bytes, at: index) {
                result += found.text.utf8
                index = found.end
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private struct Found {
        var text: String
        var end: Int
    }

    private func address(in bytes: [UInt8], at index: Int) -> Found? {
        guard Self.isPart(bytes[index]) else { return nil }
        if index == 0 || !Self.isPart(bytes[index - 1]), let found = colonForm(in: bytes, at: index) { return found }
        return dottedForm(in: bytes, at: index)
    }

    // MARK: IPv4

    private func dottedForm(in bytes: [UInt8], at start: Int) -> Found? {
        guard Self.isDigit(bytes[start]), start == 0 || !Self.isDigit(bytes[start - 1]),
            // The middle of a longer number with dots.
            start < 2 || bytes[start - 1] != Self.dot || !Self.isDigit(bytes[start - 2])
        else { return nil }
        var end = start
        var dots = 0
        while end < bytes.count, Self.isDigit(bytes[end]) || bytes[end] == Self.dot {
            if bytes[end] == Self.dot {
                guard dots < 3 || (end + 1 < bytes.count && Self.isDigit(bytes[end + 1])) else { break }
                dots += 1
            }
            end += 1
        }
        guard dots == 3, let address = IPv4Address(String(decoding: bytes[start..<end], as: UTF8.self)) else {
            return nil
        }
        let length = Self.prefixLength(in: bytes, at: end, most: 32)
        let isNetwork = length < 32 && address.value << UInt32(length) == 0
        return Found(text: mapping.ipv4(address, length: isNetwork ? length : 32).description, end: end)
    }

    // MARK: IPv6 and hardware addresses

    /// A run of hexadecimal digits, colons and dots, without the punctuation around it.
    private func colonForm(in bytes: [UInt8], at index: Int) -> Found? {
        var (start, end) = (index, index)
        while end < bytes.count, Self.isPart(bytes[end]) { end += 1 }
        func isColon(_ place: Int) -> Bool { (start..<end).contains(place) && bytes[place] == Self.colon }
        while end > start, bytes[end - 1] == Self.dot || (isColon(end - 1) && !isColon(end - 2)) { end -= 1 }
        if isColon(start), !isColon(start + 1) { start += 1 }
        guard bytes[start..<end].count(where: { $0 == Self.colon }) >= 2 else { return nil }
        let before = String(decoding: bytes[index..<start], as: UTF8.self)
        let text = String(decoding: bytes[start..<end], as: UTF8.self)
        if let address = MACAddress(text) {
            return Found(text: before + mapping.hardware(address).description, end: end)
        }
        if let address = IPv6Text(text) {
            let length = Self.prefixLength(in: bytes, at: end, most: 128)
            let isNetwork = length < 128 && address.isZero(after: length)
            return Found(text: before + mapping.ipv6(address, length: isNetwork ? length : 128).description, end: end)
        }
        // Client identifiers of DHCP end in a hardware address (RFC 2132, 9.14; RFC 8415, 11.2).
        let groups = text.split(separator: ":", omittingEmptySubsequences: false)
        guard groups.count > 6, let address = MACAddress(groups.suffix(6).joined(separator: ":")) else { return nil }
        let head = groups.dropLast(6).map { $0 + ":" }.joined()
        return Found(text: before + head + mapping.hardware(address).description, end: end)
    }

    // MARK: Bytes

    private static let dot = UInt8(ascii: ".")
    private static let colon = UInt8(ascii: ":")

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func isPart(_ byte: UInt8) -> Bool {
        isDigit(byte) || byte == dot || byte == colon || (0x61...0x66).contains(byte | 0x20)
    }

    /// Of the `/LENGTH` behind an address; the most where there is none.
    private static func prefixLength(in bytes: [UInt8], at slash: Int, most: Int) -> Int {
        guard slash < bytes.count, bytes[slash] == UInt8(ascii: "/") else { return most }
        let digits = bytes[(slash + 1)...].prefix(4).prefix(while: isDigit)
        guard let length = Int(String(decoding: digits, as: UTF8.self)), length <= most else { return most }
        return length
    }
}

extension IPv6Text {
    fileprivate func isZero(after length: Int) -> Bool {
        octets.indices.allSatisfy { place in
            let kept = min(8, max(0, length - place * 8))
            return kept == 8 || octets[place] << UInt8(kept) == 0
        }
    }
}
