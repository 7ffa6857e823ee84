internal import ConfigFiles
internal import HostAccess
internal import HostModel

/// Who will make a bridge at the next boot.
struct BridgeCreators {
    struct Creator {
        var owner: BridgeOwner
        /// As written: `10.5.0.1/16`.
        var addresses: [String]
        var evidence: Evidence

        var name: String { owner.rawValue }
    }

    private(set) var creators: [Creator] = []
    private(set) var problems: [String] = []
    /// Files of network programs that speak of the bridge, whether they make it or not.
    private(set) var makers: [BridgeMaker] = []
    private let services: BootServices
    private let bridge: String
    private var reader: ConfigurationReader { services.reader }

    init(bridge: String, _ services: BootServices) throws(ObservationFailure) {
        self.bridge = bridge
        self.services = services
        try lxcNet()
        try makinaJob()
        try networkd()
        try netplan()
        try ifupdown()
        try networkManager()
    }

    private mutating func lxcNet() throws(ObservationFailure) {
        let settings = try LXCNetSettings.read(from: reader.host)
        guard settings.installed else { return }
        let state = try services.state("lxc-net")
        let starts = try services.starts("lxc-net", wantedBy: ["lxc"])
        if !settings.sourced, let bytes = try reader.bytes(settings.settingsFile),
            ShellSettings(path: settings.settingsFile, bytes: bytes).evaluate().value("LXC_BRIDGE") == .known(bridge)
        {
            problems.append("\(settings.settingsFile) names \(bridge), but nothing reads it")
        }
        guard settings.bridge == bridge else { return }
        if !starts {
            problems.append("lxc-net would make \(bridge), but it is \(state.rawValue)")
        } else if !settings.useBridge {
            let place = settings.locations["USE_LXC_BRIDGE"].map { " (\($0))" } ?? ""
            problems.append("lxc-net is enabled but USE_LXC_BRIDGE is not true\(place)")
        } else {
            let address = settings.address?.description
            creators.append(
                Creator(
                    owner: .lxcNet, addresses: address.map { [$0] } ?? [],
                    evidence: settings.evidence("LXC_BRIDGE", value: "\(bridge) \(address ?? "without address")")))
        }
    }

    private mutating func makinaJob() throws(ObservationFailure) {
        let job = try MakinaJob.read(bridge: bridge, services)
        guard let file = job.files.first else { return }
        if job.isInert {
            problems.append("\(file) does nothing: init is \(services.initSystem.rawValue)")
        } else if !job.starts {
            problems.append("\(MakinaJob.service) is not enabled")
        } else if let condition = job.brokenGuard {
            problems.append(
                "\(condition.location): USE_LXC_BRIDGE is \"\(job.guardValue)\", not \"\(condition.wanted)\"")
        } else if !job.missingTools.isEmpty {
            problems.append("\(file) needs \(job.missingTools.joined(separator: " and "))")
        } else {
            let address = job.address?.description
            creators.append(
                Creator(
                    owner: .makinaJob, addresses: address.map { [$0] } ?? [],
                    evidence: Evidence(
                        source: file, command: services.command(MakinaJob.service), value: address ?? "present")))
        }
    }

    private mutating func networkd() throws(ObservationFailure) {
        guard let device = try NetworkdFiles.devices(reader).first(where: { $0.bridge == bridge }) else { return }
        let network = try NetworkdFiles.network(of: bridge, reader)
        var maker = BridgeMaker(
            owner: .networkd, file: device.file.path, addressFile: network?.file.path,
            addresses: network?.addresses.map(\.value) ?? [])
        defer { makers.append(maker) }
        guard try services.starts("systemd-networkd") else {
            maker.flaw = "\(device.file.path) makes \(bridge), but systemd-networkd is not enabled"
            problems.append(maker.flaw ?? "")
            return
        }
        creators.append(
            Creator(
                owner: .networkd, addresses: network?.addresses.map(\.value) ?? [],
                evidence: Evidence(
                    source: device.file.path, command: "networkctl cat \(Evidence.quoted(bridge))",
                    value: network?.addresses.first?.value ?? "without address")))
    }

