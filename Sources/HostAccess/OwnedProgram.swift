package import HostModel

/// The network that lxc-net makes with its settings as they are when it runs.
package struct LxcNetOutcome: Codable, Sendable, Hashable {
    package var bridge: String
    package var address: IPv4Prefix
    /// Whether its source NAT is a native nft table `ip lxc`.
    package var makesTable: Bool
    /// What that table translates; nil: the network of the address.
    package var network: IPv4Prefix?

    package init(bridge: String, address: IPv4Prefix, makesTable: Bool, network: IPv4Prefix? = nil) {
        self.bridge = bridge
        self.address = address
        self.makesTable = makesTable
        self.network = network
    }

    package var translated: IPv4Prefix { network ?? address.network }
}

/// A program of somebody else that a repair may run: a closed set, each with a fixed command line.
///
/// It runs in a process group that dies with the doctor, with bounded time, an empty standard input and a fixed
/// environment. Every file that it may write is journalled before by the change that this one follows, or is its own
/// runtime state.
package enum OwnedProgram: Codable, Sendable, Hashable {
    /// Makes lxc-net's network anew. `systemctl restart`, because the unit may believe to be active already.
    case lxcNetStart(LxcNetOutcome)
    case lxcNetStop(LxcNetOutcome)
    /// Installs LXC; `again`: the package counts as installed, and its programs are gone. Nothing takes it back.
    case installLXC(PackageManager, again: Bool)
    /// Puts an interface into a zone of the running firewalld, or takes it out.
    case firewalldAdd(interface: String, zone: String)
    case firewalldRemove(interface: String, zone: String)
    /// Has shorewall compile and load its files; the network's way is open afterwards, or it is not.
    case shorewallReload(ShorewallReach, isOpen: Bool)
    /// Has shorewall compile a copy of its files, and judges by the ruleset that comes out.
    case checkShorewall(ShorewallReach)
    /// Checks firewalld's files.
    case checkFirewalld
    /// Has systemd read its unit files again.
    case daemonReload
    /// Has systemd count a unit as active that does at its start what is done already.
    case startUnit(name: String)
    /// Checks a file of rules in the format of iptables-save without loading it.
    case checkRules(IptablesFlavour, path: String)
    /// Checks a file of nft(8) without loading it.
    case checkNftables(path: String)
    /// Has ifupdown say what it would do to bring an interface up, without doing it.
    case checkIfupdown(interface: String)
    /// Has netplan generate its backend's files from a copy of its own.
    case checkNetplan
    /// Has nmcli read a connection's file, which must give this address.
    case checkKeyfile(path: String, address: IPv4Prefix)
    /// Has NetworkManager print its configuration, which must leave these devices alone: `interface-name:veth*`.
    case checkNetworkManager(unmanaged: [String])
    /// Has NetworkManager read its configuration again. Ports that it lets go of for that stay up.
    case reloadNetworkManager(keepingUp: [String])
    /// Has Docker's daemon check its file.
    case checkDocker(path: String)
    /// Has dnsmasq read the file that lxc-net gives it, with the range of addresses.
    case checkDnsmasq(path: String, range: String)
    /// Checks a unit file.
    case checkUnit(path: String)
    /// Has LXC load a container's configuration. The path is that of all containers.
    case checkContainer(name: String, path: String)

    /// The directory that holds a copy of files for a checker that may write beside them.
    package static let copy = "/run/lxc-doctor/check"

    /// The path of the program below its directories, and its arguments.
    package var command: [String] {
        switch self {
        case .lxcNetStart: ["systemctl", "restart", "lxc-net.service"]
        case .lxcNetStop: ["systemctl", "stop", "lxc-net.service"]
        case .installLXC(let manager, let again): manager.installation(again: again)
        case .firewalldAdd(let interface, let zone): ["firewall-cmd", "--zone=\(zone)", "--add-interface=\(interface)"]
        case .firewalldRemove(let interface, let zone):
            ["firewall-cmd", "--zone=\(zone)", "--remove-interface=\(interface)"]
        case .shorewallReload: ["shorewall", "reload"]
        case .checkShorewall: ["shorewall", "check", "-r", OwnedProgram.copy]
        case .checkFirewalld: ["firewall-offline-cmd", "--check-config"]
        case .daemonReload: ["systemctl", "daemon-reload"]
        case .startUnit(let name): ["systemctl", "start", name]
        case .checkRules(let flavour, let path): ["\(flavour.program)-restore", "--test", path]
        case .checkNftables(let path): ["nft", "-c", "-f", path]
        case .checkIfupdown(let interface): ["ifup", "--no-act", "--force", interface]
        case .checkNetplan: ["netplan", "generate", "--root-dir", OwnedProgram.copy]
        case .checkKeyfile: ["nmcli", "--offline", "connection", "modify"]
        case .checkNetworkManager: ["NetworkManager", "--print-config"]
        case .reloadNetworkManager: ["nmcli", "general", "reload", "conf"]
        case .checkDocker(let path): ["dockerd", "--validate", "--config-file", path]
        case .checkDnsmasq(let path, let range):
            ["dnsmasq", "--test", "--conf-file=\(path)", "--dhcp-range=\(range)"]
        case .checkUnit(let path): ["systemd-analyze", "verify", path]
        case .checkContainer(let name, let path): ["lxc-info", "-P", path, "-n", name, "-s"]
        }
    }

    /// Whether it only looks, or tells a program of files that are there, so that there is nothing to take back.
    package var isCheck: Bool {
        switch self {
        case .lxcNetStart, .lxcNetStop, .firewalldAdd, .firewalldRemove, .shorewallReload, .installLXC: false
        case .checkRules, .checkNftables, .checkUnit, .checkContainer, .checkFirewalld, .checkShorewall,
            .checkIfupdown, .checkNetplan, .checkKeyfile, .checkNetworkManager, .checkDocker, .checkDnsmasq,
            .daemonReload,
            .startUnit, .reloadNetworkManager:
            true
        }
    }

    package var inverse: OwnedProgram {
        switch self {
        case .lxcNetStart(let outcome): .lxcNetStop(outcome)
        case .lxcNetStop(let outcome): .lxcNetStart(outcome)
        case .firewalldAdd(let interface, let zone): .firewalldRemove(interface: interface, zone: zone)
        case .firewalldRemove(let interface, let zone): .firewalldAdd(interface: interface, zone: zone)
        case .shorewallReload(let reach, let isOpen): .shorewallReload(reach, isOpen: !isOpen)
        case .installLXC, .daemonReload, .startUnit, .reloadNetworkManager, .checkShorewall, .checkIfupdown,
            .checkNetplan, .checkKeyfile, .checkNetworkManager, .checkDocker, .checkFirewalld, .checkRules,
            .checkNftables, .checkUnit, .checkContainer, .checkDnsmasq:
            self
        }
    }
}
