internal import ConfigFiles
internal import HostAccess
internal import HostModel

/// Docker: rules in the chain that it leaves to the operator, behind whatever the operator drops there on purpose. What puts them there whenever Docker starts is a unit of
/// systemd; where there is no systemd, Docker 28 and later are told not to drop what other programs forward. That opens
/// more than the rules do, so that it comes second.
extension FirewallAccept {
    static let dockerChain = "DOCKER-USER"
    static let dockerFile = "/etc/docker/daemon.json"

    func docker(_ network: Network, _ cause: Cause, _ draft: inout PlanDraft) throws(LeftToPerson) {
        try draft.keepAllowance(of: network)
        let table = try table(with: Self.dockerChain, draft)
        let aim = IptablesAim(
            .forwarding, network, uplink: draft.facts.uplinks[network.name], in: Self.dockerChain)
        let listing = draft.facts.state.rules[table] ?? IptablesListing()
        if let decision = aim.decision(in: listing) { throw Self.meant([decision]) }
        guard let rules = aim.accepts(in: listing, table) else {
            guard let killer = aim.killer(in: listing) else {
                throw LeftToPerson(why: "\(Self.dockerChain) lets the network through already", what: ["iptables -S"])
            }
            throw Self.meant([killer])
        }
        try insert(rules, network, cause, &draft)
        guard draft.facts.initSystem == "systemd" else { return try leaveOpen(cause, &draft) }
        let unit = DockerUserUnit(network: network, rules: rules)
        guard unit.isWritable else {
            throw LeftToPerson(
                why: "the rules cannot stand in a unit file",
                what: rules.map { "Whenever Docker has started: " + Self.command($0) })
        }
        try draft.install(
            OwnUnit(name: unit.name, text: unit.text, wantedBy: "multi-user.target"), remedy: id, for: cause,
            risk: "It runs iptables whenever Docker starts.", enabling: "The unit is started at boot, after Docker.")
        // Only an active unit is restarted together with Docker.
        try draft.check(.startUnit(name: unit.name), remedy: id, for: cause)
    }

    private static func command(_ rule: IptablesRule) -> String {
        ([rule.table.flavour.program] + rule.insertion(position: 1)).joined(separator: " ")
    }

    /// It counts from Docker's next start on. Until then the rules do. Source: dockerd(8), `--ip-forward-no-drop`.
    private func leaveOpen(_ cause: Cause, _ draft: inout PlanDraft) throws(LeftToPerson) {
        let key = "ip-forward-no-drop"
        guard let major = draft.facts.dockerVersion, major >= 28 else {
            throw LeftToPerson(
                why: "nothing on this host would put the rules back when Docker starts: there is no systemd, and only "
                    + "Docker 28 and later know \(key)",
                what: ["Have the host's own boot scripts do it, after Docker has started:"])
        }
        let before = try draft.editable(Self.dockerFile)
        guard let file = DockerDaemonFile(bytes: before?.bytes.bytes ?? Array("{}\n".utf8)) else {
            throw LeftToPerson(
                why: "\(Self.dockerFile) is not one JSON object",
                what: ["dockerd --validate --config-file \(Self.dockerFile)"])
        }
        guard file.value(key) != "true" else { return }
        var after = before ?? FileContent(bytes: ByteString([]))
        after.bytes = ByteString(file.setting(key, to: "true"))
        try draft.add(
            .file(path: Self.dockerFile, before: before, after: after), phase: .persistent, remedy: id,
            risk: "From its next start on Docker leaves every way through this host open that no other rule closes, "
                + "not only the containers'.",
            for: cause)
        try draft.check(.checkDocker(path: Self.dockerFile), remedy: id, for: cause)
    }
}

extension FirewallFacts {
    /// The first number of `Docker version 28.5.2+dfsg1, build 297e128`.
    static func docker(version: String?) -> Int? {
        let words = (version ?? "").split(separator: " ")
        guard words.count > 2, words[0] == "Docker", words[1] == "version" else { return nil }
        return Int(words[2].prefix { $0.isASCII && $0.isNumber }.prefix(6))
    }
}
