internal import ConfigFiles
internal import HostAccess
internal import HostModel

/// The settings of lxc-net as its script would see them, from its two files.
///
/// The script sources `lxc`; that file has to source `lxc-net`. Later assignments win.
/// Source: lxc `config/init/common/lxc-net.in`.
struct LxcNetSettings {
    static let defaults = [
        "USE_LXC_BRIDGE": "true", "LXC_BRIDGE": "lxcbr0", "LXC_ADDR": "10.0.3.1", "LXC_NETMASK": "255.255.255.0",
        "LXC_NETWORK": "10.0.3.0/24", "LXC_DHCP_RANGE": "10.0.3.2,10.0.3.254", "LXC_DHCP_MAX": "253",
        "LXC_USE_NFT": "true", "LXC_DHCP_CONFILE": "",
    ]

    private let environment: ShellEnvironment
    /// Whether the main file sources the settings file, or would if there were one.
    let sourced: Bool

    /// `main` nil: there is no such file, and then nothing is sourced.
    init(main: FileContent?, settings: FileContent?, files: LxcNetFacts) {
        let content = settings?.bytes.bytes ?? []
        environment = ShellSettings(path: files.mainFile, bytes: main?.bytes.bytes ?? [])
            .evaluate(initial: Self.defaults) { path in
                path == files.settingsFile ? .text(content) : .unreadable("it was not looked at")
            }
        sourced = environment.sourced.contains(files.settingsFile)
    }

    /// The value that the script sees; nil where that depends on what only a shell could tell.
    subscript(_ name: String) -> String? { environment.value(name)?.text }

    /// The address that it gives the bridge; nil where the settings name none.
    var address: IPv4Prefix? {
        guard let address = self["LXC_ADDR"].flatMap({ IPv4Address($0) }),
            let netmask = self["LXC_NETMASK"].flatMap({ IPv4Address($0) })
        else { return nil }
        return IPv4Prefix(address: address, netmask: netmask)
    }

    /// The IPv6 address that it gives the bridge; nil where it makes no IPv6 network.
    var ipv6: String? {
        guard let address = self["LXC_IPV6_ADDR"], let length = self["LXC_IPV6_MASK"], self["LXC_IPV6_NETWORK"] != "",
            self["LXC_IPV6_NETWORK"] != nil, !address.isEmpty, !length.isEmpty
        else { return nil }
        return "\(address)/\(length)"
    }

    /// Whether lxc-net, once started, makes this bridge.
    func makes(bridge: String) -> Bool {
        self["USE_LXC_BRIDGE"] == "true" && self["LXC_BRIDGE"] == bridge && environment.exits == nil
    }

    /// Whether it makes the translation of this network as a native nft table `ip lxc`.
    func translates(_ network: Network) -> Bool {
        makes(bridge: network.bridge) && self["LXC_USE_NFT"] == "true"
            && self["LXC_NETWORK"] == network.cidr.description
    }

    /// The line that Debian's `/etc/default/lxc` has for it.
    static func sourcingLine(_ files: LxcNetFacts) -> String {
        "[ ! -f \(files.settingsFile) ] || . \(files.settingsFile)"
    }
}
