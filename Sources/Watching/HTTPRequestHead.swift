/// The head of an HTTP request, as far as fixed answers to GET need it. Source: RFC 9112.
package struct HTTPRequestHead: Sendable, Equatable {
    /// Bytes of a head; more is refused.
    package static let longest = 8_192

    package var method: String
    /// Without a query.
    package var path: String
    package var host: String?

    package enum Reading: Sendable, Equatable {
        /// The head has not ended yet.
        case incomplete
        case whole(HTTPRequestHead)
        /// With the status that says why.
        case refused(Int)
    }

    /// Reads what has come so far.
    package static func read(_ bytes: [UInt8]) -> Reading {
        guard let end = endOfHead(bytes) else { return bytes.count >= longest ? .refused(431) : .incomplete }
        guard end <= longest else { return .refused(431) }
        // Control characters have no place in a head.
        let head = bytes[..<end].filter { $0 != 0x0d }
        guard head.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 0x0a || $0 == 0x09 }) else { return .refused(400) }
        let lines = String(decoding: head, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: true)
        let words = (lines.first ?? "").split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, words[2] == "HTTP/1.1" || words[2] == "HTTP/1.0", words[1].hasPrefix("/") else {
            return .refused(400)
        }
        var hosts: [String] = []
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":"), colon > line.startIndex else { return .refused(400) }
            let name = line[..<colon].lowercased()
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            if name == "host" { hosts.append(String(value)) }
            // A body is never read, so none may come.
            if name == "transfer-encoding" || (name == "content-length" && value != "0") { return .refused(413) }
        }
        guard hosts.count <= 1, !(hosts.isEmpty && words[2] == "HTTP/1.1") else { return .refused(400) }
        let path = words[1].prefix { $0 != "?" && $0 != "#" }
        return .whole(HTTPRequestHead(method: String(words[0]), path: String(path), host: hosts.first))
    }

    /// The number of bytes before the empty line.
    private static func endOfHead(_ bytes: [UInt8]) -> Int? {
        var lineBegan = true
        for (index, byte) in bytes.enumerated() where byte != 0x0d {
            if byte == 0x0a {
                if lineBegan && index > 0 { return index }
                lineBegan = true
            } else {
                lineBegan = false
            }
        }
        return nil
    }

    /// Whether the request means a name of this host and not one that somebody else's name server gave this address
    /// (DNS rebinding): an address, or localhost.
    package var meansThisHost: Bool {
        guard var name = host else { return true }
        if let colon = name.lastIndex(of: ":"), name[name.index(after: colon)...].allSatisfy(\.isNumber) {
            name = String(name[..<colon])
        }
        if name.hasPrefix("[") && name.hasSuffix("]") { return true }
        return name.lowercased() == "localhost" || name.split(separator: ".").allSatisfy { UInt8($0) != nil }
    }
}
