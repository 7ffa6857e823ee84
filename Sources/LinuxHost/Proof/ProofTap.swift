internal import HostAccess
internal import HostModel
internal import WireFormats

/// One capture handle, with what is known of its frames beforehand.
final class ProofTap {
    let handle: PcapHandle
    /// Nil: the frames say it themselves.
    let interface: String?
    let direction: Sighting.Direction

    /// Packets of a family that may be about a probe. Its time to live is 2, and 1 behind the first forwarding.
    static func filter(_ family: IPFamily, besides others: String = "") -> String {
        switch family {
        case .ipv4: "(ip and (icmp or ip[8] <= 2\(others)))"
        case .ipv6: "(ip6 and (icmp6 or ip6[7] <= 2\(others)))"
        }
    }

    init(device: String, direction: Sighting.Direction = .received) throws(HostError) {
        // It is narrowed, or widened to IPv6, before anything is sent.
        handle = try PcapHandle(device: device, filter: Self.filter(.ipv4))
        interface = device == "any" ? nil : device
        self.direction = direction
    }
}
