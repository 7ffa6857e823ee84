internal import ConfigFiles
package import HostAccess
package import HostModel

/// What on a host speaks for a network of containers on a certain bridge, from files alone.
package enum ProfileTraces {
    private static let maximumContainers = 256

    /// One clause for each trace, such as `/etc/init/lxc-net-makina.conf exists`; none where nothing speaks for it.
    ///
    /// What cannot be read is no trace: the caller decides on what is there. `address` is the profile's own.
    package static func found(bridge: String, address: IPv4Prefix, on host: any Host) -> [String] {
        let reader = ConfigurationReader(host: host)
        var traces: [String] = []
        func attempt(_ body: () throws(ObservationFailure) -> Void) {
            // A refusal here only means one trace less.
            do { try body() } catch {}
        }
        attempt { () throws(ObservationFailure) in
            let services = try BootServices(reader)
            for file in try MakinaJob.read(bridge: bridge, services).files { traces.append("\(file) exists") }
        }
        for path in ["/etc/default/lxc-net-makina", "/etc/default/magicbridge_\(bridge)"] {
            attempt { () throws(ObservationFailure) in
                if try reader.exists(path) { traces.append("\(path) exists") }
            }
        }
        attempt { () throws(ObservationFailure) in
            let settings = try LXCNetSettings.read(from: host)
            if settings.bridge == bridge, let place = settings.locations["LXC_BRIDGE"] {
                traces.append("\(place) names \(bridge)")
            } else if let place = settings.locations["LXC_ADDR"], settings.address == address {
                traces.append("\(place) gives \(address)")
            }
        }
        attempt { () throws(ObservationFailure) in
            let path = try LXCPath.resolve("", reader).path
            for name in try ContainersProbe.names(path, reader).prefix(maximumContainers) {
                let config = try ContainerConfigProbe.read(path, name, reader)
                if config.devices.contains(where: { $0.link == bridge }) {
                    traces.append("container \(name) links \(bridge)")
                    return
                }
            }
        }
        return traces
    }
}
