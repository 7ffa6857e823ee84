package import HostAccess
package import HostModel
package import Probes
package import WireFormats

/// What a plan needs to know of a host before anything happens. `read` gathers it; the planner itself asks nobody.
package struct PlanFacts: Codable, Sendable, Hashable {
    package var state: HostState
    /// The interface towards the outside, by the name of the network.
    package var uplinks: [String: String]
    /// `systemd`, or `other`.
    package var initSystem: String
    package var lxcNet: LxcNetFacts
    /// Why nftables cannot be used; nil: it can.
    package var nftablesMissing: String?
    /// The files that set sysctls at boot, as text, by path; a link is followed.
    package var sysctlFiles: [String: String]
    /// Rules of source NAT chains that let some traffic through untranslated on purpose, as text.
    package var translationExemptions: [String]
    /// Those of them that let everything to the outside through, by accident or not: nothing about a rule but its
    /// source and the uplink.
    package var translationShadows: [String] = []
    /// Where a rule of nftables goes ahead of one that shadows the translation of a network, by the network's name; looked
    /// for only where that is a cause.
    package var translationPlaces: [String: TranslationPlace] = [:]
    /// Why there is no such place, where there is none.
    package var translationPlaceless: [String: String] = [:]
    /// Whose files beside lxc-net's make, or would make, a network's bridge at boot; by the name of the bridge. Where
    /// containers that link another bridge are a cause, of that bridge too.
    package var bridgeMakers: [String: [BridgeMaker]] = [:]
    /// Why that is not known; nil: it is.
    package var bridgeMakersUnknown: String?
    /// The same of bridges that are linked and not there.
    package var linkedMakersUnknown: [String: String] = [:]
    /// Where a script, a unit or the like names a bridge that is linked and not there.
    package var linkedNamedAt: [String: String] = [:]
    /// The programs that LXC runs for containers that link such a bridge, by the path of their configuration.
    package var containerHooks: [String: String] = [:]
    /// Whether libvirt is on this host, running or not; known where containers that link another bridge are a cause.
    package var hasLibvirt = false
    /// Networks that a table of nftables itself masquerades.
    package var translatedNatively: [IPv4Prefix] = []
    /// The network of lxc-net's own nft table, where nobody has put anything into it.
    package var translatedByLxcNet: IPv4Prefix?
    /// What stands in all of lxc-net's nft tables.
    package var lxcNetRules = LxcNetRules.none
    package var firewall = FirewallFacts()
    package var networkManager = NetworkManagerFacts()
    /// Docker's, as 28; nil: there is none, or it need not be known.
    package var dockerVersion: Int?
    /// Chains of nftables that drop what they are not told to accept.
    package var filterChains: [FilterChain] = []
    /// What the rules allow a network's containers while they drop the rest, by the network's name; looked for only where
    /// a firewall is a cause.
    package var allowances: [String: Allowances] = [:]
    /// Why that is not known.
    package var allowancesUnknown: [String: String] = [:]
    /// Nil: none that is known.
    package var packageManager: PackageManager?
    /// The package manager holds LXC for installed, whether its programs are there or not. Looked at only where they
    /// are not.
    package var packageCountsAsInstalled = false
    /// The directory of the containers.
    package var lxcPath = "/var/lib/lxc"
    /// Flows older than the rules that would translate them, by the name of the network; looked for only where they are
    /// a cause.
    package var staleFlows: [String: [TrackedFlow]] = [:]
    /// How many of them a flow table forwards, which the kernel does not let go of.
    package var offloadedFlows: [String: Int] = [:]
    /// Links that have, or wait for, a default route or an address from router advertisements.
    package var advertised: Set<String> = []
    /// What others have put on a bridge and lxc-net, started anew, does not bring back, in words; by the bridge's name.
    package var notBroughtBack: [String: [String]] = [:]
    /// Routes into a part of a network that leave by other links, in words; by the bridge's name.
    package var routedElsewhere: [String: [String]] = [:]
    /// lxc-net's settings that are no longer those that it runs with, in words.
    package var lxcNetEdits: [String: String] = [:]
    /// Rules of source NAT about everybody but one of the networks, as text.
    package var translationForOthers: [String] = []
    /// Routes that somebody made to send from an address of this host, in words.
    package var sentFrom: [IPv4Address: [String]] = [:]
    /// What must not be cut off.
    package var connections: Connections

    package init(
        state: HostState, uplinks: [String: String] = [:], initSystem: String = "systemd",
        lxcNet: LxcNetFacts = LxcNetFacts(), nftablesMissing: String? = nil, sysctlFiles: [String: String] = [:],
        translationExemptions: [String] = [], connections: Connections = Connections()
    ) {
        self.state = state
        self.uplinks = uplinks
        self.initSystem = initSystem
        self.lxcNet = lxcNet
        self.nftablesMissing = nftablesMissing
        self.sysctlFiles = sysctlFiles
        self.translationExemptions = translationExemptions
        self.connections = connections
    }
}

/// Where lxc-net and its settings are on this host.
package struct LxcNetFacts: Codable, Sendable, Hashable {
    /// The unit as the package installs it; nil: lxc-net is not installed for systemd.
    package var unit: String?
    /// The directory of its settings: `/etc/default`, or `/etc/sysconfig` on RPM hosts.
    package var settingsDirectory: String

    package init(unit: String? = nil, settingsDirectory: String = "/etc/default") {
        self.unit = unit
        self.settingsDirectory = settingsDirectory
    }

    /// Sourced by lxc-net; must source `settingsFile` in turn.
    package var mainFile: String { settingsDirectory + "/lxc" }
    package var settingsFile: String { settingsDirectory + "/lxc-net" }

    package static let flag = "/run/lxc/network_up"
    /// What a container that is made on this host begins with.
    package static let containerDefaults = "/etc/lxc/default.conf"
    package static let enablement = "/etc/systemd/system/multi-user.target.wants/lxc-net.service"
    package static let mask = "/etc/systemd/system/lxc-net.service"
}
