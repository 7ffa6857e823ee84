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

    /// Of IPv6. While it is 1, an interface whose `accept_ra` is 1 takes no router advertisements: it loses its default
    /// route. With 2 it takes them all the same (kernel, Documentation/networking/ip-sysctl).
    package static let ipv6Forwarding = "net.ipv6.conf.all.forwarding"

    package static func acceptRouterAdvertisements(of link: String) -> String {
        "net.ipv6.conf.\(link.replacing(".", with: "/")).accept_ra"
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
