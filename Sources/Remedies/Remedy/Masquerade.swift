internal import HostAccess
internal import HostModel

/// Translates the network to the host's address by a small nft table of its own.
///
/// Where lxc-net makes the network's translation and its table is gone, the table is made again exactly as lxc-net
/// would, so that `lxc-net stop` removes it; else it is `ip lxc_doctor_BRIDGE`. A native table works beside
/// iptables-nft and iptables-legacy: an accept in another nat base chain does not end NAT.
struct Masquerade: Remedy {
    let id = "masquerade"

    /// The causes that one more rule or table cures. A shadowed rule is among them only where what shadows it lets
    /// everything out: anything narrower is a deliberate exemption.
    private static let cured: Set<String> = ["masq-missing", "masq-wrong-oif", "masq-wrong-subnet", shadowed]
    static let shadowed = "masq-shadowed"

    func plan(_ cause: Cause, in draft: inout PlanDraft) throws(LeftToPerson) {
        let network = try draft.network(of: cause)
        let rule = "ip saddr \(network.cidr) ip daddr != \(network.cidr) counter masquerade"
        guard Self.cured.contains(cause.id) else {
            throw LeftToPerson(
                why: "a rule that comes first decides; it may be an exemption made on purpose",
                what: ["Put before that rule, or narrow it: \(rule)"])
        }
        guard network.nat == .masquerade else {
            throw LeftToPerson(
                why: "the profile wants \(network.nat.rawValue), which this repair does not make", what: [])
        }
        try refuseNeighbours(network, draft)
        if let rule = draft.facts.translationForOthers.first {
            throw LeftToPerson(
                why: "a rule names everybody but this network, so that it may be left out on purpose: \(rule)",
                what: [
                    "Where it is not meant: \(rule.contains("legacy") ? "iptables-legacy -t nat -S" : "nft list ruleset")"
                ],
                withoutCommands: true)
        }
        if let outcome = draft.lxcNetOutcome(network), draft.starts(outcome) {
            return try draft.start(outcome, back: .stop, remedy: id, for: cause)
        }
        if cause.id == "masq-wrong-subnet", try draft.startAstrayAnew(network, for: cause) { return }
        if try planRule(network, cause, &draft) { return }
        if cause.id == Self.shadowed, try planAhead(network, cause, rule, &draft) { return }
        try refuseExemptions(network, cause, rule, draft)
        if let missing = draft.facts.nftablesMissing {
            let cidr = network.cidr
            throw LeftToPerson(
                why: "nftables cannot be used on this host: \(missing)",
                what: ["iptables -t nat -A POSTROUTING -s \(cidr) ! -d \(cidr) -j MASQUERADE"])
        }
        if cause.id != Self.shadowed, draft.facts.state.tables.values.contains(.translation(network.cidr)) {
            throw LeftToPerson(
                why: "a table that translates \(network.cidr) is there already, and something else decides",
                what: ["nft list ruleset"])
        }
        let name = try tableName(network, draft)
        try draft.add(
            .createTranslationTable(TranslationTable(name: name, network: network.cidr)), phase: .runtime, remedy: id,
            risk: "Everything from \(network.cidr) to other networks, private ones included, "
                + "gets the host's address; flows that exist already keep theirs until a step of its own ends them.",
            for: cause)
        try MasqueradePersistent().keepAcrossFlush(network, cause, &draft)
    }

    /// What another link's hosts send would be translated as well, where its subnet is this network or lies in it.
    private func refuseNeighbours(_ network: Network, _ draft: PlanDraft) throws(LeftToPerson) {
        if !draft.facts.state.exists(link: network.bridge) {
            try BridgeAddress.refuseElsewhere(network, in: draft)
        }
        for (link, addresses) in draft.facts.state.addresses.sorted(by: { $0.key < $1.key }) {
            guard link != network.bridge,
                let other = addresses.first(where: { network.cidr.contains($0.address.network) })
            else { continue }
            throw LeftToPerson(
                why: "\(link) carries \(other), and what its neighbours send would be translated too",
                what: ["Renumber one of them; to see both: ip -4 address"], withoutCommands: true)
        }
    }

    private func refuseExemptions(
        _ network: Network, _ cause: Cause, _ rule: String, _ draft: PlanDraft
    ) throws(LeftToPerson) {
        let shadows = cause.id == Self.shadowed ? draft.facts.translationShadows : []
        let exempt =
            network.exempt.map(\.description) + draft.facts.translationExemptions.filter { !shadows.contains($0) }
        guard !exempt.isEmpty else { return }
        throw LeftToPerson(
            why: "some packets are exempt from translation, and one more table would translate them too: "
                + exempt.joined(separator: ", "),
            what: ["Put after the exemptions, in their chain: \(rule)"], withoutCommands: true)
    }

    /// Of the table that is made where it is not lxc-net's to make.
    static func ownTableName(_ network: Network) -> String {
        "lxc_doctor_" + String(network.bridge.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
    }

    private func tableName(_ network: Network, _ draft: PlanDraft) throws(LeftToPerson) -> String {
        let table = draft.facts.state.table
        if draft.lxcNetSettings.translates(network), table("lxc") == .absent { return "lxc" }
        let own = Self.ownTableName(network)
        for name in [own] + (2...9).map({ "\(own)_\($0)" }) where table(name) == .absent { return name }
        throw LeftToPerson(
            why: "there are many tables ip \(own) already, and the network is still not translated",
            what: ["nft list ruleset"])
    }
}
