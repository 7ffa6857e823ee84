internal import HostModel

/// The settings of lxc-net as its script would see them, from its two files.
///
/// The script sources `lxc`; that file has to source `lxc-net`. Later assignments win.
/// Source: lxc `config/init/common/lxc-net.in`.
struct LxcNetSettings {
    static let defaults = [
        "USE_LXC_BRIDGE": "true", "LXC_BRIDGE": "lxcbr0", "LXC_ADDR": "10.0.3.1", "LXC_NETMASK": "255.255.255.0",
        "LXC_NETWORK": "10.0.3.0/24", "LXC_DHCP_RANGE": "10.0.3.2,10.0.3.254", "LXC_DHCP_MAX": "253",
        "LXC_USE_NFT": "true",
    ]

    /// By name; a value that the shell would have to expand is missing.
    private(set) var values = defaults
    /// Whether the main file sources the settings file.
    let sourced: Bool

    /// `main` nil: there is no such file, and then nothing is sourced.
    init(main: String?, settings: String?, settingsFile: String) {
        let mainLines = Self.lines(main ?? "")
        let sourcing = mainLines.firstIndex { Self.sources(settingsFile, line: $0) }
        sourced = sourcing != nil
        for (index, line) in mainLines.enumerated() {
            if index == sourcing {
                for (number, other) in Self.lines(settings ?? "").enumerated() { take(other, number) }
            } else {
                take(line, index)
            }
        }
    }

    subscript(_ name: String) -> String? { values[name] }

    /// Whether lxc-net, once started, makes this bridge.
    func makes(bridge: String) -> Bool {
        values["USE_LXC_BRIDGE"] == "true" && values["LXC_BRIDGE"] == bridge
    }

    /// Whether it makes the translation of this network as a native nft table `ip lxc`.
    func translates(_ network: Network) -> Bool {
        makes(bridge: network.bridge) && values["LXC_USE_NFT"] == "true"
            && values["LXC_NETWORK"] == network.cidr.description
    }

    /// The line that Debian's `/etc/default/lxc` has for it.
    static func sourcingLine(_ settingsFile: String) -> String {
        "[ ! -f \(settingsFile) ] || . \(settingsFile)"
    }

    private mutating func take(_ line: String, _ number: Int) {
        guard let assignment = ShellAssignment(text: line, line: number) else { return }
        values[assignment.name] = assignment.value
    }

    private static func lines(_ text: String) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    /// `. FILE` or `source FILE` as a command of the line, whatever condition stands before it.
    private static func sources(_ file: String, line: String) -> Bool {
        let words = line.split { $0 == " " || $0 == "\t" || $0 == ";" }.map(String.init)
        guard words.first?.hasPrefix("#") == false else { return false }
        return zip(words, words.dropFirst()).contains { command, argument in
            (command == "." || command == "source") && argument.filter { $0 != "\"" && $0 != "'" } == file
        }
    }
}
