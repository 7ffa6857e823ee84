package import HostAccess
package import HostModel

/// A program whose own configuration can make a bridge at boot.
package enum BridgeOwner: String, Codable, Sendable, Hashable {
    case lxcNet = "lxc-net"
    case makinaJob = "makina-job"
    case networkd = "systemd-networkd"
    case netplan, ifupdown
    case networkManager = "networkmanager"
}

/// A file by which networkd, netplan, ifupdown or NetworkManager makes a bridge, or would.
package struct BridgeMaker: Codable, Sendable, Hashable {
    package var owner: BridgeOwner
    /// The file that names the bridge.
    package var file: String
    /// The file that gives it addresses; nil: there is none.
    package var addressFile: String?
    /// As written: `10.5.0.1/16`.
    package var addresses: [String]
    /// Why it does not make the bridge at the next boot; nil: it does.
    package var flaw: String?

    package init(
        owner: BridgeOwner, file: String, addressFile: String?, addresses: [String] = [], flaw: String? = nil
    ) {
        self.owner = owner
        self.file = file
        self.addressFile = addressFile
        self.addresses = addresses
        self.flaw = flaw
    }

    /// All that speak of a bridge. `unknown` where a file cannot be read or is not understood.
    package static func all(of bridge: String, on host: any Host) throws(ObservationFailure) -> [BridgeMaker] {
        try BridgeCreators(bridge: bridge, BootServices(ConfigurationReader(host: host))).makers
    }
}
