internal import HostModel

/// The names of sysctl keys that repairs use, in the form with dots.
package enum SysctlName {
    /// Writing it sets the forwarding of every interface and the reverse of `all.accept_redirects`
    /// (kernel, `inet_forward_change` of net/ipv4/devinet.c).
    package static let ipForward = SysctlKey.ipForward.description
    /// The same knob under another name.
    package static let allForwarding = SysctlKey.allForwarding.description
    /// What an interface made later begins with.
    package static let defaultForwarding = "net.ipv4.conf.default.forwarding"
    package static let acceptRedirects = "net.ipv4.conf.all.accept_redirects"

    package static func forwarding(of link: String) -> String {
        interface(link, "forwarding")
    }

    package static func promoteSecondaries(of link: String) -> String {
        interface(link, "promote_secondaries")
    }

    /// Of IPv6. Writing it sets the switch of every interface and of those to come (kernel, `addrconf_fixup_forwarding`
    /// of net/ipv6/addrconf.c). While it is 1, an interface whose `accept_ra` is 1 takes no router advertisements: it loses its default
    /// route. With 2 it takes them all the same (kernel, Documentation/networking/ip-sysctl).
    package static let ipv6Forwarding = ipv6Forwarding(of: "all")

    package static func ipv6Forwarding(of link: String) -> String {
        SysctlKey.ipv6(interface: link, "forwarding")?.description ?? ""
    }

    package static func acceptRouterAdvertisements(of link: String) -> String {
        SysctlKey.ipv6(interface: link, "accept_ra")?.description ?? ""
    }

    /// Whether it is one interface's switch, or that of interfaces to come.
    static func isSwitchOfIPv6(_ key: String) -> Bool {
        key.hasPrefix("net.ipv6.conf.") && key.hasSuffix(".forwarding") && key != ipv6Forwarding
    }

    private static func interface(_ link: String, _ name: String) -> String {
        SysctlKey.ipv4(interface: link, name)?.description ?? ""
    }

    /// The file below `/proc/sys`. Nil for anything that is not below `net`, or that would leave it.
    package static func path(_ key: String) -> String? {
        guard let key = SysctlKey(key), key.parts.first == "net", key.parts.count > 1 else { return nil }
        return key.path
    }
}
