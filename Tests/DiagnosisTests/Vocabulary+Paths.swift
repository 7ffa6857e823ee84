import HostModel

extension Vocabulary {
    /// Probes of the ways out, of what the kernel keeps of flows, and of firewalls beside forwarding.
    static let paths: [ProbeSpecification] = [
        probe(
            "container-way", "network:S bridge:S address:S target:S",
            "way:S hostWay:S rule:S blocked:B diverted:B translated:S source:S borrowed:B borrowedFrom:S reversePath:S "
                + "reverseRule:S reversePacket:S reason:S container:S part:S reach:S"),
        probe(
            "way-back", "network:S bridge:S address:S target:S",
            "answers:S answersWay:S answersRule:S own:S ownWay:S ownRule:S lost:L lostBy:L lostRule:S known:I reason:S "
                + "container:S uplink:S"),
        probe(
            "other-uplinks", "network:S bridge:S address:S target:S",
            "uplinks:L count:I untranslated:L foreignSource:L inUse:B undecided:B reason:S"),
        probe("port-default-routes", "", "routes:L addresses:L count:I first:B"),
        probe("foreign-routing", "network:S bridge:S", "runs:B kept:B rules:L count:I concern:L setting:S"),
        probe("uplink-link", "uplink:S target:S", "name:S up:B carrier:B gateway:S state:S answers:B"),
        probe("gateway-on-link", "", "lone:L count:I hasDefault:B gateways:L files:L ways:L"),
        probe(
            "path-mtu", "network:S bridge:S address:S target:S",
            "bridgeMTU:I outsideMTU:I uplink:S smaller:B clamped:B clampRule:S fragmentationNeeded:S dropRule:S "
                + "deleteRule:S clamp:S"),
        probe("bridged-uplink", "bridge:S", "cards:L count:I wireless:L machine:S virtual:B"),
        probe("firewall-bridges", "bridge:S", "bridges:L count:I tracked:B zoned:B rule:S"),
        probe(
            "ipsec-selectors", "network:S bridge:S address:S target:S",
            "policies:L count:I translated:L undecided:B rule:S reason:S"),
        probe(
            "ipv6", "bridge:S uplink:S target:S",
            "bridgeAddresses:L uplinkName:S uplinkAddresses:L forwarding:B bridgeForwarding:B uplinkForwarding:B "
                + "acceptRA:I defaultRoute:B advertisedRoute:B deaf:B"),
        probe(
            "conntrack-table", "",
            "count:I maximum:I percent:I dropped:I earlyDropped:I insertFailed:I invalid:I"),
        probe("stray-packets", "network:S bridge:S address:S target:S", "invalid:I leave:B rule:S"),
        probe("stale-flows", "network:S bridge:S address:S target:S", "flows:L count:I looked:I"),
        probe("host-output", "network:S bridge:S address:S target:S", "dhcp:S dns:S fresh:S rule:S packet:S shape:S"),
        probe("firewall-front-ends", "", "names:L count:I"),
        probe("network-rules", "network:S bridge:S", "made:B rules:I sweepers:L reason:S"),
        probe("iptables-tables", "", "tables:L count:I rule:S"),
        probe("xtables-lock", "", "held:B process:S pid:I seconds:I"),
        probe(
            "ipv6-network", "bridge:S address:S", "carried:B addresses:L translated:S rule:S reason:S"),
        probe("managed-bridges", "", "names:L addresses:L owners:L modes:L translated:L"),
        probe("docker-raw-drops", "network:S bridge:S address:S target:S", "addresses:L count:I rule:S"),
    ]
}

extension Scene {
    /// What those probes see on a healthy host.
    static let healthyPaths: [String: [String: FactValue]] = [
        "container-way": [
            "way": .string("by eth0"), "hostWay": .string("by eth0"), "blocked": .boolean(false),
            "diverted": .boolean(false), "translated": .string(""), "borrowed": .boolean(false),
            "reversePath": .string("none"),
        ],
        "way-back": [
            "answers": .string("bridge"), "answersWay": .string("by lxcbr1"), "own": .string("bridge"),
            "ownWay": .string("by lxcbr1"), "lost": .strings([]), "lostBy": .strings([]),
        ],
        "other-uplinks": [
            "uplinks": .strings(["eth0"]), "untranslated": .strings([]), "foreignSource": .strings([]),
            "undecided": .boolean(false),
        ],
        "port-default-routes": ["count": .integer(0)],
        "foreign-routing": ["count": .integer(0), "kept": .boolean(false)],
        "uplink-link": ["name": .string("eth0"), "carrier": .boolean(true), "answers": .boolean(true)],
        "gateway-on-link": ["count": .integer(0), "hasDefault": .boolean(true)],
        "path-mtu": ["smaller": .boolean(false)],
        "bridged-uplink": ["count": .integer(0)],
        "firewall-bridges": ["tracked": .boolean(false), "zoned": .boolean(false)],
        "ipsec-selectors": ["translated": .strings([]), "undecided": .boolean(false)],
        "ipv6": ["bridgeAddresses": .strings([]), "uplinkAddresses": .strings([]), "deaf": .boolean(false)],
        "conntrack-table": ["percent": .integer(0), "insertFailed": .integer(0)],
        "stray-packets": ["invalid": .integer(0), "leave": .boolean(true)],
        "stale-flows": ["count": .integer(0)],
        "host-output": ["dhcp": .string("accepted"), "dns": .string("accepted"), "fresh": .string("accepted")],
        "firewall-front-ends": ["count": .integer(0)],
        "network-rules": ["made": .boolean(true), "rules": .integer(9), "sweepers": .strings([])],
        "iptables-tables": ["count": .integer(0)],
        "xtables-lock": ["held": .boolean(false), "seconds": .integer(0)],
        "ipv6-network": ["carried": .boolean(true), "translated": .string("yes")],
        "docker-raw-drops": ["count": .integer(0)],
    ]
}
