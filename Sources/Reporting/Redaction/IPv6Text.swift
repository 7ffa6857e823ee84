internal import HostModel

/// An IPv6 address as text that may end in a dotted quad (RFC 4291 §2.2), and as 16 octets in network order.
struct IPv6Text: Hashable {
    private let address: IPv6Address

    /// Exactly sixteen.
    init(octets: [UInt8]) {
        guard let address = IPv6Address(octets: octets) else { preconditionFailure("sixteen octets") }
        self.address = address
    }

    /// Nil for anything else.
    init?(_ text: String) {
        var text = text
        if let colon = text.lastIndex(of: ":"), text[colon...].contains(".") {
            let quad = text[text.index(after: colon)...]
            guard let inner = IPv4Address(String(quad)) else { return nil }
            let groups = [inner.value >> 16, inner.value & 0xffff].map { String($0, radix: 16) }
            text.replaceSubrange(quad.startIndex..., with: groups.joined(separator: ":"))
        }
        guard let address = IPv6Address(text) else { return nil }
        self.address = address
    }

    var octets: [UInt8] { address.octets }

    /// Written by RFC 5952.
    var description: String { address.description }
}
