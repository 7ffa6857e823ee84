extension LXCConfig {
    /// The configuration of an image as a container of this host: today's keys, its own name and paths, and the first
    /// link to this bridge. Every other line stays. Source: restore_lxc_image.py of makina-states rewrites the same.
    package static func restored(
        _ bytes: [UInt8], name: String, directory: String, bridge: String
    ) throws(ConfigEditError) -> [UInt8] {
        var text = try updatingKeys(in: bytes)
        text = try setting("lxc.uts.name", to: name, in: text)
        text = try setting("lxc.rootfs.path", to: "dir:\(directory)/rootfs", in: text)
        let config = LXCConfig(path: "config", bytes: text) { _ in .file([]) }
        if config.value("lxc.mount.fstab") != nil {
            text = try setting("lxc.mount.fstab", to: "\(directory)/fstab", in: text)
        }
        guard let link = config.entries.first(where: { $0.key.hasPrefix("lxc.net.") && $0.key.hasSuffix(".link") })
        else { return text }
        return try setting(link.key, to: bridge, in: text)
    }
}
