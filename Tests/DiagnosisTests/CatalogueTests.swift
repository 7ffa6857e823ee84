import BuiltInCatalog
import CheckCatalog
import HostModel
import TestSupport
import Testing

@testable import Diagnosis

/// The catalogue of known failure modes: each is detected by a check, or at least explained.
@Suite struct CatalogueTests {
    /// Every failure mode that is known to the field. An id never leaves this list.
    static let ids = [
        "apparmor-userns-restricted", "arp-filtered", "autostart-before-bridge", "base-image-incomplete",
        "base-image-missing",
        "bridge-addr-duplicated", "bridge-address-lost", "bridge-down", "bridge-l2-filter-drop",
        "bridge-mac-unstable", "bridge-mcast-snooping", "bridge-missing", "bridge-nf-forward-drop",
        "bridge-nf-sysctl-not-applied", "bridge-not-persistent", "bridge-port-isolated", "bridge-stp-delay",
        "bridge-vlan-filtering", "bridge-wrong-address-or-mask", "cgroup-hierarchy-mismatch",
        "config-address-without-prefix", "config-flags-not-up", "config-legacy-keys", "config-links-other-bridge",
        "config-no-link", "config-type-empty-or-none", "conntrack-full", "conntrack-zone-needed",
        "container-dhcp-plus-static", "container-dns-broken", "container-forward-drop", "container-networkd-sandboxed",
        "container-no-address", "container-no-default-route", "container-ping-not-permitted", "container-wrong-gateway",
        "default-route-on-veth", "dhcp-checksum-not-filled", "dhcp-pool-exhausted", "dhcp-range-outside-subnet",
        "dnsmasq-mac-denied", "dnsmasq-not-running", "docker-forward-drop", "docker28-raw-drop", "drop-unexplained",
        "duplicate-container-ip", "duplicate-container-mac", "egress-allow-list", "egress-filtered",
        "firewall-boot-order", "firewall-reload-flush",
        "firewalld-zone", "forward-policy-drop", "forward-return-missing", "forward-rule-drop", "gateway-ip-stolen",
        "gateway-unreachable",
        "hairpin-missing", "hosting-point-to-point", "idmap-broken", "image-download-fails",
        "image-or-rootfs-missing", "input-drops-dhcp-dns", "invalid-hwaddr", "ip-forward-off", "ip-forward-reset",
        "ipsec-masqueraded", "iptables-legacy-nft-split", "iptables-nft-incompatible-table", "ipv6-accept-ra-lost",
        "ipv6-address-missing",
        "ipv6-dropped", "ipv6-forward-off", "ipv6-nat-missing", "ipv6-no-route", "ipv6-wrong-source",
        "kernel-modules-missing", "libvirt-network-inactive",
        "lxc-net-config-not-sourced",
        "lxc-net-edited-while-up", "lxc-net-ipv6-nat-syntax", "lxc-net-leasefile-dir", "lxc-net-no-ipv6-kernel",
        "lxc-net-not-enabled", "lxc-net-port53-conflict", "lxc-net-stale-network-up", "lxc-not-installed",
        "lxcpath-missing", "lxcpath-wrong-owner-or-mode", "mac-policy-persistent", "makina-job-guard",
        "makina-job-inert", "makina-job-tools-missing", "makina-shares-network-up", "masq-borrowed-source",
        "masq-duplicated", "masq-hits-east-west", "masq-missing", "masq-not-persistent", "masq-shadowed",
        "masq-wrong-oif", "masq-wrong-subnet", "mtu-blackhole", "multi-uplink-nat", "nat-invalid-leak",
        "nat-notrack", "neigh-table-overflow", "nested-same-subnet", "netdev-ingress-or-tc-drop",
        "networkd-deletes-foreign-routes", "nft-other-table-drop", "nftables-flush-ruleset", "no-default-route",
        "output-drop", "per-interface-forwarding-off", "policy-route-captures", "probe-redirected",
        "rootfs-not-traversable", "rp-filter-drop", "rpfilter-rule-drop", "shorewall-misconfig", "snat-dead-source",
        "snat-port-race", "stale-conntrack", "storage-full", "subnet-overlap", "two-firewalls-active",
        "tx-checksum-offload-bug", "ufw-forward-drop", "uplink-filters-mac", "uplink-no-carrier",
        "user-nic-invalid-argument",
        "usernet-quota", "veth-host-side-down", "veth-leftover-port-limit", "veth-not-in-bridge", "vpn-killswitch",
        "xtables-lock",
    ]

    private static let detected = Set(BuiltIn.checks().flatMap { $0.causes.map(\.id) })

    /// What `list causes` shows is what the rules below are about: no cause is left out of them.
    @Test func everyCauseIsInTheCatalogue() {
        let known = Set(BuiltIn.causes().map(\.id))
        #expect(known.subtracting(Self.ids) == [], "causes without the rules below")
        #expect(Set(Self.ids).subtracting(known) == [], "ids that nobody explains")
        #expect(Set(Self.ids).count == Self.ids.count)
    }

    @Test(arguments: ids) func isDetectedOrExplained(_ id: String) throws {
        let entry = try #require(BuiltIn.causes().first { $0.id == id }, "nobody knows \(id)")
        #expect(entry.isDocumentedOnly != Self.detected.contains(id), "\(id)")
    }

    @Test func mostAreDetected() {
        let count = Self.ids.filter(Self.detected.contains).count
        #expect(count >= 90, "\(count) of \(Self.ids.count)")
    }

    /// A cause counts as detected when a case names it from its evidence, and no longer does once that evidence is
    /// replaced by a healthy host's.
    @Test(arguments: ids.filter(detected.contains)) func hangsOnItsEvidence(_ id: String) throws {
        let failing = CheckCaseTests.cases.filter { $0.verdict == .fail && $0.causes.contains(id) }
        #expect(!failing.isEmpty, "no case names \(id)")
        for one in failing {
            #expect(try Self.isNamed(id, in: one), "\(one)")
            let healthy = CheckCaseTests.cases.filter { $0.check == one.check && $0.verdict == .pass }
            let replaced = healthy.map { good in
                var replaced = one
                replaced.outcome = good.outcome
                // What the healthy host is meant to be, where that differs, is part of what it shows.
                replaced.with.merge(good.with) { _, new in new }
                return replaced
            }
            #expect(!replaced.isEmpty)
            for one in replaced { #expect(try !Self.isNamed(id, in: one), "\(one), seen on a healthy host") }
        }
        TestResults.note(.detected, [id])
    }

    private static func isNamed(_ id: String, in one: CheckCase) throws -> Bool {
        let finding = try CheckCaseTests.finding(of: one)
        return finding.verdict == .fail && finding.causes.contains(id)
    }
}
