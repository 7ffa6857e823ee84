internal import ConfigFiles
internal import HostAccess
internal import HostModel
internal import Probes

/// ufw: rules in the chains that it keeps for the operator's own, and the same in the file that it loads.
extension FirewallAccept {
    func ufw(
        _ opening: Opening, _ network: Network, _ cause: Cause, _ draft: inout PlanDraft
    ) throws(LeftToPerson) {
        try draft.keepAllowance(of: network, for: opening == .answers ? .forwarding : opening)
        let table = try table(with: "ufw-user-forward", draft)
        let uplink = try draft.uplink(of: network)
        let bridge = network.bridge
        let path = FirewallFacts.ufwRules
        guard let before = try draft.editable(path) else {
            throw LeftToPerson(why: "ufw has no \(path)", what: ["ufw status verbose"])
        }
        var wanted = opening == .dhcpAndDNS ? [] : forwarding(bridge, uplink, table)
        // Who may ask this host may be decided, whoever is let out.
        let isDecided = draft.facts.allowances[network.name]?.requests != nil
        if draft.facts.state.rules[table]?.policies["INPUT"] == "DROP", !isDecided {
            wanted += requests(network, table)
        }
        var file = UFWRulesFile(bytes: before.bytes.bytes)
        for rule in wanted {
            guard let edited = file.adding(tuple: rule.tuple, rules: rule.rules.map(\.ufwLine)) else {
                throw LeftToPerson(
                    why: "\(path) is not as ufw writes it", what: ["ufw route allow in on \(bridge) out on \(uplink)"])
            }
            file = edited
            for one in rule.rules {
                try draft.insert(
                    one, remedy: id, for: cause,
                    risk: one.chain == "ufw-user-forward"
                        ? "Containers of \(bridge) reach everything behind \(uplink)."
                        : "Containers of \(bridge) reach the host's DHCP and DNS.")
            }
        }
        try draft.edit(
            path, before, file.bytes, remedy: id, for: cause,
            risk: "ufw loads it at every start and reload; `ufw status` shows it, `ufw delete` removes it.")
        try draft.check(.checkRules(table.flavour, path: path), remedy: id, for: cause)
    }

    private struct UFWRule {
        var tuple: String
        var rules: [IptablesRule]
    }

    private func forwarding(_ bridge: String, _ uplink: String, _ table: IptablesTable) -> [UFWRule] {
        // With br_netfilter loaded, what goes from container to container is forwarded as well.
        [uplink, bridge].map { output in
            UFWRule(
                tuple: "route:allow any any 0.0.0.0/0 any 0.0.0.0/0 in_\(bridge)!out_\(output)",
                rules: [IptablesRule(table, "ufw-user-forward", [.input(bridge), .output(output)], .accept)])
        }
    }

    private func requests(_ network: Network, _ table: IptablesTable) -> [UFWRule] {
        let rules = requests(network, table, "ufw-user-input")
        let target = "0.0.0.0/0 any 0.0.0.0/0 in_\(network.bridge)"
        return [
            UFWRule(tuple: "allow udp 67 \(target)", rules: Array(rules.prefix(1))),
            UFWRule(tuple: "allow any 53 \(target)", rules: Array(rules.dropFirst())),
        ]
    }
}

extension IptablesRule {
    /// As ufw writes it: without the match that `-p` implies.
    var ufwLine: String { line.replacing("-m udp ", with: "").replacing("-m tcp ", with: "") }
}
