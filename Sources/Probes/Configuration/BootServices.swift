internal import ConfigFiles
internal import HostAccess
internal import HostModel

/// Whether a service starts at boot.
enum ServiceState: String, Sendable {
    case enabled, disabled, masked, absent
}

/// What this host's init system will start, told from files alone.
struct BootServices {
    let reader: ConfigurationReader
    let initSystem: InitSystem
    /// Those of `unitDirectories` that are not another name of one before them: of most hosts `/lib` is a link.
    private let directories: [String]

    init(_ reader: ConfigurationReader) throws(ObservationFailure) {
        self.reader = reader
        initSystem = try InitSystem.detect(reader)
        let libraries = initSystem == .systemd ? try reader.link("/lib") : nil
        let isMerged = ["usr/lib", "/usr/lib"].contains(libraries)
        directories = isMerged ? Self.unitDirectories.filter { !$0.hasPrefix("/lib/") } : Self.unitDirectories
    }

    /// Highest precedence first; what is below `/run` is gone at the next boot.
    static let unitDirectories = [
        "/etc/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system",
    ]

    /// The state of a service by its name without suffix.
    func state(_ name: String) throws(ObservationFailure) -> ServiceState {
        switch initSystem {
        case .systemd: try systemdState(name)
        case .upstart: try upstartState(name)
        case .openrc: try openrcState(name)
        case .sysv: try sysvState(name)
        }
    }

    /// Whether it starts at the next boot: enabled itself, or wanted by an enabled service of those named.
    func starts(_ name: String, wantedBy others: [String] = []) throws(ObservationFailure) -> Bool {
        let state = try state(name)
        if state == .enabled { return true }
        guard state == .disabled, initSystem == .systemd else { return false }
        for other in others where try self.state(other) == .enabled {
            guard let unit = try unit(other) else { continue }
            let wanted = unit.words("Unit", "Wants") + unit.words("Unit", "Requires") + unit.words("Unit", "BindsTo")
            if wanted.contains(name + ".service") { return true }
        }
        return false
    }

    /// The command by which a person sees the state.
    func command(_ name: String) -> String {
        switch initSystem {
        case .systemd: "systemctl is-enabled \(name)"
        case .upstart: "initctl show-config \(name)"
        case .openrc: "rc-update show | grep \(name)"
        case .sysv: "ls /etc/rc?.d | grep \(name)"
        }
    }

    func evidence(_ name: String, _ state: ServiceState) -> Evidence {
        Evidence(
            source: "\(initSystem.rawValue) service \(name)", command: command(name), value: state.rawValue)
    }

    // MARK: systemd

    /// A unit with its drop-ins; nil where there is none, or it is masked.
    func unit(_ name: String) throws(ObservationFailure) -> SystemdUnit? {
        let file = name + ".service"
        guard let path = try reader.first(directories.map { "\($0)/\(file)" }),
            let bytes = try reader.bytes(path), !bytes.isEmpty
        else { return nil }
        var files = [SectionFile(path: path, bytes: bytes)]
        for dropIn in try reader.files(directories.map { "\($0)/\(file).d" }, suffix: ".conf") {
            files.append(SectionFile(path: dropIn.path, bytes: dropIn.bytes))
        }
        return SystemdUnit(name: file, files: files)
    }

    private func systemdState(_ name: String) throws(ObservationFailure) -> ServiceState {
        let file = name + ".service"
        let own = try reader.names("/etc/systemd/system")
        var isThere = false
        if own.contains(file), let status = try reader.status("/etc/systemd/system/\(file)", followLinks: false) {
            if status.kind == .link, status.target == "/dev/null" { return .masked }
            if status.kind == .file, status.size == 0 { return .masked }
            isThere = status.kind == .link ? try reader.exists("/etc/systemd/system/\(file)") : true
        }
        if !isThere, try reader.first(directories.dropFirst().map { "\($0)/\(file)" }) == nil {
            // systemd-sysv-generator makes units of the scripts that have no unit.
            return try sysvState(name)
        }
        for directory in own
        where directory.hasSuffix(".wants") || directory.hasSuffix(".requires") {
            let path = "/etc/systemd/system/\(directory)/\(file)"
            if try reader.status(path, followLinks: false) != nil { return .enabled }
        }
        for directory in directories.dropFirst() {
            for target in ["multi-user", "sysinit", "basic", "network-online"] {
                let path = "\(directory)/\(target).target.wants/\(file)"
                if try reader.status(path, followLinks: false) != nil { return .enabled }
            }
        }
        return .disabled
    }

    // MARK: others

    private func upstartState(_ name: String) throws(ObservationFailure) -> ServiceState {
        guard let bytes = try reader.bytes("/etc/init/\(name).conf") else { return try sysvState(name) }
        let override = try reader.bytes("/etc/init/\(name).override") ?? []
        let words = TextLines(bytes + [0x0a] + override).numbered.map { $0.text }
        var enabled = false
        for line in words {
            let stanza = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            if stanza.first == "manual" { enabled = false }
            if stanza.prefix(2) == ["start", "on"] { enabled = true }
        }
        return enabled ? .enabled : .disabled
    }

    private func openrcState(_ name: String) throws(ObservationFailure) -> ServiceState {
        guard try reader.exists("/etc/init.d/\(name)") else { return .absent }
        for level in try reader.names("/etc/runlevels") where level != "shutdown" && level != "nonetwork" {
            if try reader.status("/etc/runlevels/\(level)/\(name)", followLinks: false) != nil { return .enabled }
        }
        return .disabled
    }

    private func sysvState(_ name: String) throws(ObservationFailure) -> ServiceState {
        guard try reader.exists("/etc/init.d/\(name)") else { return .absent }
        return try sysvPosition(name) == nil ? .disabled : .enabled
    }

    /// The start link of a System V service, such as `S20lxc-net`; the links of `rcS.d` come first.
    private func sysvPosition(_ name: String) throws(ObservationFailure) -> String? {
        for level in ["S", "2", "3", "4", "5"] {
            for link in try reader.names("/etc/rc\(level).d")
            where link.hasPrefix("S") && link.dropFirst(3) == name {
                return (level == "S" ? "0" : "1") + link
            }
        }
        return nil
    }

    // MARK: order

    /// When a service starts relative to another one.
    func order(_ one: String, relativeTo other: String) throws(ObservationFailure) -> UnitOrder {
        switch initSystem {
        case .systemd:
            let first = try unit(one)
            let second = try unit(other)
            return UnitOrder.of(first ?? Self.assumed(one), relativeTo: second ?? Self.assumed(other))
        case .sysv, .upstart:
            guard let first = try sysvPosition(one), let second = try sysvPosition(other) else { return .unordered }
            return first < second ? .before : .after
        case .openrc:
            let early = try reader.first(["/etc/runlevels/boot/\(one)", "/etc/runlevels/sysinit/\(one)"])
            return early == nil ? .unordered : .before
        }
    }

    /// What upstream's own unit says, for a unit whose file is not there to be read.
    private static func assumed(_ name: String) -> SystemdUnit {
        let text =
            switch name {
            case "nftables", "netfilter-persistent", "ufw", "firewalld":
                "[Unit]\nDefaultDependencies=no\nBefore=network-pre.target\n"
            case "lxc-net": "[Unit]\nAfter=network-online.target\n"
            default: "[Unit]\n"
            }
        return SystemdUnit(name: name + ".service", files: [SectionFile(path: "", text: text)])
    }
}
