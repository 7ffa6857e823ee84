internal import HostAccess
package import HostModel
internal import PacketFilter

extension Evidence {
    /// A rule that did something with a packet.
    init(_ rule: RulePlace) {
        self.init(
            source: "\(rule.family) \(rule.table) \(rule.chain)",
            command: rule.text.hasPrefix("-")
                ? "iptables -t \(rule.table) -S \(rule.chain)"
                : "nft -a list chain \(rule.family) \(rule.table) \(rule.chain)",
            value: rule.text)
    }

    /// What ends a packet's way, and how a person sees it.
    package init(_ killer: Killer) {
        guard let table = killer.table else {
            let command =
                killer.text.hasPrefix("rp_filter")
                ? "ip rule; ip route show table all; sysctl -a -r rp_filter" : "ip route; sysctl -a -r forwarding"
            self.init(source: killer.hook, command: command, value: killer.text)
            return
        }
        let place = [killer.family, table, killer.chain].compactMap { $0 }.joined(separator: " ")
        let isLegacy = killer.backend == "iptables-legacy" || killer.text.hasSuffix("(iptables-legacy)")
        let legacy = isLegacy ? "iptables-legacy" : "iptables"
        self.init(
            source: [place, killer.ruleWords].compactMap { $0 }.joined(separator: ", "),
            command: killer.text.hasPrefix("-")
                ? "\(legacy) -t \(table) -S \(killer.chain ?? "")" : "nft -a list chain \(place)",
            value: killer.text)
    }

    /// What makes the rules of IPv4 see what a bridge carries from port to port, or that nothing does.
    init(bridgeNetfilter bridge: HostForwarding.Interface, of forwarding: HostForwarding) {
        guard !forwarding.bridgeNetfilter, bridge.callsIptables == true else {
            self.init(
                source: BridgeNetfilter.path, command: "sysctl net.bridge.bridge-nf-call-iptables",
                value: forwarding.bridgeNetfilter ? "1" : "0")
            return
        }
        self.init(
            source: "rtnetlink RTM_GETLINK \(bridge.name), IFLA_BR_NF_CALL_IPTABLES",
            command: "ip -d link show dev \(bridge.name)", value: "nf_call_iptables 1, an option of the bridge itself")
    }

    /// A rule: where it stands, how to list its chain, and what it says.
    init(rule: Int, of ruleset: Ruleset) {
        self.init(
            source: ruleset.place(ofRule: rule), command: ruleset.command(forRule: rule),
            value: ruleset.text(ofRule: rule))
    }
}
