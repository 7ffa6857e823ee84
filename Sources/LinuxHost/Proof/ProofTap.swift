internal import HostAccess
internal import HostModel
internal import WireFormats

/// One capture handle, with what is known of its frames beforehand.
final class ProofTap {
    let handle: PcapHandle
    /// Nil: the frames say it themselves.
    let interface: String?
    let direction: Sighting.Direction

    /// A probe's time to live is 2, and 1 behind the first forwarding.
    static let filter = "ip and (icmp or ip[8] <= 2)"

    init(device: String, direction: Sighting.Direction = .received) throws(HostError) {
        handle = try PcapHandle(device: device, filter: Self.filter)
        interface = device == "any" ? nil : device
        self.direction = direction
    }
}
