internal import ConfigFiles
internal import HostAccess
internal import HostModel

/// Services that write a sysctl when they start, after the sysctl files were applied.
struct BootSetters {
    struct Setter {
        var name: String
        var value: String
        var location: SourceLocation?
        var command: String
    }

    let services: BootServices
    private var reader: ConfigurationReader { services.reader }

    init(services: BootServices) {
        self.services = services
    }

    /// The setters in the order in which they start, and what is left at the end.
    func apply(
        to key: SysctlKey, value: String?
    ) throws(ObservationFailure) -> (setters: [Setter], effective: String?) {
        var setters = try ufw(key)
        guard key.aliases.contains(.ipForward) else { return (setters, setters.last?.value ?? value) }
        // Early ones first. One that writes 0 without an order to the late ones may come last: it is put there.
        let shorewall = try self.shorewall()
        let isLate = try services.order("shorewall", relativeTo: "lxc-net") != .before
        setters += try networkd()
        if let shorewall, !isLate || shorewall.value == "1" { setters.append(shorewall) }
        setters += try firewalld() + docker()
        let before = setters.last?.value ?? value
        do {
            setters += try lxcNet()
        } catch {
            // It could only write 1.
            guard before == "1" else { throw error }
        }
        setters += try makina()
        if let shorewall, isLate, shorewall.value != "1" { setters.append(shorewall) }
        return (setters, setters.last?.value ?? value)
    }

    private func ufw(_ key: SysctlKey) throws(ObservationFailure) -> [Setter] {
        guard try isUfwActive() else { return [] }
        let settings = try reader.shell("/etc/default/ufw")
        let path = try settings?.known("IPT_SYSCTL", or: "") ?? ""
        guard !path.isEmpty, let bytes = try reader.bytes(path) else { return [] }
        let file = SysctlFile(path: path, bytes: bytes)
        let outcome = SysctlReplay(files: [file], main: nil).outcome(key, tool: .procps)
        guard let value = outcome.value, let location = outcome.decidedBy else { return [] }
        return [Setter(name: "ufw", value: value, location: location, command: "grep -n forward \(path)")]
    }

    func isUfwActive() throws(ObservationFailure) -> Bool {
        guard try services.starts("ufw"), let settings = try reader.shell("/etc/ufw/ufw.conf") else { return false }
        return try settings.known("ENABLED").lowercased() == "yes"
    }

    /// shorewall's own settings, where it starts at boot.
    func shorewallSettings() throws(ObservationFailure) -> ShellEnvironment? {
        guard try services.starts("shorewall"), let settings = try reader.shell("/etc/shorewall/shorewall.conf") else {
            return nil
        }
        return try settings.known("STARTUP_ENABLED", or: "Yes").lowercased() == "yes" ? settings : nil
    }

    private func shorewall() throws(ObservationFailure) -> Setter? {
        guard let settings = try shorewallSettings() else { return nil }
        let value: String
        switch try settings.known("IP_FORWARDING", or: "Keep").lowercased() {
        case "on", "yes": value = "1"
        case "off", "no": value = "0"
        default: return nil
        }
        return Setter(
            name: "shorewall", value: value, location: settings.location("IP_FORWARDING"),
            command: "grep -n IP_FORWARDING /etc/shorewall/shorewall.conf")
    }

    private func networkd() throws(ObservationFailure) -> [Setter] {
        let name = "systemd-networkd"
        guard try services.starts(name) else { return [] }
        var setters: [Setter] = []
        let directories = NetworkdFiles.directories.map { String($0.dropLast("/network".count)) }
        var global: [(path: String, bytes: [UInt8])] = []
        if let path = try reader.first(directories.map { $0 + "/networkd.conf" }), let bytes = try reader.bytes(path) {
            global.append((path, bytes))
        }
        global += try reader.files(directories.map { $0 + "/networkd.conf.d" }, suffix: ".conf")
        for file in global {
            guard let setting = NetworkdFile(path: file.path, bytes: file.bytes).forwarding else { continue }
            setters.append(
                Setter(
                    name: name, value: setting.on ? "1" : "0", location: setting.entry.location,
                    command: "grep -n Forward \(file.path)"))
        }
        for file in try NetworkdFiles.networks(reader) {
            // On a link, IPForward only ever turns the global switch on; IPv4Forwarding does not touch it.
            let forwarding = file.forwarding.flatMap { $0.entry.key == "IPForward" && $0.on ? $0.entry : nil }
            guard let entry = file.masquerade ?? forwarding else { continue }
            setters.append(
                Setter(
                    name: name, value: "1", location: entry.location,
                    command: "grep -n \(entry.key) \(entry.location.file)"))
        }
        return setters.last.map { [$0] } ?? []
    }

    private func firewalld() throws(ObservationFailure) -> [Setter] {
        guard try services.starts("firewalld") else { return [] }
        return try Firewalld.masquerades(reader).prefix(1).map {
            Setter(name: "firewalld", value: "1", location: $0, command: "grep -n masquerade \($0.file)")
        }
    }

    private func docker() throws(ObservationFailure) -> [Setter] {
        guard try services.starts("docker") else { return [] }
        let path = "/etc/docker/daemon.json"
        let text = String(decoding: try reader.bytes(path) ?? [], as: UTF8.self)
        let dense = text.filter { !$0.isWhitespace }
        guard dense.range(ofText: "\"ip-forward\":false") == nil else { return [] }
        return [Setter(name: "docker", value: "1", location: nil, command: services.command("docker"))]
    }

    private func lxcNet() throws(ObservationFailure) -> [Setter] {
        guard try services.starts("lxc-net", wantedBy: ["lxc"]) else { return [] }
        let settings = try LXCNetSettings.read(from: reader.host)
        guard settings.installed, settings.useBridge else { return [] }
        return [
            Setter(
                name: "lxc-net", value: "1", location: settings.locations["USE_LXC_BRIDGE"],
                command: services.command("lxc-net"))
        ]
    }

    private func makina() throws(ObservationFailure) -> [Setter] {
        let job = try MakinaJob.read(bridge: "lxcbr1", services)
        guard job.works else { return [] }
        return [
            Setter(name: "makina-job", value: "1", location: nil, command: services.command(MakinaJob.service))
        ]
    }
}
