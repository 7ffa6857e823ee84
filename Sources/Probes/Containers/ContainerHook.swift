internal import ConfigFiles
package import HostAccess
package import HostModel

/// A program of somebody's own that LXC runs for a container: before its start it can make the bridge that the
/// container links. Source: lxc.container.conf(5), HOOKS and `lxc.net.[i].script.up`.
package enum ContainerHook {
    /// Those that come with LXC and LXCFS make no bridge.
    private static let packaged = ["/usr/share/lxc/", "/usr/share/lxcfs/"]

    /// The first one of a container's configuration with all that it includes, as `FILE:LINE, lxc.hook.pre-start`; nil:
    /// there is none. `unknown` where an included file cannot be read.
    package static func first(
        in path: String, _ bytes: [UInt8], on host: any Host
    ) throws(ObservationFailure) -> String? {
        let reader = ConfigurationReader(host: host)
        let config = LXCConfig(path: path, bytes: bytes, refusesLegacyKeys: false, reader: reader.inclusion)
        let hook = config.entries.first { entry in
            isHook(entry.key) && !entry.value.isEmpty && !packaged.contains { entry.value.hasPrefix($0) }
        }
        if let hook { return "\(hook.location), \(hook.key)" }
        if let reason = config.unreadable { throw .unknown(reason) }
        return nil
    }

    private static func isHook(_ key: String) -> Bool {
        key.hasPrefix("lxc.hook.") && key != "lxc.hook.version"
            || key.hasPrefix("lxc.net") && key.hasSuffix(".script.up")
    }
}
