/// What a packet shows, what a running container has, and what only the next boot or IPv6 brings to light.
extension BrokenHost {
    private static let inContainer = "lxc-attach -n c1 -- ip "

    static let packets = [
        named("drop-unexplained", "nat.proof", "its time to live was over", byHand: "nft delete table ip mangling"),
        named("drop-unexplained=policy", "nat.proof", "XFRM_POLICY", byHand: "ip xfrm policy flush"),
        named("probe-redirected", "nat.proof", "redirect", byHand: "nft delete table ip proxy"),
        named(
            "probe-redirected=everything", "nat.proof", "delivered to this host", byHand: "nft delete table ip trap"),
        named(
            "bridge-l2-filter-drop", "nat.east-west-proof", "policy drop", byHand: "nft delete table bridge guard"),
        named("bridge-l2-filter-drop=rule", "nat.east-west-proof", "dropped", byHand: "ebtables-nft -F FORWARD"),
        named(
            "container-no-default-route", "container.default-routes", "c1 eth0", "via nothing",
            byHand: inContainer + "route add default via 10.5.0.1"),
        named(
            "container-no-default-route=one-of-two", "container.default-routes", "c2 eth0", "via nothing",
            byHand: "lxc-attach -n c2 -- ip route add default via 10.5.0.1"),
        named(
            "container-no-address", "container.has-address", "c1 eth0 without an IPv4 address",
            byHand: inContainer + "addr add 10.5.92.18/16 dev eth0; \(inContainer)route add default via 10.5.0.1"),
        named("arp-filtered", "bridge.answers-arp", "NOARP", byHand: "ip link set lxcbr1 arp on"),
        named("arp-filtered=table", "bridge.answers-arp", "policy drop", byHand: "nft delete table arp guard"),
        named(
            "arp-filtered=ignore", "bridge.answers-arp", "arp_ignore = 8",
            byHand: "sysctl -q -w net.ipv4.conf.all.arp_ignore=0"),
        named("arp-filtered=container", "container.arp-on", "NOARP", byHand: inContainer + "link set eth0 arp on"),
        named(
            "egress-filtered", "firewall.unrestricted", "passes: HTTPS (tcp 443), DNS (udp 53)",
            byHand: "nft insert rule inet mine forward iifname lxcbr1 accept"),
        named(
            "egress-allow-list", "firewall.unrestricted", "passes: everything to 192.0.2.0/24",
            byHand: "nft insert rule inet mine forward iifname lxcbr1 accept"),
        named(
            "container-wrong-gateway", "container.gateways", "via 10.5.0.3",
            byHand: inContainer + "route replace default via 10.5.0.1"),
        named(
            "gateway-ip-stolen", "container.gateway-owner", "c2 eth0",
            byHand: "lxc-attach -n c2 -- ip addr del 10.5.0.1/16 dev eth0; \(inContainer)neigh flush dev eth0"),
        named(
            "container-forward-drop", "firewall.containers-forwarded", "ip saddr 10.5.",
            byHand: "nft delete rule inet lxc forward handle "
                + "$(nft -a list chain inet lxc forward | sed -n 's/.*ip saddr 10.*handle //p')"),
        named(
            "firewall-boot-order", "nat.persistent", "/etc/rc.local:3 'nft -f /etc/firewall.nft' after lxc-net",
            byHand: "chmod -x /etc/rc.local"),
        named(
            "firewall-boot-order=saved-rules", "nat.persistent", "/etc/iptables/rules.v4:1 '*nat' after lxc-net",
            options: ["--backend", "iptables-nft"],
            byHand: "sed -i 's/^After=/Before=/' /etc/systemd/system/netfilter-persistent.service"),
        named("storage-full", "host.lxc-path-inodes", "/var/lib/lxc", byHand: "umount /var/lib/lxc"),
        named(
            "ipv6-address-missing", "bridge.ipv6-address", "lxcbr1 has no IPv6 address of its own",
            byHand: "ip -6 address add fd42:5::1/64 dev lxcbr1 nodad"),
        named("ipv6-dropped", "nat.ipv6-proof", "policy drop", byHand: "nft delete table ip6 fence"),
        named(
            "ipv6-wrong-source", "nat.ipv6-proof", "2001:db8:77::9",
            byHand: "nft flush chain ip6 six post; nft add rule ip6 six post ip6 saddr fd42:5::/64 masquerade"),
        named(
            "ipv6-no-route", "nat.ipv6-proof", "rout",
            byHand: "ip -6 route add default via 2001:db8:ff::1 dev up0"),
        named(
            "ipv6-nat-missing", "nat.ipv6", "no rule translates",
            byHand: "ip6tables -w -t nat -A POSTROUTING -s fd42:5::/64 ! -d fd42:5::/64 -j MASQUERADE"),
    ]
}
