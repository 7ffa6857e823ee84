internal import ConfigFiles
package import HostAccess
internal import HostModel

/// Which firewall programs own rules on a host, as far as repairs need to know.
package struct FirewallFacts: Codable, Sendable, Hashable {
    /// Which world the command `iptables` works in; nil: it is not installed.
    package var flavour: IptablesFlavour?
    /// Whether netfilter-persistent loads `/etc/iptables/rules.v4` at boot.
    package var savesRules = false

    /// The files that nftables.service loads at boot, the main one first; empty where it does not start.
    package var nftablesFiles: [String] = []

    /// Of shorewall, as `5.2.8`; nil: it is not installed.
    package var shorewallVersion: String?
    /// Whether shorewall starts at boot.
    package var startsShorewall = false

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
    static let files = [savedRules, ufwRules, trustedZone, packagedZone, FirewallAccept.dockerFile]

    static let nftables = "/etc/nftables.conf"
    private static let nftablesEnabled = ["sysinit", "multi-user"].map {
        "/etc/systemd/system/\($0).target.wants/nftables.service"
    }
    private static let shorewallEnabled = ["basic", "multi-user"].map {
        "/etc/systemd/system/\($0).target.wants/shorewall.service"
    }
    private static let mostIncludes = 64

    static func read(_ host: any Host) throws(HostError) -> FirewallFacts {
        var facts = FirewallFacts()
        if let link = try host.statusIfPresent(alternative, followLinks: false)?.target {
            facts.flavour = link.hasSuffix("legacy") ? .legacy : .nft
        }
        let isEnabled = try host.statusIfPresent(savingEnabled, followLinks: false) != nil
        facts.savesRules = isEnabled ? try host.statusIfPresent(savedRules) != nil : false
        facts.shorewallVersion = try host.readTextIfPresent(ShorewallZone.version).map {
            String($0.prefix { $0 == "." || $0.isNumber })
        }
        for link in shorewallEnabled where try host.statusIfPresent(link, followLinks: false) != nil {
            facts.startsShorewall = true
        }
        for link in nftablesEnabled where try host.statusIfPresent(link, followLinks: false) != nil {
            facts.nftablesFiles = try nftablesFiles(host)
        }
        return facts
    }

    /// The main file and what it includes.
    private static func nftablesFiles(_ host: any Host) throws(HostError) -> [String] {
        guard let text = try host.readTextIfPresent(nftables) else { return [] }
        let includes = NftablesConf(path: nftables, bytes: Array(text.utf8)).includes
        var files = [nftables]
        for include in includes.prefix(mostIncludes) {
            let path = include.hasPrefix("/") ? include : "/etc/" + include
            guard path.contains("*") || path.contains("?") else {
                if try host.statusIfPresent(path)?.kind == .file { files.append(path) }
                continue
            }
            let directory = HostState.directory(of: path)
            let pattern = String(path.dropFirst(directory.utf8.count + 1))
            for name in try host.listIfPresent(directory) where Wildcard.matches(pattern, name) {
                files.append("\(directory)/\(name)")
            }
        }
        return Array(files.prefix(mostIncludes))
    }
}
