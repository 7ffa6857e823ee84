package import WireFormats

/// Which bridges br_netfilter shows to the rules of IPv4: what they carry from port to port passes those as if it were
/// routed. Source: `br_nf_pre_routing` in net/bridge/br_netfilter_hooks.c.
package struct BridgeNetfilter: Sendable, Hashable {
    package static let path = "/proc/sys/net/bridge/bridge-nf-call-iptables"

    /// Whether the module is loaded: without it the options of bridges do nothing.
    package let isLoaded: Bool
    /// `net.bridge.bridge-nf-call-iptables`: all bridges.
    package let isSet: Bool

    package init(on host: any Host) throws(HostError) {
        let text = try host.readTextIfPresent(Self.path, limit: 64)
        isLoaded = text != nil
        isSet = text?.first { !$0.isWhitespace }.map { $0 != "0" } ?? false
    }

    /// Whether a bridge is shown by an option of its own: `ip link set BRIDGE type bridge nf_call_iptables 1`.
    package func isOwnOption(of bridge: Link) -> Bool { isLoaded && bridge.bridge?.callsIptables == true }

    package func shows(_ bridge: Link) -> Bool { isSet || isOwnOption(of: bridge) }
}
