internal import ConfigFiles
internal import HostAccess
internal import HostModel
internal import Probes

/// Keeps the translation of a network across boots and across reloads of the ruleset, in the configuration that owns
/// it: the bridge's own file where networkd makes the bridge and no bridge's packets are filtered, lxc-net where nobody else makes it; else shorewall's
/// files or nftables.conf where those are loaded, or a unit of our own.
struct MasqueradePersistent: Remedy {
    let id = "masquerade-persistent"

    func plan(_ cause: Cause, in draft: inout PlanDraft) throws(LeftToPerson) {
        let network = try draft.network(of: cause)
        guard network.nat == .masquerade else {
            throw LeftToPerson(
                why: "the profile wants \(network.nat.rawValue), which this repair does not make", what: [])
        }
        let maker = try draft.workingMaker(of: network)
        if cause.id == "nftables-flush-ruleset" {
            return try nftables(network, cause, &draft)
        }
        switch maker?.owner {
        // networkd's own IPMasquerade= would translate what goes from container to container, too.
        case .networkd, .netplan, .ifupdown, .networkManager:
            if draft.facts.firewall.startsShorewall {
                let zone = ShorewallZone()
                try zone.translate(network, cause, &draft)
                try draft.credit(cause, remedy: zone.id)
            } else if try savedRules(network, cause, &draft) {
                return
            } else if draft.facts.firewall.nftablesFiles.isEmpty {
                try unit(network, cause, &draft)
            } else {
                try nftables(network, cause, &draft)
            }
        case .lxcNet, .makinaJob, nil:
            let lxcNet = LxcNetConfigure()
            try lxcNet.plan(cause, in: &draft)
            try draft.credit(cause, remedy: lxcNet.id)
        }
    }

    // MARK: nftables.conf

    /// For a translation that is made at once on a host whose nftables.conf empties the whole ruleset: loading that
    /// file must not take it away again. Nothing where exemptions would be lost; the translation itself stays.
    func keepAcrossFlush(_ network: Network, _ cause: Cause, _ draft: inout PlanDraft) throws(LeftToPerson) {
        guard network.exempt.isEmpty, draft.facts.translationExemptions.isEmpty,
            let path = draft.facts.firewall.nftablesFiles.first, let text = draft.facts.state.file(path)?.bytes.bytes,
            !NftablesConf(path: path, bytes: text).flushes.isEmpty
        else { return }
        try nftables(network, cause, &draft)
    }

    /// At the end of the file, where nothing that it flushes comes after. A table of its own: loading the file once
    /// more makes it anew and leaves every other one alone.
    private func nftables(_ network: Network, _ cause: Cause, _ draft: inout PlanDraft) throws(LeftToPerson) {
        guard let path = draft.facts.firewall.nftablesFiles.first, let before = try draft.editable(path) else {
            throw LeftToPerson(
                why: "the file that nftables.service loads was not found", what: ["systemctl cat nftables.service"])
        }
        let file = NftablesConf(path: path, bytes: before.bytes.bytes)
        if file.translations.contains(where: { $0.covers(network.cidr) }) {
            // By an earlier cause of this plan, or by the operator.
            return try draft.credit(cause, remedy: id)
        }
        let text = try tableText(network, draft)
        try draft.edit(
            path, before, file.appending(text).lines.bytes, remedy: id, for: cause,
            risk: "Loading the file keeps \(network.cidr) translated, whatever it flushes; lxc-net's own table may do "
                + "the same beside it, and then the first of them decides.")
        try draft.check(.checkNftables(path: path), remedy: id, for: cause)
    }

    /// For nft(8), in the shape that `Masquerade` makes at once.
    private func tableText(_ network: Network, _ draft: PlanDraft) throws(LeftToPerson) -> String {
        try refuseExemptions(network, draft)
        let table = "table ip \(Masquerade.ownTableName(network))"
        return """
            # lxc-doctor: the containers of \(network.bridge) reach the outside with this host's address.
            \(table)
            delete \(table)
            \(table) {
            \tchain postrouting {
            \t\ttype nat hook postrouting priority srcnat; policy accept;
            \t\tip saddr \(network.cidr) ip daddr != \(network.cidr) counter masquerade
            \t}
            }

            """
    }

    /// A table of its own hears no exemption of another one.
    private func refuseExemptions(_ network: Network, _ draft: PlanDraft) throws(LeftToPerson) {
        let exempt = network.exempt.map(\.description) + draft.facts.translationExemptions
        guard !exempt.isEmpty else { return }
        throw LeftToPerson(
            why: "some destinations are exempt from translation, and a table of its own would translate them too: "
                + exempt.joined(separator: ", "),
            what: [
                "Where the exemptions are made, behind them: "
                    + "ip saddr \(network.cidr) ip daddr != \(network.cidr) counter masquerade"
            ], withoutCommands: true)
    }

