internal import ConfigFiles
internal import HostModel

/// The files of systemd-networkd that outlast a boot.
enum NetworkdFiles {
    static let directories = [
        "/etc/systemd/network", "/usr/local/lib/systemd/network", "/usr/lib/systemd/network", "/lib/systemd/network",
    ]

    static func networks(_ reader: ConfigurationReader) throws(ObservationFailure) -> [NetworkdFile] {
        try reader.files(directories, suffix: ".network").map { NetworkdFile(path: $0.path, bytes: $0.bytes) }
    }

    static func devices(_ reader: ConfigurationReader) throws(ObservationFailure) -> [NetworkdFile] {
        try reader.files(directories, suffix: ".netdev").map { NetworkdFile(path: $0.path, bytes: $0.bytes) }
    }

    /// The `.network` file that applies to an interface: the first that matches.
    static func network(of name: String, _ reader: ConfigurationReader) throws(ObservationFailure) -> NetworkdFile? {
        try networks(reader).first { $0.matches(name) }
    }
}

/// firewalld's zones and policies of this host.
enum Firewalld {
    /// The lines that turn masquerading on. Source: firewalld.zone(5), firewalld.policy(5).
    static func masquerades(_ reader: ConfigurationReader) throws(ObservationFailure) -> [SourceLocation] {
        var found: [SourceLocation] = []
        for file in try reader.files(["/etc/firewalld/zones"], suffix: ".xml")
            + reader.files(["/etc/firewalld/policies"], suffix: ".xml")
        {
            var inComment = false
            for (number, line) in TextLines(file.bytes).numbered {
                if line.range(ofText: "<!--") != nil { inComment = true }
                if !inComment, line.range(ofText: "<masquerade") != nil {
                    found.append(SourceLocation(file: file.path, line: number))
                }
                if line.range(ofText: "-->") != nil { inComment = false }
            }
        }
        return found
    }
}

/// The stanzas of ifupdown with all that `/etc/network/interfaces` sources.
struct IfupdownStanzas {
    private(set) var automatic: Set<String> = []
    private(set) var interfaces: [IfupdownFile.Interface] = []
    private var filesRead = 0

    init(_ reader: ConfigurationReader) throws(ObservationFailure) {
        try read("/etc/network/interfaces", depth: 0, reader)
    }

    private mutating func read(
        _ path: String, depth: Int, _ reader: ConfigurationReader
    ) throws(ObservationFailure) {
        guard depth < 8, filesRead < 256 else { throw .unknown("\(path): files source each other without end") }
        filesRead += 1
        guard let bytes = try reader.bytes(path) else { return }
        let file = IfupdownFile(path: path, bytes: bytes)
        automatic.formUnion(file.automatic)
        interfaces += file.interfaces
        for source in file.sources {
            let full = source.hasPrefix("/") ? source : "/etc/network/" + source
            guard let slash = full.lastIndex(of: "/") else { continue }
            let directory = String(full[..<slash])
            let pattern = String(full[full.index(after: slash)...])
            if pattern.isEmpty {
                // source-directory takes plain names only.
                for name in try reader.names(directory)
                where name.utf8.allSatisfy({ $0 == 0x2d || ShellSettings.isNameByte($0) }) {
                    try read("\(directory)/\(name)", depth: depth + 1, reader)
                }
            } else if Wildcard.isPattern(pattern) {
                for name in try reader.names(directory)
                where !name.hasPrefix(".") && Wildcard.matches(pattern, name) {
                    try read("\(directory)/\(name)", depth: depth + 1, reader)
                }
            } else {
                try read(full, depth: depth + 1, reader)
            }
        }
    }

    /// The IPv4 address of a stanza as `10.5.0.1/16`.
    static func address(_ interface: IfupdownFile.Interface) -> String? {
        guard let text = interface.value("address")?.value else { return nil }
        if text.contains("/") { return text }
        guard let address = IPv4Address(text) else { return nil }
        let mask = interface.value("netmask")?.value ?? ""
        if let length = Int(mask), let prefix = IPv4Prefix(address: address, length: length) {
            return prefix.description
        }
        return IPv4Address(mask).flatMap { IPv4Prefix(address: address, netmask: $0) }?.description
    }
}
