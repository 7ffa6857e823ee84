package import HostModel

/// The network that lxc-net makes with its settings as they are when it runs.
package struct LxcNetOutcome: Codable, Sendable, Hashable {
    package var bridge: String
    package var address: IPv4Prefix
    /// Whether its source NAT is a native nft table `ip lxc`.
    package var makesTable: Bool

    package init(bridge: String, address: IPv4Prefix, makesTable: Bool) {
        self.bridge = bridge
        self.address = address
        self.makesTable = makesTable
    }
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
    /// Has systemd read its unit files again.
    case daemonReload
    /// Checks a file of rules in the format of iptables-save without loading it.
    case checkRules(IptablesFlavour, path: String)
    /// Checks a unit file.
    case checkUnit(path: String)
    /// Checks a file for nft(8) without loading it.
    case checkNftables(path: String)

    /// The path of the program below its directories, and its arguments.
    package var command: [String] {
        switch self {
        case .lxcNetStart: ["systemctl", "restart", "lxc-net.service"]
        case .lxcNetStop: ["systemctl", "stop", "lxc-net.service"]
        case .daemonReload: ["systemctl", "daemon-reload"]
        case .checkRules(let flavour, let path): ["\(flavour.program)-restore", "--test", path]
        case .checkUnit(let path): ["systemd-analyze", "verify", path]
        case .checkNftables(let path): ["nft", "-c", "-f", path]
        }
    }

    /// Whether it only looks, so that there is nothing to take back.
    package var isCheck: Bool {
        switch self {
        case .checkRules, .checkUnit, .checkNftables, .daemonReload: true
        case .lxcNetStart, .lxcNetStop: false
        }
    }

    package var inverse: OwnedProgram {
        switch self {
        case .lxcNetStart(let outcome): .lxcNetStop(outcome)
        case .lxcNetStop(let outcome): .lxcNetStart(outcome)
        case .daemonReload, .checkRules, .checkUnit, .checkNftables: self
        }
    }
}
