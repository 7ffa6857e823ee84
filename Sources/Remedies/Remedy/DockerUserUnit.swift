internal import HostAccess
internal import HostModel

/// A unit that puts rules into DOCKER-USER whenever Docker starts. Each is removed first, so that a restart of Docker,
/// which keeps the chain, does not double it. Source: systemd.service(5), systemd.unit(5).
struct DockerUserUnit {
    let network: Network
    let rules: [IptablesRule]

    var name: String { "lxc-doctor-docker-\(network.bridge).service" }
    /// Whether the name of the bridge can stand in it.
    var isWritable: Bool { OwnUnit.isPlain(network.bridge) }

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
