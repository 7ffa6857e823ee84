/// Edits of the network devices in the text of one configuration file. Includes are not followed; every other line,
/// and the rest of an edited one, stays.
extension LXCConfig {
    /// Every link to `old` leads to `new`.
    package static func relinking(_ old: String, to new: String, in bytes: [UInt8]) -> [UInt8] {
        replacing(["link"], in: bytes) { $0 == old ? new : nil }
    }

    /// Every IPv4 address goes through `new`; nil: it stays. A value may hold a broadcast address after the address,
    /// which stays too.
    package static func readdressing(in bytes: [UInt8], _ new: (String) -> String?) -> [UInt8] {
        replacing(["ipv4.address", "ipv4"], in: bytes) { value in
            let address = value.prefix { $0 != " " && $0 != "\t" }
            return new(String(address)).map { $0 + value.dropFirst(address.count) }
        }
    }

    /// Every hardware address `old`, however it is spelled, becomes `new`.
    package static func settingHardwareAddress(_ old: String, to new: String, in bytes: [UInt8]) -> [UInt8] {
        replacing(["hwaddr"], in: bytes) { $0.lowercased() == old.lowercased() ? new : nil }
    }

    /// Every veth without a link is linked, by a line after its type; but for those that something else connects.
    package static func linkingLooseDevices(to bridge: String, in bytes: [UInt8]) -> [UInt8] {
        var lines = TextLines(bytes)
        let devices = LXCConfig(path: "config", bytes: bytes, refusesLegacyKeys: false) { _ in .file([]) }.byIndex
        var types: [String: Int] = [:]
        var linked: Set<String> = []
        for (number, line) in lines.numbered {
            let text = line.trimmedBlanks
            guard text.hasPrefix("lxc.net"), let entry = entry(text, SourceLocation(file: "", line: number)) else {
                continue
            }
            if entry.key == "lxc.net", entry.value.isEmpty {
                (types, linked) = ([:], [])
                continue
            }
            let parts = entry.key.split(separator: ".")
            guard parts.count == 4, parts[1] == "net" else { continue }
            let index = String(parts[2])
            if parts[3] == "type" { types[index] = entry.value == "veth" ? number : nil }
            if parts[3] == "link" {
                if entry.value.isEmpty { linked.remove(index) } else { linked.insert(index) }
            }
        }
        for (index, number) in types.sorted(by: { $0.value > $1.value })
        where !linked.contains(index) && Int(index).flatMap({ devices[$0] })?.isConnectedOtherwise != true {
            lines.insert("lxc.net.\(index).link = \(bridge)", afterLine: number)
        }
        return lines.bytes
    }

    private static func replacing(
        _ keys: [String], in bytes: [UInt8], _ new: (String) -> String?
    ) -> [UInt8] {
        var lines = TextLines(bytes)
        for (number, line) in lines.numbered {
            let text = line.trimmedBlanks
            guard text.hasPrefix("lxc.net"), let entry = entry(text, SourceLocation(file: "", line: number)),
                keys.contains(where: { entry.key.hasSuffix("." + $0) }), let value = new(entry.value),
                let equals = line.firstIndex(of: "=")
            else { continue }
            let blank = line[equals...].dropFirst().leadingBlanks
            lines.replaceLine(number, with: line[...equals] + blank + value)
        }
        return lines.bytes
    }
}
