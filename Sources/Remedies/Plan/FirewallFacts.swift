package import HostAccess
internal import HostModel

/// Which firewall programs own rules on a host, as far as repairs need to know.
package struct FirewallFacts: Codable, Sendable, Hashable {
    /// Which world the command `iptables` works in; nil: it is not installed.
    package var flavour: IptablesFlavour?
    /// Whether netfilter-persistent loads `/etc/iptables/rules.v4` at boot.
    package var savesRules = false

    package init(flavour: IptablesFlavour? = nil, savesRules: Bool = false) {
        self.flavour = flavour
        self.savesRules = savesRules
    }

    package static let savedRules = "/etc/iptables/rules.v4"
    package static let ufwRules = "/etc/ufw/user.rules"
    package static let ufwSettings = "/etc/ufw/ufw.conf"
    package static let units = "/etc/systemd/system"

    static let trustedZone = "/etc/firewalld/zones/trusted.xml"
    static let packagedZone = "/usr/lib/firewalld/zones/trusted.xml"
    static let alternative = "/etc/alternatives/iptables"
    static let savingEnabled = "/etc/systemd/system/multi-user.target.wants/netfilter-persistent.service"

    /// Every file that a repair of a firewall may edit.
    static let files = [savedRules, ufwRules, trustedZone, packagedZone]

    static func read(_ host: any Host) throws(HostError) -> FirewallFacts {
        var facts = FirewallFacts()
        if let link = try host.statusIfPresent(alternative, followLinks: false)?.target {
            facts.flavour = link.hasSuffix("legacy") ? .legacy : .nft
        }
        let isEnabled = try host.statusIfPresent(savingEnabled, followLinks: false) != nil
        facts.savesRules = isEnabled ? try host.statusIfPresent(savedRules) != nil : false
        return facts
    }
}
