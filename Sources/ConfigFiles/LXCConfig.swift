/// A container's configuration with its includes, read by the rules of LXC's own parser.
///
/// Source: lxc.container.conf(5); `parse_line` in `src/lxc/confile.c`: leading blanks are skipped, `#` begins a comment
/// line, lines that do not begin with `lxc.` are ignored, a line without `=` or with an unknown key makes the whole
/// file unloadable, one pair of matching quotes is taken off the value.
package struct LXCConfig: Sendable {
    package struct Entry: Hashable, Sendable {
        package var key: String
        package var value: String
        package var location: SourceLocation
    }

    /// One network device. Values that are not set are nil.
    package struct Device: Hashable, Sendable {
        /// `veth`, `empty`, …; nil where no type was given.
        package var type: String?
        package var link: String?
        package var flags: String?
        package var hardwareAddress: String?
        package var addresses: [String] = []
        package var gateway: String?
        /// Of a veth: `bridge`, which is the default, or `router`.
        package var vethMode: String?
        package var answersForContainer = false
        /// The program that is run when the host's end is there.
        package var upScript: String?
        package var location: SourceLocation

        /// Whether no bridge is meant: the veth is routed, or a script plugs it in where it likes (Open vSwitch).
        package var isConnectedOtherwise: Bool {
            vethMode == "router" || answersForContainer || (link == nil && upScript != nil)
        }
    }

    /// What the file system says of a name in `lxc.include`.
    package enum Inclusion: Sendable {
        case file([UInt8])
        case directory([String])
        case missing
        case unreadable(String)
    }

    package private(set) var entries: [Entry] = []
    /// Keys that LXC 3 and later refuse.
    package private(set) var legacyKeys: [Entry] = []
    /// The first thing that makes LXC refuse the whole configuration; nil where it loads.
    package private(set) var error: String?
    /// A file that it includes could not be read here, so that the rest is not known.
    package private(set) var unreadable: String?
    private(set) var byIndex: [Int: Device] = [:]
    private var lastLegacy = -1
    private var filesRead = 0

    private static let maximumDepth = 8
    private static let maximumFiles = 128
    private static let maximumDevices = 1024

    /// `refusesLegacyKeys`: as LXC 3 and later do.
    package init(
        path: String, bytes: [UInt8], refusesLegacyKeys: Bool = true,
        reader: (String) -> Inclusion = { _ in .unreadable("it was not looked at") }
    ) {
        parse(path: path, bytes: bytes, refusesLegacyKeys: refusesLegacyKeys, depth: 0, reader: reader)
    }

    /// The network devices by index.
    package var devices: [Device] { byIndex.sorted { $0.key < $1.key }.map(\.value) }

    /// The last value of a key.
    package func value(_ key: String) -> Entry? { entries.last { $0.key == key } }

    /// `lxc.rootfs.path`, or `lxc.rootfs` of old.
    package var rootfs: Entry? { entries.last { $0.key == "lxc.rootfs.path" || $0.key == "lxc.rootfs" } }

    private mutating func parse(
        path: String, bytes: [UInt8], refusesLegacyKeys: Bool, depth: Int, reader: (String) -> Inclusion
    ) {
        filesRead += 1
        for (number, line) in TextLines(bytes).numbered {
            guard error == nil, unreadable == nil else { return }
            let location = SourceLocation(file: path, line: number)
            let text = line.trimmedBlanks
            guard text.hasPrefix("lxc.") else { continue }
            guard let entry = Self.entry(text, location) else {
                error = "\(location): no '=' in: \(String(text.prefix(80)))"
                return
            }
            entries.append(entry)
            if entry.key == "lxc.include" {
                include(entry, refusesLegacyKeys, depth, reader)
            } else if LXCKeys.isLegacy(entry.key) {
                legacyKeys.append(entry)
                if refusesLegacyKeys {
                    error = "\(location): Unsupported config key \"\(entry.key)\""
                }
                legacyNetwork(entry)
            } else if entry.key == "lxc.net" || entry.key.hasPrefix("lxc.net.") {
                network(entry)
            } else if !LXCKeys.isKnown(entry.key) {
                error = "\(location): Unsupported config key \"\(entry.key)\""
            }
        }
    }

    static func entry(_ text: String, _ location: SourceLocation) -> Entry? {
        guard let equals = text.firstIndex(of: "=") else { return nil }
        var value = String(text[text.index(after: equals)...]).trimmedBlanks
        if let quote = value.utf8.first, quote == 0x22 || quote == 0x27, value.utf8.count > 1,
            value.utf8.last == quote
        {
            value = String(value.dropFirst().dropLast())
        }
        return Entry(key: String(text[..<equals]).trimmedBlanks, value: value, location: location)
    }

    private mutating func include(
        _ entry: Entry, _ refusesLegacyKeys: Bool, _ depth: Int, _ reader: (String) -> Inclusion
    ) {
        guard depth < Self.maximumDepth, filesRead < Self.maximumFiles else {
            error = "\(entry.location): files include each other without end"
            return
        }
        switch reader(entry.value) {
        case .file(let bytes):
            parse(
                path: entry.value, bytes: bytes, refusesLegacyKeys: refusesLegacyKeys, depth: depth + 1,
                reader: reader)
        case .directory(let names):
            for name in names where name.hasSuffix(".conf") && error == nil && unreadable == nil {
                let file = entry.value + "/" + name
                guard filesRead < Self.maximumFiles else {
                    error = "\(entry.location): files include each other without end"
                    return
                }
                switch reader(file) {
                case .file(let bytes):
                    parse(
                        path: file, bytes: bytes, refusesLegacyKeys: refusesLegacyKeys, depth: depth + 1,
                        reader: reader)
                case .unreadable(let reason): unreadable = "\(file): \(reason)"
                case .missing, .directory: error = "\(entry.location): cannot read \(file)"
                }
            }
        case .missing:
            error = "\(entry.location): cannot read \(entry.value)"
        case .unreadable(let reason):
            unreadable = "\(entry.value): \(reason)"
        }
    }

    /// `lxc.net.INDEX.key`, or `lxc.net` with nothing, which clears all devices.
    private mutating func network(_ entry: Entry) {
        if entry.key == "lxc.net" {
            if entry.value.isEmpty {
                byIndex = [:]
            } else {
                error = "\(entry.location): lxc.net takes no value"
            }
            return
        }
        let parts = entry.key.dropFirst("lxc.net.".count).split(separator: ".", omittingEmptySubsequences: false)
        guard let first = parts.first, first.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let index = Int(first)
        else {
            error = "\(entry.location): \(entry.key) has no index"
            return
        }
        let key = parts.dropFirst().joined(separator: ".")
        if key.isEmpty {
            byIndex[index] = nil
        } else if LXCKeys.network.contains(key) {
            assign(key, entry, index)
        } else {
            error = "\(entry.location): Unsupported config key \"\(entry.key)\""
        }
    }

    /// `lxc.network.type` begins a device; the keys after it belong to it. With an index: `lxc.network.0.link`.
    private mutating func legacyNetwork(_ entry: Entry) {
        if entry.key == "lxc.network" {
            byIndex = [:]
            lastLegacy = -1
            return
        }
        guard entry.key.hasPrefix("lxc.network.") else { return }
        var parts = entry.key.dropFirst("lxc.network.".count).split(separator: ".")
        var index: Int?
        if let first = parts.first, let number = Int(first), number >= 0 {
            index = number
            parts.removeFirst()
        }
        let key = parts.joined(separator: ".")
        if let index {
            lastLegacy = max(lastLegacy, index)
        } else if key == "type" || lastLegacy < 0 {
            guard lastLegacy < Int.max else { return }
            lastLegacy += 1
        }
        assign(key == "ipv4" ? "ipv4.address" : key, entry, index ?? lastLegacy)
    }

    private mutating func assign(_ key: String, _ entry: Entry, _ index: Int) {
        guard byIndex[index] != nil || byIndex.count < Self.maximumDevices else {
            error = "\(entry.location): too many network devices"
            return
        }
        var device = byIndex[index] ?? Device(location: entry.location)
        switch key {
        case "type":
            device.type = entry.value.isEmpty ? nil : entry.value
            if !entry.value.isEmpty, !LXCKeys.networkTypes.contains(entry.value) {
                error = "\(entry.location): unknown network type \(entry.value)"
            }
        case "link": device.link = entry.value.isEmpty ? nil : entry.value
        case "flags": device.flags = entry.value
        case "hwaddr": device.hardwareAddress = entry.value
        case "ipv4.address":
            if entry.value.isEmpty { device.addresses = [] } else { device.addresses.append(entry.value) }
        case "ipv4.gateway": device.gateway = entry.value.isEmpty ? nil : entry.value
        case "veth.mode": device.vethMode = entry.value
        case "l2proxy": device.answersForContainer = entry.value == "1"
        case "script.up": device.upScript = entry.value.isEmpty ? nil : entry.value
        default: break
        }
        byIndex[index] = device
    }
}