    private mutating func netplan() throws(ObservationFailure) {
        for file in try reader.files(["/etc/netplan", "/lib/netplan"], suffix: ".yaml") {
            switch NetplanFile(path: file.path, bytes: file.bytes).bridge(bridge) {
            case .absent: continue
            case .unknown(let reason): throw .unknown(reason)
            case .present(let location, let addresses):
                var maker = BridgeMaker(
                    owner: .netplan, file: location.file, addressFile: location.file, addresses: addresses)
                defer { makers.append(maker) }
                let generators = ["/usr/lib", "/lib"].map { $0 + "/systemd/system-generators/netplan" }
                guard try reader.first(generators) != nil, services.initSystem == .systemd else {
                    maker.flaw = "\(location) makes \(bridge), but netplan does not run here"
                    problems.append(maker.flaw ?? "")
                    continue
                }
                if let index = creators.firstIndex(where: { $0.owner == .netplan }) {
                    creators[index].addresses += addresses
                } else {
                    creators.append(
                        Creator(
                            owner: .netplan, addresses: addresses,
                            evidence: Evidence(
                                location, pattern: bridge, value: addresses.first ?? "without address")))
                }
            }
        }
    }

    private mutating func ifupdown() throws(ObservationFailure) {
        let all = try IfupdownStanzas(reader)
        let stanzas = all.interfaces.filter { $0.name == bridge }
        guard let first = stanzas.first(where: { $0.family == "inet" }) ?? stanzas.first else { return }
        let addresses = stanzas.compactMap(IfupdownStanzas.address)
        let flaw = try ifupdownFlaw(first, stanzas, isAutomatic: all.automatic.contains(bridge))
        makers.append(
            BridgeMaker(
                owner: .ifupdown, file: first.location.file, addressFile: first.location.file, addresses: addresses,
                flaw: flaw))
        if let flaw { return problems.append(flaw) }
        creators.append(
            Creator(
                owner: .ifupdown, addresses: addresses,
                evidence: Evidence(first.location, pattern: bridge, value: addresses.first ?? "without address")))
    }

    /// Why the stanzas do not make the bridge at boot; nil: they do.
    private func ifupdownFlaw(
        _ first: IfupdownFile.Interface, _ stanzas: [IfupdownFile.Interface], isAutomatic: Bool
    ) throws(ObservationFailure) -> String? {
        guard isAutomatic else { return "\(first.location): \(bridge) is not brought up by 'auto'" }
        let runs = try services.starts("networking")
        guard runs, try reader.hasProgram("ifup") else {
            return "\(first.location) describes \(bridge), but ifupdown does not run at boot"
        }
        let helpers = [
            "/etc/network/if-pre-up.d/bridge", "/usr/libexec/ifupdown-ng/bridge",
            "/usr/share/ifupdown2/addons/bridge.py",
        ]
        let commands = stanzas.flatMap(\.options).filter { ["pre-up", "up"].contains($0.name) }.map(\.value)
        let byHand = commands.contains { command in
            command.range(ofText: bridge) ?? command.range(ofText: "$IFACE") != nil
                && (command.range(ofText: "type bridge") ?? command.range(ofText: "addbr")) != nil
        }
        let byOption = stanzas.contains { $0.value("bridge_ports") != nil }
        if byOption, !byHand, try reader.first(helpers) == nil {
            return "\(first.location): bridge_ports needs bridge-utils"
        }
        return byOption || byHand ? nil : "\(first.location): nothing in the stanza makes the bridge"
    }

    private mutating func networkManager() throws(ObservationFailure) {
        guard try services.state("NetworkManager") != .absent else { return }
        let directories = ["/etc/NetworkManager/system-connections", "/usr/lib/NetworkManager/system-connections"]
        for file in try reader.files(directories, suffix: "") {
            let connection = NetworkManagerKeyfile(path: file.path, bytes: file.bytes)
            guard connection.bridge == bridge else { continue }
            var maker = BridgeMaker(
                owner: .networkManager, file: file.path, addressFile: file.path,
                addresses: connection.addresses.map(\.value))
            defer { makers.append(maker) }
            guard try services.starts("NetworkManager") else {
                maker.flaw = "\(file.path) makes \(bridge), but NetworkManager is not enabled"
                problems.append(maker.flaw ?? "")
                continue
            }
            creators.append(
                Creator(
                    owner: .networkManager, addresses: connection.addresses.map(\.value),
                    evidence: Evidence(
                        source: file.path, command: "cat \(Evidence.quoted(file.path))",
                        value: connection.addresses.first?.value ?? connection.method?.value ?? "without address")))
            return
        }
    }
}
