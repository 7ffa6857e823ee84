internal import ConfigFiles
internal import HostAccess
internal import HostModel

/// Who will translate a network's addresses after the next boot, and what of that is flushed again.
struct NATMakers {
    struct Maker {
        var name: String
        /// The service that loads it.
        var service: String
        /// Whether it is made with iptables, whose tables other tools replace as a whole.
        var usesIptables: Bool
        var evidence: Evidence
    }

    private(set) var makers: [Maker] = []
    private(set) var problems: [String] = []
    private let services: BootServices
    private let setters: BootSetters
    private let bridge: String
    private let network: IPv4Prefix
    private var reader: ConfigurationReader { services.reader }

    init(bridge: String, network: IPv4Prefix, _ services: BootServices) throws(ObservationFailure) {
        self.bridge = bridge
        self.network = network
        self.services = services
        setters = BootSetters(services: services)
        try lxcNet()
        try makinaJob()
        try networkd()
        try networkManager()
        try ifupdown()
        try savedRules()
        try nftables()
        try ownUnit()
        try ufw()
        try firewalld()
        try shorewall()
    }

    private mutating func add(_ name: String, service: String, iptables: Bool, _ evidence: Evidence) {
        guard !makers.contains(where: { $0.name == name }) else { return }
        makers.append(Maker(name: name, service: service, usesIptables: iptables, evidence: evidence))
    }

    /// Adds a maker where one of the rules covers the network; else says what the rules cover.
    private mutating func add(_ name: String, service: String, iptables: Bool, rules: [TranslationRule]) {
        if let rule = rules.first(where: { $0.covers(network) }) {
            let evidence = Evidence(rule.location, pattern: network.description, value: rule.text)
            add(name, service: service, iptables: iptables, evidence)
            return
        }
        for rule in rules where rule.sourceUnknown || rule.sources.contains(where: { $0.overlaps(network) }) {
            problems.append("\(rule.location) does not surely cover \(network): \(String(rule.text.prefix(120)))")
        }
    }

    private mutating func lxcNet() throws(ObservationFailure) {
        let settings = try LXCNetSettings.read(from: reader.host)
        guard settings.installed, let own = settings.network, own.contains(network) else {
            if settings.installed, settings.bridge == bridge {
                problems.append("lxc-net masquerades \(settings.network?.description ?? "nothing"), not \(network)")
            }
            return
        }
        guard try services.starts("lxc-net", wantedBy: ["lxc"]) else {
            problems.append("lxc-net would masquerade \(own), but it is \(try services.state("lxc-net").rawValue)")
            return
        }
        guard settings.useBridge else {
            problems.append("lxc-net is enabled but USE_LXC_BRIDGE is not true")
            return
        }
        let hasNft = try reader.hasProgram("nft")
        let nftables = settings.usesNftables && hasNft
        add(
            "lxc-net", service: "lxc-net", iptables: !nftables,
            settings.evidence("LXC_NETWORK", value: own.description))
    }

    private mutating func makinaJob() throws(ObservationFailure) {
        let job = try MakinaJob.read(bridge: bridge, services)
        guard let file = job.files.first, job.works else { return }
        guard let own = job.network, own.contains(network) else {
            problems.append("\(file) masquerades another network")
            return
        }
        add(
            "makina-job", service: MakinaJob.service, iptables: true,
            Evidence(source: file, command: services.command(MakinaJob.service), value: own.description))
    }

    private mutating func networkd() throws(ObservationFailure) {
        guard let entry = try NetworkdFiles.network(of: bridge, reader)?.masquerade,
            try services.starts("systemd-networkd")
        else { return }
        add(
            "systemd-networkd", service: "systemd-networkd", iptables: false,
            Evidence(entry.location, pattern: entry.key, value: entry.value))
    }

    private mutating func networkManager() throws(ObservationFailure) {
        guard try services.starts("NetworkManager") else { return }
        let directories = ["/etc/NetworkManager/system-connections", "/usr/lib/NetworkManager/system-connections"]
        for file in try reader.files(directories, suffix: "") {
            let connection = NetworkManagerKeyfile(path: file.path, bytes: file.bytes)
            guard connection.bridge == bridge, let entry = connection.masquerade else { continue }
            add(
                "networkmanager", service: "NetworkManager", iptables: false,
                Evidence(entry.location, pattern: "method", value: entry.value))
        }
    }

    private mutating func ifupdown() throws(ObservationFailure) {
        guard try services.starts("networking") else { return }
        let stanzas = try IfupdownStanzas(reader)
        var rules: [TranslationRule] = []
        for interface in stanzas.interfaces where stanzas.automatic.contains(interface.name) {
            for option in interface.options where ["up", "post-up", "pre-up"].contains(option.name) {
                if option.value.range(ofText: "nat") != nil,
                    let rule = IptablesRestoreFile.translation(option.value, option.location)
                {
                    rules.append(rule)
                }
            }
        }
        add("ifupdown", service: "networking", iptables: true, rules: rules)
    }

