internal import HostModel

/// `ADDRESS:PORT`, both in numbers: `127.0.0.1:9799`, `[::1]:9799`.
package struct ListenAddress: Sendable, Hashable {
    /// Without brackets.
    package var address: String
    package var port: Int

    /// Nil where the text is no such thing.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0
        else { return nil }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
            guard host.contains(":"), host.allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." }) else { return nil }
        } else {
            guard IPv4Address(host) != nil else { return nil }
        }
        address = host
        self.port = Int(port)
    }

    /// Whether only this host can reach it.
    package var isLoopback: Bool {
        if let address = IPv4Address(address) { return address.value >> 24 == 127 }
        return address == "::1"
    }
}
