internal import HostModel

extension PathStep {
    /// The way of a packet that a filter at the ingress of the bridge ended: that comes before PREROUTING, unless
    /// br_netfilter called PREROUTING from inside the bridge, where the packet was before.
    static func ingress(_ kill: Killer, _ bridge: String, isBridgeNetfilter: Bool) -> [PathStep] {
        let end = PathStep(
            hook: "ingress", family: kill.family, table: kill.table, chain: kill.chain, link: bridge, reached: true)
        let prerouting = PathStep(hook: "prerouting", reached: isBridgeNetfilter)
        return (isBridgeNetfilter ? [prerouting, end] : [end, prerouting]) + [PathStep(hook: "routing", reached: false)]
    }
}
