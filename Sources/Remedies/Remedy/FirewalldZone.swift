internal import ConfigFiles
internal import HostAccess
internal import HostModel

/// Puts the bridge into firewalld's zone `trusted`, which accepts and forwards: now by firewalld itself, and for good
/// in the zone's file, which firewalld's own checker must accept. lxc-net goes on translating.
struct FirewalldZone: Remedy {
    let id = "firewalld-zone"
    private static let zone = "trusted"

    func plan(_ cause: Cause, in draft: inout PlanDraft) throws(LeftToPerson) {
        let network = try draft.network(of: cause)
        try draft.keepAllowance(of: network)
        let bridge = network.bridge
        if let zone = draft.facts.state.zones[bridge], zone != Self.zone {
            throw LeftToPerson(
                why: "\(bridge) is in the zone \(zone), whose rules are the operator's",
                what: ["firewall-cmd --info-zone=\(Shell.quote(zone))"], withoutCommands: true)
        }
        try draft.add(
            .run(.firewalldAdd(interface: bridge, zone: Self.zone)), phase: .runtime, remedy: id,
            risk: "Containers of \(bridge) reach every service of this host, and other networks.", for: cause)
        let path = FirewallFacts.trustedZone
        let before = try draft.editable(path)
        guard let packaged = draft.facts.state.file(FirewallFacts.packagedZone) ?? before else {
            throw LeftToPerson(why: "firewalld has no zone \(Self.zone)", what: ["firewall-cmd --get-zones"])
        }
        let base = before ?? FileContent(bytes: packaged.bytes)
        let file = FirewalldZoneFile(bytes: base.bytes.bytes)
        guard let edited = file.adding(interface: bridge) else {
            throw LeftToPerson(
                why: "\(path) is not as firewalld writes it",
                what: ["firewall-cmd --permanent --zone=\(Self.zone) --add-interface=\(bridge)"])
        }
        var after = base
        after.bytes = ByteString(edited.bytes)
        try draft.add(
            .file(path: path, before: before, after: after), phase: .persistent, remedy: id,
            risk: "firewalld reads it at every start and reload.", for: cause)
        try draft.check(.checkFirewalld, remedy: id, for: cause)
    }
}