    // MARK: Saved rules of iptables

    /// Behind all that the file keeps untranslated on purpose. False where no saved rules of a nat table are loaded.
    private func savedRules(
        _ network: Network, _ cause: Cause, _ draft: inout PlanDraft
    ) throws(LeftToPerson) -> Bool {
        let path = FirewallFacts.savedRules
        guard draft.facts.firewall.savesRules, let flavour = draft.facts.firewall.flavour, network.exempt.isEmpty,
            let before = try draft.editable(path)
        else { return false }
        let rule = IptablesRule(
            IptablesTable(flavour, "nat"), "POSTROUTING",
            [.source(network.cidr), .notDestination(network.cidr)], .masquerade)
        let file = IptablesRestoreFile(path: path, bytes: before.bytes.bytes)
        guard let edited = file.adding(rule.line, chain: rule.chain, table: "nat", at: .last) else { return false }
        try draft.edit(
            path, before, edited.lines.bytes, remedy: id, for: cause,
            risk: "netfilter-persistent loads it at every boot.")
        try draft.check(.checkRules(flavour, path: path), remedy: id, for: cause)
        return true
    }

    // MARK: A unit of our own

    private func unit(_ network: Network, _ cause: Cause, _ draft: inout PlanDraft) throws(LeftToPerson) {
        guard draft.facts.initSystem == "systemd", draft.facts.nftablesMissing == nil else {
            let cidr = network.cidr
            throw LeftToPerson(
                why: draft.facts.nftablesMissing ?? "this host does not boot with systemd",
                what: ["At boot: iptables -t nat -A POSTROUTING -s \(cidr) ! -d \(cidr) -j MASQUERADE"])
        }
        guard OwnUnit.isPlain(network.bridge) else {
            throw LeftToPerson(why: "the name \(network.bridge) cannot stand in a unit file", what: [])
        }
        let rules = Self.rulesFile(network)
        let before = try draft.editable(rules)
        try draft.add(
            .file(
                path: rules, before: before,
                after: FileContent(bytes: ByteString(try tableText(network, draft)))),
            phase: .persistent, remedy: id, risk: "Nothing reads it but the unit that is made with it.", for: cause)
        try draft.check(.checkNftables(path: rules), remedy: id, for: cause)
        try draft.install(
            Self.unit(network), remedy: id, for: cause, risk: "It loads \(rules) at boot, and with nftables.service.",
            enabling: "The unit is started at boot, after the firewall.")
    }

    static func rulesFile(_ network: Network) -> String { "/etc/lxc-doctor-nat-\(network.bridge).nft" }

    /// After every service that empties rulesets, and again with the one that does so when it is reloaded.
    static func unit(_ network: Network) -> OwnUnit {
        let load = "/usr/sbin/nft -f \(rulesFile(network))"
        let firewalls = ["nftables", "netfilter-persistent", "ufw", "firewalld", "shorewall"]
        return OwnUnit(
            name: "lxc-doctor-nat-\(network.bridge).service",
            text: """
                # The containers of \(network.bridge) reach the outside with this host's address.
                [Unit]
                Description=Translate the network of \(network.bridge)
                After=\(firewalls.map { "\($0).service" }.joined(separator: " "))
                PartOf=nftables.service
                ReloadPropagatedFrom=nftables.service

                [Service]
                Type=oneshot
                RemainAfterExit=yes
                ExecStart=\(load)
                ExecReload=\(load)

                [Install]
                WantedBy=multi-user.target

                """,
            wantedBy: "multi-user.target")
    }
}

extension PlanDraft {
    /// The program beside lxc-net that makes the bridge at boot; nil: none does.
    func workingMaker(of network: Network) throws(LeftToPerson) -> BridgeMaker? {
        if let reason = facts.bridgeMakersUnknown {
            throw LeftToPerson(why: "who makes \(network.bridge) at boot is not known: \(reason)", what: [])
        }
        return facts.bridgeMakers[network.bridge, default: []].first { $0.flaw == nil }
    }

    /// The bytes of a file of sections after an edit.
    func editing(
        _ path: String, _ before: FileContent, _ edit: (inout SectionFile) throws(ConfigEditError) -> Void
    ) throws(LeftToPerson) -> [UInt8] {
        var file = SectionFile(path: path, bytes: before.bytes.bytes)
        do throws(ConfigEditError) {
            try edit(&file)
        } catch {
            throw LeftToPerson(why: "\(path) cannot be edited: \(error.message)", what: ["editor \(path)"])
        }
        return file.bytes
    }
}
