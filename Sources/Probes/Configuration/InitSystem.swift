package import HostAccess
package import HostModel

/// The program that starts this host's services.
package enum InitSystem: String, Sendable {
    case systemd, upstart, openrc, sysv

    /// Told by what runs now; else by what is installed as `/sbin/init`.
    ///
    /// Source: sd_booted(3): systemd runs where `/run/systemd/system` is a directory.
    package static func detect(on host: any Host) throws(ObservationFailure) -> InitSystem {
        try detect(ConfigurationReader(host: host))
    }

    static func detect(_ reader: ConfigurationReader) throws(ObservationFailure) -> InitSystem {
        if try reader.isDirectory("/run/systemd/system") { return .systemd }
        if try reader.isDirectory("/run/openrc") { return .openrc }
        let target = try reader.link("/sbin/init") ?? ""
        if target.contains("systemd") { return .systemd }
        let hasUpstart = try reader.first(["/sbin/upstart", "/sbin/initctl"]) != nil
        if target.contains("upstart") { return .upstart }
        if hasUpstart, try reader.names("/etc/init").contains(where: { $0.hasSuffix(".conf") }),
            try reader.status("/sbin/initctl", followLinks: false)?.kind != .link
        {
            return .upstart
        }
        if try reader.exists("/etc/runlevels"), try reader.hasProgram("openrc") { return .openrc }
        let hasSystemd = try reader.first(["/usr/lib/systemd/systemd", "/lib/systemd/systemd"]) != nil
        if hasSystemd, try !reader.exists("/etc/inittab") { return .systemd }
        return .sysv
    }
}
