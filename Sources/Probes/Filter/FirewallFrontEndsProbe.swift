internal import ConfigFiles
package import HostAccess
package import HostModel
internal import PacketFilter

/// `firewall-front-ends`: the firewall programs that have rules in the kernel now. Two of them undo each other's work.
package struct FirewallFrontEndsProbe: Probe {
    package init() {}

    package let specification = ProbeSpecification(
        name: "firewall-front-ends", summary: "The firewall programs that are at work on this host",
        parameters: [:], facts: ["names": .strings, "count": .integer])

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let found = try FirewallFrontEnd.active(
            in: RulesetState(host: host).ruleset(), ConfigurationReader(host: host))
        return Observation(
            facts: ["names": .strings(found.map(\.name)), "count": .integer(found.count)],
            evidence: found.isEmpty
                ? [
                    Evidence(
                        source: "nfnetlink NFT_MSG_GETCHAIN", command: "nft list chains",
                        value: "no chains of a firewall program")
                ] : found.map(\.evidence))
    }
}

/// `network-rules {network, bridge}`: whether any rule speaks of the containers' network although lxc-net has made it, and
/// which firewall program could have swept them away.
package struct NetworkRulesProbe: Probe {
    package init() {}

    package let specification = ProbeSpecification(
        name: "network-rules", summary: "Whether lxc-net's rules are still there beside a firewall program",
        parameters: ["network": .string, "bridge": .string],
        facts: ["made": .boolean, "rules": .integer, "sweepers": .strings, "reason": .string])

    /// Services that replace the whole ruleset of iptables whenever they start. What `nftables.service` does is the
    /// business of `nat-next-boot`.
    private static let services = ["netfilter-persistent", "iptables"]

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let bridge = try parameters.string("bridge")
        let network = try parameters.prefix("network").network
        let reader = ConfigurationReader(host: host)
        let settings = try LXCNetSettings.read(from: host)
        guard settings.installed, settings.bridge == bridge else {
            throw .notApplicable("lxc-net does not make \(bridge)")
        }
        let flag = try reader.first(["/run/lxc/network_up", "/var/run/lxc/network_up"])
        let hasBridge = try reader.linkNames().contains(bridge)
        let isMade = flag != nil && hasBridge
        let ruleset = try RulesetState(host: host).ruleset()
        let separators = Array(" \"{},".utf8)
        let rules = ruleset.rules(thatMayName: bridge, or: network.first).count { index in
            let text = ruleset.text(ofRule: index)
            return text.range(ofText: network.description) != nil
                || text.utf8.split { separators.contains($0) }.contains { $0.elementsEqual(bridge.utf8) }
        }
        var observation = Observation(
            facts: ["made": .boolean(isMade), "rules": .integer(rules), "reason": .string("")],
            evidence: [
                Evidence(path: flag ?? "/run/lxc/network_up", value: flag == nil ? "absent" : "present"),
                Evidence(
                    source: "nfnetlink NFT_MSG_GETRULE", command: "nft list ruleset; iptables-save",
                    value: rules == 0
                        ? "no rule names \(bridge) or \(network)" : "\(rules) rules name \(bridge) or \(network)"),
            ])
        var sweepers: [String] = []
        if isMade, rules == 0 {
            for one in try FirewallFrontEnd.active(in: ruleset, reader) {
                sweepers.append(one.name)
                observation.evidence.append(one.evidence)
            }
            let services = try BootServices(reader)
            for name in Self.services {
                let state = try services.state(name)
                guard state == .enabled else { continue }
                sweepers.append(name)
                observation.evidence.append(services.evidence(name, state))
            }
        }
        observation.facts["sweepers"] = .strings(sweepers)
        return observation
    }
}
