internal import HostAccess
internal import HostModel

/// Docker: rules in the chain that it leaves to the operator, and a unit that puts them there whenever it starts.
extension FirewallAccept {
    func docker(_ network: Network, _ cause: Cause, _ draft: inout PlanDraft) throws(LeftToPerson) {
        let table = try table(with: "DOCKER-USER", draft)
        let rules = bothWays(network, table, "DOCKER-USER")
        try insert(rules, network, cause, &draft)
        guard draft.facts.initSystem == "systemd" else { return }
        let unit = DockerUserUnit(network: network, rules: rules)
        guard unit.isWritable else {
            throw LeftToPerson(why: "the name \(network.bridge) cannot stand in a unit file", what: [])
        }
        try draft.install(
            OwnUnit(name: unit.name, text: unit.text, wantedBy: "multi-user.target"), remedy: id, for: cause,
            risk: "It runs iptables whenever Docker starts.", enabling: "The unit is started at boot, after Docker.")
        // Only an active unit is restarted together with Docker.
        try draft.check(.startUnit(name: unit.name), remedy: id, for: cause)
    }
}
