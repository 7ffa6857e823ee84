import HostModel

/// The probes that built-in checks are written over, as a contract: a real probe of the same name may give more facts,
/// but none of these under another name or type.
enum Vocabulary {
    static let probes: [ProbeSpecification] =
        layers + [
            probe("link", "name:S", "exists:B kind:S up:B carrier:B ports:I mtu:I mac:S index:I"),
            probe("bridge-arp", "bridge:S", "arp:B ignored:B dropped:L"),
            probe("interface-addresses", "name:S", "addresses:L count:I"),
            probe("subnet-elsewhere", "network:S bridge:S", "links:L routes:L count:I felt:L"),
            probe("forwarding", "bridge:S uplink:S target:S", "global:B bridge:B uplink:B uplinkName:S off:L"),
            probe("uplink", "uplink:S target:S", "found:B name:S gateway:S source:S reason:S"),
            probe("sysctl", "key:S", "exists:B value:S"),
            probe(
                "source-translation", "network:S bridge:S target:S uplink:S",
                "translated:S defect:S rule:S backends:L eastWest:B makers:L"),
            probe(
                "forwarding-filter", "network:S bridge:S address:S target:S",
                "forwarded:S forwardedShape:S forwardedRule:S forwardedPacket:S answered:S answeredShape:S answeredRule:S "
                    + "answeredPacket:S dhcp:S dns:S inputRule:S inputPacket:S inputShape:S eastWest:S eastWestShape:S "
                    + "eastWestRule:S eastWestPacket:S eastWestFamily:S bridgeNetfilter:B duplicates:I "
                    + "duplicatedRule:S outsideModel:L allowed:L closed:L"
            ),
            probe(
                "sysctl-next-boot", "key:S",
                "value:S systemd:S procps:S decidedBy:S agrees:B init:S overridden:L setters:L effective:S"),
            probe(
                "bridge-next-boot", "bridge:S address:S",
                "creators:L count:I creator:S carriesAddress:B problems:L lxcNetOff:B"),
            probe("nat-next-boot", "bridge:S network:S", "makers:L count:I flushedBy:L lasting:B problems:L"),
            probe("lxc-installation", "", "installed:B binary:S version:S package:S manager:S legacyConfig:B"),
            probe(
                "lxc-net-settings", "",
                "installed:B script:S useBridge:B bridge:S address:S network:S dhcpRange:S dhcpMax:I sourced:B "
                    + "settingsFile:S consistent:B problems:L"),
            probe(
                "lxc-net-service", "bridge:S", "installed:B enabled:S flag:B stale:B staleBecause:S lost:S effective:B"),
            probe(
                "makina-job", "bridge:S",
                "present:B kinds:L files:L guardBroken:B inert:B missingTools:L sharesFlag:B"),
            probe("dhcp-server", "bridge:S address:S", "running:B pid:I listening:B rangeInSubnet:B range:S source:S"),
            probe(
                "lxc-path", "path:S",
                "path:S decidedBy:S exists:B directory:B owner:I mode:S writableByOthers:B traversable:B freeBytes:I "
                    + "freeInodes:I readOnly:B"),
            probe("base-image", "path:S image:S", "present:B complete:B missing:L legacyKeys:L directory:S"),
            probe("containers", "path:S", "names:L count:I elsewhere:L"),
            probe(
                "container-config", "path:S container:S",
                "links:L types:L noLink:B connectedOtherwise:B legacyKeys:L rootfs:S rootfsExists:B loadable:B error:S "
                    + "addresses:L config:S"),
            probe("container-ports", "path:S container:S", "unplugged:L plugs:L"),
            probe("container-hardware-addresses", "path:S", "count:I duplicates:L"),
            probe("packet-proof", "network:S", proof), probe("packet-proof-ipv6", "network:S", proof),
            probe("packet-proof-container", "network:S", "container:S arpFilters:L " + proof),
            probe("packet-proof-container-ipv6", "network:S", "container:S arpFilters:L " + proof),
            probe(
                "bridge-residents", "network:S",
                "count:I residents:L noRoute:L wrongGateway:L wrongSubnet:L duplicateMacs:L duplicateAddresses:L "
                    + "gatewayAnswers:L unknownPorts:L down:L tooLarge:L noAddress:L withoutARP:L gatewayAsked:B reason:S"
            ),
            probe(
                "resident-forwarding", "network:S cidr:S bridge:S address:S target:S",
                "count:I stopped:L rule:S unrouted:L unroutedBy:L way:S unreached:L cableFix:L"),
            probe(
                "packet-proof-local", "network:S kind:S",
                "arrival:S sourceAfter:S reason:S killer:S hook:S sharedOwner:S probes:L"),
            probe("forward-drop", "network:S", "dropped:B owner:S killer:S verdict:S"),
        ] + paths

    private static let proof =
        "verdict:S sourceAfter:S uplink:S mode:S delivery:S reason:S killer:S lostAt:S probes:L next:L"

    static func probe(_ name: String, _ parameters: String, _ facts: String) -> ProbeSpecification {
        ProbeSpecification(name: name, summary: "", parameters: fields(parameters), facts: fields(facts))
    }

    private static func fields(_ text: String) -> [String: FactType] {
        var fields: [String: FactType] = [:]
        for word in text.split(separator: " ") {
            let parts = word.split(separator: ":")
            switch parts.last {
            case "S": fields[String(parts[0])] = .string
            case "I": fields[String(parts[0])] = .integer
            case "B": fields[String(parts[0])] = .boolean
            default: fields[String(parts[0])] = .strings
            }
        }
        return fields
    }
}
