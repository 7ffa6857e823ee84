internal import ConfigFiles
package import HostAccess
package import HostModel
internal import WireFormats

/// `bridged-uplink {bridge}`: hardware that is a port of the containers' bridge, and whether the far side of such
/// hardware usually refuses MAC addresses that it does not know: wireless access points, and clouds.
package struct BridgedUplinkProbe: Probe {
    package init() {}

    package let specification = ProbeSpecification(
        name: "bridged-uplink", summary: "Network cards that are ports of a container bridge",
        parameters: ["bridge": .string],
        facts: ["cards": .strings, "count": .integer, "wireless": .strings, "machine": .string, "virtual": .boolean])

    /// What virtual machines call their maker or product. Source: SMBIOS, as /sys/class/dmi/id shows it.
    private static let virtualMachines = [
        "qemu", "kvm", "vmware", "virtualbox", "innotek", "xen", "bochs", "virtual machine", "google", "amazon ec2",
        "openstack", "droplet", "hcloud", "hetzner", "hvm domu", "bhyve", "parallels",
    ]

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let bridge = try parameters.string("bridge")
        let links = try NetworkState(host: host).links()
        guard let master = links.named(bridge) else { throw .notApplicable("there is no link \(bridge)") }
        let cards = links.filter { $0.master == master.index && $0.kind.isEmpty && !$0.isLoopback }.map(\.name)
        var wireless: [String] = []
        var machine = ""
        if !cards.isEmpty {
            let reader = ConfigurationReader(host: host)
            for card in cards where try reader.exists("/sys/class/net/\(card)/phy80211") { wireless.append(card) }
            var words: [String] = []
            for name in ["sys_vendor", "product_name"] {
                guard let text = try reader.bytes("/sys/class/dmi/id/\(name)", limit: 256) else { continue }
                words.append(String(decoding: text.filter { $0 != 0x0a }, as: UTF8.self))
            }
            machine = words.joined(separator: " ")
        }
        let known = machine.lowercased()
        var observation = Observation(
            facts: [
                "cards": .strings(cards), "count": .integer(cards.count), "wireless": .strings(wireless),
                "machine": .string(machine),
                "virtual": .boolean(Self.virtualMachines.contains { known.range(ofText: $0) != nil }),
            ],
            evidence: [
                Evidence(
                    source: "rtnetlink RTM_GETLINK", command: "ip link show master \(bridge)",
                    value: cards.isEmpty
                        ? "no network card is a port of \(bridge)"
                        : "\(cards.joined(separator: ", ")) \(cards.count == 1 ? "is a port" : "are ports") of \(bridge)"
                )
            ])
        observation.evidence += wireless.map { Evidence(path: "/sys/class/net/\($0)/phy80211", value: "wireless") }
        if !machine.isEmpty {
            observation.evidence.append(
                Evidence(
                    source: "/sys/class/dmi/id",
                    command: "cat /sys/class/dmi/id/sys_vendor /sys/class/dmi/id/product_name",
                    value: machine))
        }
        return observation
    }
}