    private mutating func savedRules() throws(ObservationFailure) {
        for (service, path) in SavedRules.files where try services.starts(service) {
            guard let bytes = try reader.bytes(path, limit: 8 << 20) else { continue }
            add(
                service, service: service, iptables: true,
                rules: IptablesRestoreFile(path: path, bytes: bytes).translations)
        }
    }

    private mutating func nftables() throws(ObservationFailure) {
        guard try services.starts("nftables") else { return }
        add(
            "nftables", service: "nftables", iptables: false,
            rules: try NftablesBoot.read(services).flatMap(\.translations))
    }

    /// The unit of this program's own repair, which loads a file of nft(8).
    private mutating func ownUnit() throws(ObservationFailure) {
        let name = "lxc-doctor-nat-\(bridge)"
        guard try services.starts(name), let unit = try services.unit(name) else { return }
        for entry in unit.files.flatMap({ $0.entries("Service", "ExecStart") }) {
            let words = entry.value.split(separator: " ").map(String.init)
            guard let flag = words.firstIndex(of: "-f"), words.indices.contains(flag + 1),
                let bytes = try reader.bytes(words[flag + 1])
            else { continue }
            add(
                name, service: name, iptables: false,
                rules: NftablesConf(path: words[flag + 1], bytes: bytes).translations)
        }
    }

    private mutating func ufw() throws(ObservationFailure) {
        guard try setters.isUfwActive(), let bytes = try reader.bytes("/etc/ufw/before.rules") else { return }
        add(
            "ufw", service: "ufw", iptables: true,
            rules: IptablesRestoreFile(path: "/etc/ufw/before.rules", bytes: bytes).translations)
    }

    private mutating func firewalld() throws(ObservationFailure) {
        guard try services.starts("firewalld"), let place = try Firewalld.masquerades(reader).first else { return }
        add(
            "firewalld", service: "firewalld", iptables: false,
            Evidence(place, pattern: "masquerade", value: "the zone masquerades"))
    }

    private mutating func shorewall() throws(ObservationFailure) {
        guard try setters.shorewallSettings() != nil else { return }
        var rules: [TranslationRule] = []
        for (path, action) in [("/etc/shorewall/snat", true), ("/etc/shorewall/masq", false)] {
            guard let bytes = try reader.bytes(path) else { continue }
            for row in ColumnFile(path: path, bytes: bytes).rows where row.columns.count > 1 {
                if action, row.columns[0] != "MASQUERADE", !row.columns[0].hasPrefix("SNAT") { continue }
                let text = row.columns.joined(separator: " ")
                var rule = TranslationRule(text: text, location: row.location)
                for source in row.columns[1].split(separator: ",").map(String.init) {
                    if source == "-" { continue }
                    if let prefix = IPv4Prefix(source) {
                        rule.sources.append(prefix)
                    } else if source == bridge {
                        rule.sources.append(network)
                    } else {
                        rule.sourceUnknown = true
                    }
                }
                rules.append(rule)
            }
        }
        add("shorewall", service: "shorewall", iptables: true, rules: rules)
    }
}

/// The files of saved iptables rules, with the service that loads each.
enum SavedRules {
    static let files = [
        ("netfilter-persistent", "/etc/iptables/rules.v4"), ("iptables", "/etc/sysconfig/iptables"),
        ("iptables", "/etc/iptables/iptables.rules"), ("iptables", "/etc/iptables/rules-save"),
    ]
}

/// What the nftables service loads.
enum NftablesBoot {
    static func read(_ services: BootServices) throws(ObservationFailure) -> [NftablesConf] {
        let reader = services.reader
        var start = try reader.first(["/etc/nftables.conf", "/etc/sysconfig/nftables.conf", "/etc/nftables.nft"])
        for entry in try services.unit("nftables")?.files.flatMap({ $0.entries("Service", "ExecStart") }) ?? [] {
            let words = entry.value.split(separator: " ").map(String.init)
            if let flag = words.firstIndex(of: "-f"), words.indices.contains(flag + 1) { start = words[flag + 1] }
        }
        var files: [NftablesConf] = []
        var open = start.map { [$0] } ?? []
        var seen: Set<String> = []
        while let path = open.popLast(), files.count < 64 {
            guard seen.insert(path).inserted, let bytes = try reader.bytes(path) else { continue }
            let file = NftablesConf(path: path, bytes: bytes)
            files.append(file)
            for include in file.includes {
                let full = include.hasPrefix("/") ? include : "/etc/" + include
                guard let slash = full.lastIndex(of: "/") else { continue }
                let pattern = String(full[full.index(after: slash)...])
                let directory = String(full[..<slash])
                if Wildcard.isPattern(pattern) {
                    open += try reader.names(directory).filter { Wildcard.matches(pattern, $0) }.map {
                        "\(directory)/\($0)"
                    }
                } else {
                    open.append(full)
                }
            }
        }
        return files
    }
}
