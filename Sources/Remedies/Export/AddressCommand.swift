internal import HostModel
internal import WireFormats

/// What a person would type to give an address to an interface, or to take it away. Source: ip-address(8).
enum AddressCommand {
    static func add(_ held: HeldAddress, to link: String) -> String {
        var words = ["ip address add"]
        if let peer = held.peer {
            words += ["\(held.address.address) peer \(peer)/\(held.address.length)"]
        } else {
            words.append(held.description)
        }
        if held == HeldAddress(held.address) {
            words.append("broadcast +")
        } else if let broadcast = held.broadcast {
            words.append("broadcast \(broadcast)")
        }
        if let label = held.label { words.append("label \(Shell.quote(label))") }
        if let scope = held.scope { words.append("scope \(scope)") }
        if let metric = held.metric { words.append("metric \(metric)") }
        words.append("dev \(Shell.quote(link))")
        if held.hasNoPrefixRoute { words.append("noprefixroute") }
        if held.joinsMulticast { words.append("autojoin") }
        return words.joined(separator: " ")
    }

    static func delete(_ held: HeldAddress, from link: String) -> String {
        let other = held.peer.map { " peer \($0)/\(held.address.length)" }
        return "ip address delete \(other.map { "\(held.address.address)\($0)" } ?? held.description) "
            + "dev \(Shell.quote(link))"
    }
}
