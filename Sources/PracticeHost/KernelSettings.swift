/// The sysctls that a practice host depends on. A new network namespace copies some of them from the machine, so each
/// is set, to the value it has on a fresh Debian.
enum KernelSettings {
    static let values: [(key: String, value: String)] =
        ["all", "default"].flatMap { scope in
            [
                ("net/ipv4/conf/\(scope)/rp_filter", scope == "all" ? "0" : "2"),
                ("net/ipv4/conf/\(scope)/accept_local", "0"),
                ("net/ipv4/conf/\(scope)/accept_redirects", "1"),
                ("net/ipv4/conf/\(scope)/accept_source_route", "0"),
                ("net/ipv4/conf/\(scope)/arp_announce", "0"),
                ("net/ipv4/conf/\(scope)/arp_filter", "0"),
                ("net/ipv4/conf/\(scope)/arp_ignore", "0"),
                ("net/ipv4/conf/\(scope)/disable_policy", "0"),
                ("net/ipv4/conf/\(scope)/disable_xfrm", "0"),
                ("net/ipv4/conf/\(scope)/log_martians", "0"),
                ("net/ipv4/conf/\(scope)/promote_secondaries", "1"),
                ("net/ipv4/conf/\(scope)/proxy_arp", "0"),
                ("net/ipv4/conf/\(scope)/route_localnet", "0"),
                ("net/ipv4/conf/\(scope)/send_redirects", "1"),
                ("net/ipv4/conf/\(scope)/src_valid_mark", "0"),
                ("net/ipv6/conf/\(scope)/accept_ra", "1"),
                ("net/ipv6/conf/\(scope)/disable_ipv6", "0"),
                ("net/ipv6/conf/\(scope)/forwarding", "0"),
            ]
        } + [
            ("net/ipv4/icmp_echo_ignore_all", "0"),
            ("net/ipv4/ip_default_ttl", "64"),
            ("net/ipv4/ip_local_port_range", "32768 60999"),
            ("net/bridge/bridge-nf-call-iptables", "1"),
            ("net/bridge/bridge-nf-call-ip6tables", "1"),
            ("net/bridge/bridge-nf-call-arptables", "1"),
            ("net/ipv4/ip_forward", "0"),
        ]

    /// What the host's own sysctl.d sets when it boots.
    static let boot: [(key: String, value: String)] = [("net/ipv4/ip_forward", "1")]

    /// Writes the values. A key that the kernel does not have belongs to a facility that it does not have.
    static func apply(_ values: [(key: String, value: String)]) throws(PracticeHostError) {
        for (key, value) in values where fileExists("/proc/sys/" + key) {
            try writeKernelFile("/proc/sys/" + key, value + "\n")
        }
    }
}
