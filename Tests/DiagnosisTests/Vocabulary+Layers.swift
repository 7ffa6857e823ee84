import HostModel

/// Probes of links, of lxc-net's start, of containers and of what the machine can do.
extension Vocabulary {
    static let layers: [ProbeSpecification] = [
        probe(
            "bridge-options", "bridge:S",
            "stp:B forwardDelay:I waiting:L vlanFiltering:B withoutVlan:L snooping:B querier:B foreignQueriers:L "
                + "mac:S macIsSet:B macOfPort:S"),
        probe("bridge-ports", "bridge:S", "count:I room:I down:L isolated:L leftovers:L halted:L narrow:L"),
        probe("bridge-mac", "bridge:S", "wanted:S mac:S kept:B policy:S policyFile:S"),
        probe("bridge-netfilter-boot", "", "wanted:S setBy:S now:S module:S applied:B differs:B"),
        probe("ingress-filters", "bridge:S uplink:S target:S", "atBridge:L atUplink:L count:I"),
        probe("hairpin", "network:S bridge:S uplink:S target:S", "forwardings:I broken:L why:S"),
        probe("lxc-net-running", "", "up:B edited:L leftovers:L"),
        probe("lxc-net-script", "", "leaseDirectory:S leaseProblems:L ipv6NatFaults:L ipv6KernelFaults:L"),
        probe("dns-port", "bridge:S address:S", "conflict:B listener:S holder:S"),
        probe("dhcp-leases", "bridge:S address:S", "leases:I capacity:I free:I file:S"),
        probe("dnsmasq-confinement", "", "confinedBy:S denials:L place:S unread:L reason:S"),
        probe("autostart", "path:S bridge:S address:S", "containers:L makers:L ordered:B order:S"),
        probe("nesting", "network:S bridge:S", "container:S overlaps:L"),
        probe("kernel-modules", "", "release:S hasDirectory:B otherReleases:L locked:B missing:L"),
        probe(
            "container-devices", "path:S container:S",
            "badAddresses:L notUp:L unconnected:B types:L leased:L inactiveNetworks:L rawForbidden:L ignoredLimits:L"),
        probe(
            "container-guest", "path:S container:S",
            "system:S nameservers:L dnsProblems:L oldInit:B checksumMissing:B sandboxBlocked:B systemd:I"),
        probe("container-identity", "path:S container:S", "maps:L uncovered:L closed:L reason:S decided:B"),
        probe("container-twins", "path:S bridge:S", "containers:I addresses:L inRange:L machineIds:L"),
        probe("user-networks", "", "entries:L exhausted:L strangers:L restricted:B longNames:L"),
        probe("download-template", "", "keyServers:L gone:L"),
        probe("neighbour-table", "", "entries:I limit:I percent:I overflows:I table:S"),
    ]
}

extension Scene {
    /// What those probes see on a healthy host.
    static let layers: [String: [String: FactValue]] = [
        "bridge-options": [
            "stp": .boolean(false), "forwardDelay": .integer(15), "vlanFiltering": .boolean(false),
            "withoutVlan": .strings([]), "snooping": .boolean(true), "querier": .boolean(false),
            "foreignQueriers": .strings([]), "macIsSet": .boolean(true), "macOfPort": .string(""),
        ],
        "bridge-ports": [
            "count": .integer(0), "room": .integer(1024), "down": .strings([]), "isolated": .strings([]),
            "leftovers": .strings([]), "halted": .strings([]), "narrow": .strings([]),
        ],
        "bridge-mac": ["kept": .boolean(true), "policy": .string("")],
        "bridge-netfilter-boot": ["applied": .boolean(true), "differs": .boolean(false)],
        "ingress-filters": ["atBridge": .strings([]), "atUplink": .strings([]), "count": .integer(0)],
        "hairpin": ["broken": .strings([])],
        "lxc-net-running": ["up": .boolean(true), "edited": .strings([]), "leftovers": .strings([])],
        "lxc-net-script": [
            "leaseProblems": .strings([]), "ipv6NatFaults": .strings([]), "ipv6KernelFaults": .strings([]),
        ],
        "dns-port": ["conflict": .boolean(false)], "dhcp-leases": ["free": .integer(240)],
        "dnsmasq-confinement": ["denials": .strings([]), "unread": .strings([])],
        "autostart": ["ordered": .boolean(true)],
        "nesting": ["overlaps": .strings([])],
        "kernel-modules": ["hasDirectory": .boolean(true), "missing": .strings([])],
        "container-devices": [
            "badAddresses": .strings([]), "notUp": .strings([]), "unconnected": .boolean(false),
            "leased": .strings([]), "inactiveNetworks": .strings([]), "rawForbidden": .strings([]),
            "ignoredLimits": .strings([]),
        ],
        "container-guest": [
            "dnsProblems": .strings([]), "oldInit": .boolean(false), "checksumMissing": .boolean(false),
            "sandboxBlocked": .boolean(false),
        ],
        "container-identity": ["uncovered": .strings([]), "closed": .strings([]), "decided": .boolean(true)],
        "container-twins": ["addresses": .strings([]), "inRange": .strings([]), "machineIds": .strings([])],
        "user-networks": [
            "exhausted": .strings([]), "strangers": .strings([]), "restricted": .boolean(false),
            "longNames": .strings([]),
        ],
        "download-template": ["gone": .strings([])],
        "neighbour-table": ["percent": .integer(1), "overflows": .integer(0)],
    ]
}
