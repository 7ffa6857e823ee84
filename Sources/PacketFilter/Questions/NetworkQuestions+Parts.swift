package import HostModel

/// Containers that every rule of the routing policy treats alike.
package struct NetworkPart: Sendable, Hashable {
    let addresses: IntervalSet
    /// Whether the lowest or the highest address of the network is one of them.
    package let isAtAnEnd: Bool

    package var first: IPv4Address { IPv4Address(value: addresses.ranges.first?.lowerBound ?? 0) }

    package func contains(_ address: IPv4Address) -> Bool { addresses.contains(address.value) }

    /// As prefixes; of many the first few.
    package var words: String {
        let found = addresses.prefixes(limit: 4).map(\.description)
        return found.prefix(3).joined(separator: ", ") + (found.count > 3 ? " and others" : "")
    }
}

extension NetworkQuestions {
    /// The network in parts that routing rules tell apart; empty where there are too many to look at each.
    package var partsRoutedApart: [NetworkPart] {
        let all = containers
        let ends = [all.ranges.first?.lowerBound, all.ranges.last?.upperBound].compactMap { $0 }
        return (host.alike(all) ?? []).map { part in
            NetworkPart(addresses: part, isAtAnEnd: ends.contains(where: part.contains))
        }
    }
}
