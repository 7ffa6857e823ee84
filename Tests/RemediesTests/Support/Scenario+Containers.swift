import ConfigFiles
import HostAccess
import HostModel

@testable import Remedies

extension Scenario {
    /// Remedies of containers that run, with those in files beside.
    static let containers: [Scenario] = [
        Scenario(
            name: "veth pulled out", cause: "veth-not-in-bridge", remedy: "container-port",
            breakage: { $0.run("old", "lxc.net.0.type = veth\nlxc.net.0.link = lxcbr1\n", plugged: false) },
            healthy: { $0.masters["vethold"] == "lxcbr1" }),
        Scenario(
            name: "veth taken by NetworkManager", cause: "veth-not-in-bridge", remedy: "container-port",
            breakage: {
                $0.run("old", "lxc.net.0.type = veth\nlxc.net.0.link = lxcbr1\n", plugged: false)
                $0.isManaged("vethold")
            },
            healthy: {
                $0.masters["vethold"] == "lxcbr1"
                    && $0.file(NetworkManagerPorts.file)?.bytes.text
                        .hasSuffix("\n[keyfile]\nunmanaged-devices+=interface-name:veth*\n") == true
            }),
        Scenario(
            name: "no link, running", cause: "config-no-link", remedy: "container-config",
            breakage: { $0.run("old", "# mine\nlxc.net.0.type = veth\n", plugged: false) },
            healthy: {
                $0.masters["vethold"] == "lxcbr1"
                    && $0.config("old") == "# mine\nlxc.net.0.type = veth\nlxc.net.0.link = lxcbr1\n"
            }),
        Scenario(
            name: "link to a bridge that has gone", cause: "config-links-other-bridge", remedy: "container-config",
            breakage: { $0.run("old", "lxc.net.0.type = veth\nlxc.net.0.link = lxcbr0\n", plugged: false) },
            healthy: {
                $0.masters["vethold"] == "lxcbr1"
                    && $0.config("old") == "lxc.net.0.type = veth\nlxc.net.0.link = lxcbr1\n"
            }),
        Scenario(
            name: "address without prefix", cause: "config-address-without-prefix", remedy: "container-address",
            breakage: {
                $0.run("old", "lxc.net.0.ipv4.address = 10.5.0.60\n", addresses: ["10.5.0.60/8"])
                $0.run("other", "lxc.net.0.ipv4.address = 192.0.2.9\n", addresses: ["192.0.2.9/24"])
            },
            healthy: {
                $0.config("old") == "lxc.net.0.ipv4.address = 10.5.0.60/16\n"
                    && $0.inside("old")?.addresses.map(\.address) == [Fixture.prefix("10.5.0.60/16")]
                    && $0.config("other") == "lxc.net.0.ipv4.address = 192.0.2.9\n"
                    && $0.inside("other")?.addresses.map(\.address) == [Fixture.prefix("192.0.2.9/24")]
            }),
        Scenario(
            name: "one hardware address", cause: "duplicate-container-mac", remedy: "container-hardware-address",
            breakage: {
                $0.run("one", "lxc.net.0.hwaddr = 00:16:3e:00:00:01\n", hardware: "00:16:3e:00:00:01")
                $0.run("two", "lxc.net.0.hwaddr = 00:16:3E:00:00:01\n", hardware: "00:16:3e:00:00:01")
            },
            healthy: { state in
                let new = state.inside("two")?.hardwareAddress?.description ?? ""
                return state.inside("one")?.hardwareAddress?.description == "00:16:3e:00:00:01"
                    && state.config("one") == "lxc.net.0.hwaddr = 00:16:3e:00:00:01\n"
                    && new.hasPrefix("00:16:3e:") && new != "00:16:3e:00:00:01"
                    && state.config("two") == "lxc.net.0.hwaddr = \(new)\n"
            }),
    ]
}

extension HostState {
    /// A running container with this configuration.
    mutating func run(
        _ name: String, _ config: String, plugged: Bool = true, addresses: [String] = [], hardware: String? = nil
    ) {
        paths["/var/lib/lxc"] = .directory
        paths["/var/lib/lxc/\(name)"] = .directory
        paths["/var/lib/lxc/\(name)/config"] = Fixture.file(config, mode: 0o640)
        links["veth\(name)"] = .present(kind: "veth", up: true, ports: 0)
        if plugged { plug("veth\(name)", into: "lxcbr1") }
        containers[ContainerInterface(container: name, interface: "eth0")] = ContainerState(
            port: "veth\(name)", hardwareAddress: hardware.flatMap { MACAddress($0) },
            addresses: addresses.map { HeldAddress(Fixture.prefix($0), broadcast: nil) })
    }

    /// As NetworkManager's daemon says of a link that is its own.
    mutating func isManaged(_ link: String) {
        paths[NetworkManagerPorts.directory] = .directory
        paths[NetworkManagerDevice.directory] = .directory
        let index = (links.keys.sorted().firstIndex(of: link) ?? -2) + 1
        paths[NetworkManagerDevice.path(of: index)] = Fixture.file("[device]\nmanaged=true\nnm-owned=false\n")
    }

    func config(_ name: String) -> String? { file("/var/lib/lxc/\(name)/config")?.bytes.text }

    func inside(_ name: String) -> ContainerState? {
        containers[ContainerInterface(container: name, interface: "eth0")]
    }
}
