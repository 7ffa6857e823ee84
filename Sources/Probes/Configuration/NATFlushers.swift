internal import ConfigFiles
internal import HostAccess
internal import HostModel

/// What deletes rules at boot, and whether that comes after they were made.
struct NATFlushers {
    private struct Flusher {
        var service: String
        var location: SourceLocation
        var text: String
        /// Whether it deletes only what iptables made.
        var onlyIptables: Bool
        /// Always late, whatever the units say.
        var runsLast = false
    }

    private let services: BootServices
    private var flushers: [Flusher] = []

    init(_ services: BootServices) throws(ObservationFailure) {
        self.services = services
        let reader = services.reader
        if try services.starts("nftables") {
            for file in try NftablesBoot.read(services) {
                for location in file.flushes {
                    flushers.append(
                        Flusher(service: "nftables", location: location, text: "flush ruleset", onlyIptables: false))
                }
            }
        }
        for (service, path) in SavedRules.files where try services.starts(service) {
            let settings = try reader.shell("/etc/default/netfilter-persistent")
            let keeps = try settings?.known("IPTABLES_RESTORE_NOFLUSH", or: "") ?? ""
            guard keeps != "yes", let bytes = try reader.bytes(path, limit: 8 << 20),
                IptablesRestoreFile(path: path, bytes: bytes).tables.contains("nat")
            else { continue }
            flushers.append(
                Flusher(
                    service: service, location: SourceLocation(file: path, line: 1), text: "*nat", onlyIptables: true))
        }
        if try BootSetters(services: services).shorewallSettings() != nil {
            flushers.append(
                Flusher(
                    service: "shorewall", location: SourceLocation(file: "/etc/shorewall/shorewall.conf", line: 1),
                    text: "start", onlyIptables: true))
        }
        try localScript()
    }

    /// `/etc/rc.local` runs at the end of the boot.
    private mutating func localScript() throws(ObservationFailure) {
        let path = "/etc/rc.local"
        guard let status = try services.reader.status(path), status.kind == .file, status.mode & 0o111 != 0,
            let bytes = try services.reader.bytes(path)
        else { return }
        for (number, line) in TextLines(bytes).numbered {
            let text = String(line.prefix { $0 != "#" })
            let words = text.split(whereSeparator: { " \t;&|".contains($0) }).map(String.init)
            guard
                let program = words.firstIndex(where: { word in
                    ["nft", "iptables", "iptables-restore"].contains { word == $0 || word.hasSuffix("/" + $0) }
                })
            else { continue }
            let arguments = words[(program + 1)...]
            let isNft = words[program].hasSuffix("nft")
            var flushes = false
            if isNft {
                flushes = text.range(ofText: "flush ruleset") != nil
                if let flag = arguments.firstIndex(of: "-f"), words.indices.contains(flag + 1),
                    let bytes = try services.reader.bytes(words[flag + 1])
                {
                    flushes = flushes || !NftablesConf(path: "", bytes: bytes).flushes.isEmpty
                }
            } else if words[program].hasSuffix("iptables-restore") {
                flushes = !arguments.contains("-n") && !arguments.contains("--noflush")
            } else if arguments.contains("nat") {
                let next = arguments.firstIndex { $0 == "-F" || $0 == "--flush" }
                flushes =
                    next.map {
                        !words.indices.contains($0 + 1) || words[$0 + 1] == "POSTROUTING"
                            || words[$0 + 1].hasPrefix("-")
                    } ?? false
            }
            if flushes {
                flushers.append(
                    Flusher(
                        service: "rc.local", location: SourceLocation(file: path, line: number),
                        text: String(text.drop { $0 == " " || $0 == "\t" }.prefix(120)), onlyIptables: !isNft,
                        runsLast: true))
            }
        }
    }

    /// One sentence for everything that deletes what this maker made.
    func flushing(_ maker: NATMakers.Maker) throws(ObservationFailure) -> [String] {
        var sentences: [String] = []
        for flusher in flushers where flusher.service != maker.service {
            if flusher.onlyIptables, !maker.usesIptables { continue }
            let order: UnitOrder
            if flusher.runsLast {
                order = .after
            } else {
                order = try services.order(flusher.service, relativeTo: maker.service)
            }
            let name = flusher.runsLast ? flusher.service : flusher.service + ".service"
            switch order {
            case .before: continue
            case .after: sentences.append("\(name) runs \(flusher.location) '\(flusher.text)' after \(maker.name)")
            case .unordered:
                sentences.append("\(name) may run \(flusher.location) '\(flusher.text)' after \(maker.name)")
            }
        }
        return sentences
    }
}
