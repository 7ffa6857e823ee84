internal import HostAccess
internal import HostModel

/// A unit that puts rules into DOCKER-USER whenever Docker starts. Each is removed first, so that a restart of Docker,
/// which keeps the chain, does not double it. Source: systemd.service(5), systemd.unit(5).
struct DockerUserUnit {
    let network: Network
    let rules: [IptablesRule]

    var name: String { "lxc-doctor-docker-\(network.bridge).service" }
    var path: String { "\(FirewallFacts.units)/\(name)" }
    var link: String { "\(FirewallFacts.units)/multi-user.target.wants/\(name)" }

    /// Whether the name of the bridge means in a unit file what it is: neither quoted nor expanded.
    var isWritable: Bool {
        network.bridge.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
            default: false
            }
        }
    }

    var text: String {
        var lines = [
            "# Containers of \(network.bridge) keep their way out when Docker sets FORWARD to DROP.",
            "[Unit]", "Description=Let \(network.bridge) through Docker's rules", "After=docker.service",
            "PartOf=docker.service", "", "[Service]", "Type=oneshot", "RemainAfterExit=yes",
        ]
        for rule in rules {
            let program = "/usr/sbin/\(rule.table.flavour.program)"
            lines.append("ExecStart=-\(program) " + rule.deletion.joined(separator: " "))
            lines.append("ExecStart=\(program) " + rule.insertion(position: 1).joined(separator: " "))
        }
        lines += ["", "[Install]", "WantedBy=multi-user.target"]
        return lines.joined(separator: "\n") + "\n"
    }
}
