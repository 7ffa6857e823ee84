/// NetworkManager's own configuration, one file of it or all of them as `NetworkManager --print-config` prints them.
/// Source: NetworkManager.conf(5).
package struct NetworkManagerConf: Hashable, Sendable {
    package let file: SectionFile

    package init(path: String, bytes: [UInt8]) {
        file = SectionFile(path: path, bytes: bytes)
    }

    /// Which devices it leaves alone, as written: `interface-name:veth*`. `=` begins anew, `+=` adds.
    package var unmanagedDevices: [String] {
        var devices: [String] = []
        for entry in file.entries where entry.section == "keyfile" {
            let values = entry.value.split { $0 == ";" || $0 == "," }.map { String($0).trimmedBlanks }
            switch entry.key {
            case "unmanaged-devices": devices = values
            case "unmanaged-devices+": devices += values
            default: continue
            }
        }
        return devices
    }

    /// A file that adds these to what other files say, and says nothing else.
    package static func leavingAlone(_ devices: [String]) -> String {
        """
        # Containers' interfaces belong to LXC: NetworkManager would take them out of their bridge.
        [keyfile]
        unmanaged-devices+=\(devices.joined(separator: ";"))

        """
    }
}

/// What NetworkManager's daemon keeps of a device while it runs: `/run/NetworkManager/devices/INDEX`.
package struct NetworkManagerDevice: Hashable, Sendable {
    package static let directory = "/run/NetworkManager/devices"

    package static func path(of index: Int) -> String { "\(directory)/\(index)" }

    /// Whether it is one that it may configure.
    package let isManaged: Bool

    package init(text: String) {
        let managed = SectionFile(path: "", text: text).last("device", "managed")?.value
        isManaged = managed.flatMap(SectionFile.boolean) ?? false
    }
}
