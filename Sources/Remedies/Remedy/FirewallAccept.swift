internal import ConfigFiles
internal import HostAccess
internal import HostModel

/// Lets a network through the firewall of the host: at once in the chain that its owner keeps for such rules, and for
/// good in the owner's own files. Foreign rules stay as they are.
struct FirewallAccept: Remedy {
    let id = "firewall-accept"

    func plan(_ cause: Cause, in draft: inout PlanDraft) throws(LeftToPerson) {
        let network = try draft.network(of: cause)
        switch cause.id {
        case "ufw-forward-drop": try ufw(network, cause, &draft)
        case "docker-forward-drop": try docker(network, cause, &draft)
        default: try plain(network, cause, &draft)
        }
    }

    // MARK: ufw

    private func ufw(_ network: Network, _ cause: Cause, _ draft: inout PlanDraft) throws(LeftToPerson) {
        let table = try table(with: "ufw-user-forward", draft)
        let uplink = try uplink(network, draft)
        let bridge = network.bridge
        let path = FirewallFacts.ufwRules
        guard let before = try draft.editable(path) else {
            throw LeftToPerson(why: "ufw has no \(path)", what: ["ufw status verbose"])
        }
        var wanted = [
            UFWRule(
                tuple: "route:allow any any 0.0.0.0/0 any 0.0.0.0/0 in_\(bridge)!out_\(uplink)",
                rules: [
                    IptablesRule(table, "ufw-user-forward", [.input(bridge), .output(uplink)], .accept)
                ])
        ]
        if draft.facts.state.rules[table]?.policies["INPUT"] == "DROP" {
            wanted += [
                UFWRule(
                    tuple: "allow udp 67 0.0.0.0/0 any 0.0.0.0/0 in_\(bridge)",
                    rules: [IptablesRule(table, "ufw-user-input", [.input(bridge), .udpPort(67)], .accept)]),
                UFWRule(
                    tuple: "allow any 53 0.0.0.0/0 any 0.0.0.0/0 in_\(bridge)",
                    rules: [
                        IptablesRule(table, "ufw-user-input", [.input(bridge), .tcpPort(53)], .accept),
                        IptablesRule(table, "ufw-user-input", [.input(bridge), .udpPort(53)], .accept),
                    ]),
            ]
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

    // MARK: Docker

    private func docker(_ network: Network, _ cause: Cause, _ draft: inout PlanDraft) throws(LeftToPerson) {
        let table = try table(with: "DOCKER-USER", draft)
        let rules = bothWays(network, table, "DOCKER-USER")
        try insert(rules, network, cause, &draft)
        guard draft.facts.initSystem == "systemd" else { return }
        let unit = DockerUserUnit(network: network, rules: rules)
        guard unit.isWritable else {
            throw LeftToPerson(why: "the name \(network.bridge) cannot stand in a unit file", what: [])
        }
        let before = try draft.editable(unit.path)
        try draft.add(
            .file(path: unit.path, before: before, after: FileContent(bytes: ByteString(unit.text))),
            phase: .persistent, remedy: id, risk: "It runs iptables whenever Docker starts.", for: cause)
        try draft.check(.checkUnit(path: unit.path), remedy: id, for: cause)
        try draft.add(
            .symbolicLink(path: unit.link, before: nil, after: unit.path), phase: .persistent, remedy: id,
            risk: "The unit is started at boot, after Docker.", for: cause, command: "systemctl enable \(unit.name)")
        try draft.check(.daemonReload, remedy: id, for: cause)
    }

    // MARK: A ruleset of the operator's own

    private func plain(_ network: Network, _ cause: Cause, _ draft: inout PlanDraft) throws(LeftToPerson) {
        let dropping = IptablesFlavour.allCases.map { IptablesTable($0, "filter") }.filter { table in
            guard let listing = draft.facts.state.rules[table] else { return false }
            return listing.policies["FORWARD"] == "DROP"
                || listing.rules(of: "FORWARD").contains { !$0.hasSuffix("-j ACCEPT") }
        }
        guard !dropping.isEmpty else {
            throw LeftToPerson(
                why: "the rule that drops is in a table of nftables whose file is not known",
                what: [
                    "In its forward chain, ahead of what drops: iifname \"\(network.bridge)\" accept",
                    "and: oifname \"\(network.bridge)\" ct state established,related accept",
                ])
        }
        for table in dropping {
            let rules = bothWays(network, table, "FORWARD")
            try insert(rules, network, cause, &draft)
            if table.flavour == draft.facts.firewall.flavour { try save(rules, cause, &draft) }
        }
    }

    /// In the rules that netfilter-persistent loads at boot, where they decide about forwarding.
    private func save(_ rules: [IptablesRule], _ cause: Cause, _ draft: inout PlanDraft) throws(LeftToPerson) {
        let path = FirewallFacts.savedRules
        guard draft.facts.firewall.savesRules, let before = try draft.editable(path), let first = rules.first else {
            return
        }
        var file = IptablesRestoreFile(path: path, bytes: before.bytes.bytes)
        guard file.decides(in: "filter") else { return }
        for rule in rules {
            guard let edited = file.adding(rule.line, chain: rule.chain, table: "filter", at: .first) else {
                throw LeftToPerson(
                    why: "\(path) is not as iptables-save writes it", what: ["netfilter-persistent save"])
            }
            file = edited
        }
        try draft.edit(
            path, before, file.lines.bytes, remedy: id, for: cause,
            risk: "netfilter-persistent loads it at every boot.")
        try draft.check(.checkRules(first.table.flavour, path: path), remedy: id, for: cause)
    }

    // MARK: Parts

    /// The table that holds a chain of this name.
    private func table(with chain: String, _ draft: PlanDraft) throws(LeftToPerson) -> IptablesTable {
        for flavour in IptablesFlavour.allCases {
            let table = IptablesTable(flavour, "filter")
            if draft.facts.state.rules[table]?.policies[chain] != nil { return table }
        }
        throw LeftToPerson(why: "there is no chain \(chain) any more", what: ["iptables -S"])
    }

    private func uplink(_ network: Network, _ draft: PlanDraft) throws(LeftToPerson) -> String {
        if let uplink = draft.facts.uplinks[network.name] { return uplink }
        throw LeftToPerson(why: "no route leads to the outside, so the uplink is not known", what: ["ip route"])
    }

    /// What enters by the bridge, and the answers that leave by it.
    private func bothWays(_ network: Network, _ table: IptablesTable, _ chain: String) -> [IptablesRule] {
        [
            IptablesRule(table, chain, [.output(network.bridge), .established], .accept, place: .first),
            IptablesRule(table, chain, [.input(network.bridge)], .accept, place: .first),
        ]
    }

    private func insert(
        _ rules: [IptablesRule], _ network: Network, _ cause: Cause, _ draft: inout PlanDraft
    ) throws(LeftToPerson) {
        for rule in rules {
            try draft.insert(
                rule, remedy: id, for: cause,
                risk: "Containers of \(network.bridge) reach other networks, whatever later rules of \(rule.chain) say."
            )
        }
    }
}

extension IptablesRule {
    /// As ufw writes it: without the match that `-p` implies.
    var ufwLine: String { line.replacing("-m udp ", with: "").replacing("-m tcp ", with: "") }
}
