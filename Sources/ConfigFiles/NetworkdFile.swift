internal import HostModel

/// A file of systemd-networkd: `.netdev`, `.network` or `networkd.conf`. Source: systemd.netdev(5), systemd.network(5).
package struct NetworkdFile: Hashable, Sendable {
    package let file: SectionFile

    package init(path: String, bytes: [UInt8]) {
        file = SectionFile(path: path, bytes: bytes)
    }

    /// The bridge that a `.netdev` file makes.
    package var bridge: String? {
        file.last("NetDev", "Kind")?.value == "bridge" ? file.last("NetDev", "Name")?.value : nil
    }

    /// Whether a `.network` file applies to an interface of this name. Matches by anything but the name are not known
    /// here, and such a file then does not apply.
    package func matches(_ name: String) -> Bool {
        let entries = file.entries.filter { $0.section == "Match" }
        guard !entries.isEmpty, entries.allSatisfy({ $0.key == "Name" || $0.key == "Type" || $0.key == "Kind" }) else {
            return false
        }
        return entries.allSatisfy { entry in
            switch entry.key {
            case "Name":
                let patterns = entry.value.blankSeparated
                let excluded = patterns.filter { $0.hasPrefix("!") }.map { String($0.dropFirst()) }
                if !excluded.isEmpty { return !excluded.contains { Wildcard.matches($0, name) } }
                return patterns.contains { Wildcard.matches($0, name) }
            default: return entry.value.blankSeparated.contains("bridge")
            }
        }
    }

    /// Addresses as written, from `[Network]` and `[Address]`.
    package var addresses: [SectionFile.Entry] {
        file.entries.filter { ($0.section == "Network" || $0.section == "Address") && $0.key == "Address" }
    }

    /// The setting by which networkd masquerades the IPv4 traffic of this interface.
    package var masquerade: SectionFile.Entry? {
        guard let entry = file.last("Network", "IPMasquerade") else { return nil }
        return ["ipv4", "both"].contains(entry.value) || SectionFile.boolean(entry.value) == true ? entry : nil
    }

    /// The setting by which networkd turns IPv4 forwarding on or off, with what it sets.
    package var forwarding: (entry: SectionFile.Entry, on: Bool)? {
        for key in ["IPv4Forwarding", "IPForward"] {
            guard let entry = file.last("Network", key) else { continue }
            if key == "IPForward", entry.value == "ipv4" { return (entry, true) }
            if let on = SectionFile.boolean(entry.value) { return (entry, on) }
        }
        return nil
    }
}

/// A connection of NetworkManager. Source: nm-settings-keyfile(5).
package struct NetworkManagerKeyfile: Hashable, Sendable {
    package let file: SectionFile

    package init(path: String, bytes: [UInt8]) {
        file = SectionFile(path: path, bytes: bytes)
    }

    /// The bridge that it makes, where it does so by itself at boot.
    package var bridge: String? {
        guard file.last("connection", "type")?.value == "bridge",
            file.last("connection", "autoconnect").flatMap({ SectionFile.boolean($0.value) }) != false
        else { return nil }
        return file.last("connection", "interface-name")?.value ?? file.last("bridge", "interface-name")?.value
    }

    package var method: SectionFile.Entry? { file.last("ipv4", "method") }

    /// Addresses as `10.5.0.1/16`: `address1=10.5.0.1/16,10.5.0.254` has a gateway behind the comma.
    package var addresses: [SectionFile.Entry] {
        file.entries.filter { entry in
            entry.section == "ipv4"
                && (entry.key == "addresses" || (entry.key.hasPrefix("address") && Int(entry.key.dropFirst(7)) != nil))
        }.map { entry in
            var entry = entry
            entry.value = String(entry.value.prefix { $0 != "," && $0 != ";" }).trimmedBlanks
            return entry
        }
    }

    package var masquerade: SectionFile.Entry? { method?.value == "shared" ? method : nil }
}
