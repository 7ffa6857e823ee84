/// The container network of a practice host, as lxc-net's settings spell it.
struct PracticeNetwork: Sendable, Hashable {
    var bridge: String
    var address: String
    var prefixLength: Int
    var netmask: String
    var network: String
    var dhcpRange: String
    var dhcpMaximum: Int
    /// The lower part of the network: what a netmask that is too long would leave of it.
    var lowerPart: String
    var lowerPartLength: Int
    /// A network inside it that does not hold the bridge's address.
    var upperPart: String
    var upperPartAddress: String
    /// An address of the network that is not the bridge's and that DHCP does not hand out.
    var otherAddress: String
    /// An address of the network that nobody has.
    var nobody: String
    /// A range outside the network.
    var foreignRange: String

    init(_ profile: PracticeProfile) {
        switch profile {
        case .makina:
            bridge = "lxcbr1"
            address = "10.5.0.1"
            prefixLength = 16
            netmask = "255.255.0.0"
            network = "10.5.0.0/16"
            dhcpRange = "10.5.0.42,10.5.255.253"
            dhcpMaximum = 65496
            lowerPart = "10.5.0.0/24"
            lowerPartLength = 24
            upperPart = "10.5.7.0/24"
            upperPartAddress = "10.5.7.1/24"
            otherAddress = "10.5.0.2"
            nobody = "10.5.0.3"
            foreignRange = "10.6.0.42,10.6.255.253"
        case .lxcNet:
            bridge = "lxcbr0"
            address = "10.0.3.1"
            prefixLength = 24
            netmask = "255.255.255.0"
            network = "10.0.3.0/24"
            dhcpRange = "10.0.3.2,10.0.3.254"
            dhcpMaximum = 253
            lowerPart = "10.0.3.0/25"
            lowerPartLength = 25
            upperPart = "10.0.3.128/25"
            upperPartAddress = "10.0.3.129/25"
            otherAddress = "10.0.3.254"
            nobody = "10.0.3.253"
            foreignRange = "10.0.4.2,10.0.4.254"
        }
    }

    var addressWithPrefix: String { "\(address)/\(prefixLength)" }
    /// The bridge that the other profile uses.
    var otherBridge: String { bridge == "lxcbr1" ? "lxcbr0" : "lxcbr1" }

    /// The words that fault steps may use in braces.
    var words: [String: String] {
        [
            "bridge": bridge, "address": address, "prefix": String(prefixLength), "netmask": netmask,
            "network": network, "range": dhcpRange, "max": String(dhcpMaximum), "lower": lowerPart,
            "lowerLength": String(lowerPartLength), "upper": upperPart, "upperAddress": upperPartAddress,
            "otherAddress": otherAddress, "nobody": nobody, "foreignRange": foreignRange, "otherBridge": otherBridge,
            "uplink": StubInternet.uplink, "gateway": StubInternet.gateway, "target": StubInternet.target,
        ]
    }

    /// Puts the network's values into `{bridge}`, `{network}` and so on; braces around anything else stay.
    func fill(_ text: String) -> String {
        var result = ""
        var rest = text[...]
        while let open = rest.firstIndex(of: "{") {
            result += rest[..<open]
            let after = rest[rest.index(after: open)...]
            if let close = after.firstIndex(of: "}"), let value = words[String(after[..<close])] {
                result += value
                rest = after[after.index(after: close)...]
            } else {
                result += "{"
                rest = after
            }
        }
        return result + rest
    }
}
