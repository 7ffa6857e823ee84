package import HostModel

/// IPv4 and IPv6, which are mended one after the other: what is wrong with one of them takes no repair of the other back.
extension Plan {
    private static let remediesOfIPv6: Set<String> = [IPv6Forwarding().id, RouterAdvertisements().id]

    /// Whether what mends a cause is about IPv6 and nothing else.
    package static func isOfIPv6Alone(_ cause: Cause) -> Bool {
        remediesOfIPv6.contains(cause.remedy?.id ?? "")
    }

    package var mendsBothFamilies: Bool {
        Set(steps.map { Self.remediesOfIPv6.contains($0.remedy) }).count == 2
    }
}
