internal import HostAccess
internal import HostModel

/// A unit that puts rules into DOCKER-USER whenever Docker starts. Each is removed first, so that a restart of Docker,
/// which keeps the chain, does not double it. Each goes where the plan puts it: ahead of the same rule, or of the RETURN
/// that Docker before 28 ends the chain with; what the operator drops ahead of that stays dropped.
/// Source: systemd.service(5), systemd.unit(5).
struct DockerUserUnit {
    let network: Network
    let rules: [IptablesRule]

    var name: String { "lxc-doctor-docker-\(network.bridge).service" }

    /// Whether the name of the bridge, and the rules that others go ahead of, can stand in it.
    var isWritable: Bool {
        OwnUnit.isPlain(network.bridge)
            && rules.flatMap(neighbours).allSatisfy { rule in
                rule.split(separator: " ").map(String.init).allSatisfy(isPlain)
            }
    }

    private func isPlain(_ word: String) -> Bool {
        OwnUnit.isPlain(word.replacing("/", with: "").replacing(",", with: "").replacing(":", with: ""))
    }

    var text: String {
        var lines = [
            "# Containers of \(network.bridge) keep their way out when Docker sets FORWARD to DROP.",
            "[Unit]", "Description=Let \(network.bridge) through Docker's rules", "After=docker.service",
            "PartOf=docker.service", "", "[Service]", "Type=oneshot", "RemainAfterExit=yes",
        ]
        for rule in rules {
            lines.append("ExecStart=-\(program(rule)) " + rule.deletion.joined(separator: " "))
            lines.append("ExecStart=/bin/sh -c '\(insertion(of: rule))'")
        }
        lines += ["", "[Install]", "WantedBy=multi-user.target"]
        return lines.joined(separator: "\n") + "\n"
    }

    private func program(_ rule: IptablesRule) -> String { "/usr/sbin/\(rule.table.flavour.program)" }

    /// For a shell; a `$` is written twice in a unit.
    private func insertion(of rule: IptablesRule) -> String {
        let program = program(rule)
        let chain = "-w 5 -t \(rule.table.name) -S \(rule.chain)"
        let others = neighbours(rule).map { "-e \"\($0)\"" }.joined(separator: " ")
        return "n=$$(\(program) \(chain) | grep -e ^-A | grep -nxF -m 1 \(others) | cut -d : -f 1); "
            + "if [ \"$$n\" ]; then exec \(program) -w 5 -t \(rule.table.name) -I \(rule.chain) \"$$n\" "
            + "\(rule.words.joined(separator: " ")); fi; "
            + "exec \(program) \(rule.insertion(position: nil).joined(separator: " "))"
    }

    private func neighbours(_ rule: IptablesRule) -> [String] {
        let back = "-A \(rule.chain) -j RETURN"
        if case .before(let other) = rule.place, other != back { return [other, back] }
        return [back]
    }
}
