internal import ConfigFiles
internal import HostAccess
internal import HostModel

/// The service that makes the makina bridge, in whichever form this host has it: upstart job, System V script, systemd
/// unit.
struct MakinaJob {
    static let service = "lxc-net-makina"

    var kinds: [String] = []
    var files: [String] = []
    /// What the kinds run, as text.
    private var scripts: [(kind: String, script: InitScript)] = []
    /// Kinds that this init system runs.
    var runnable: [String] = []
    var starts = false
    /// Where the guard is that is not met, and what it compares.
    var brokenGuard: InitScript.Guard?
    /// The value that the guard sees.
    var guardValue = ""
    var missingTools: [String] = []
    var usesFlag: SourceLocation?
    var address: IPv4Prefix?
    var network: IPv4Prefix?

    var isPresent: Bool { !kinds.isEmpty }
    var isInert: Bool { isPresent && runnable.isEmpty }
    /// Whether the next boot gets as far as making the bridge.
    var works: Bool { starts && brokenGuard == nil && missingTools.isEmpty }

    /// Jobs that name another bridge are not looked at.
    static func read(bridge: String, _ services: BootServices) throws(ObservationFailure) -> MakinaJob {
        let reader = services.reader
        var job = MakinaJob()
        try job.add("upstart", "/etc/init/\(service).conf", bridge, reader)
        try job.add("sysv", "/etc/init.d/\(service)", bridge, reader)
        if let unit = try services.unit(service), let file = unit.files.first {
            var programs: [InitScript] = []
            for program in unit.programs {
                if let bytes = try reader.bytes(program, limit: 1 << 18) {
                    programs.append(InitScript(path: program, bytes: bytes))
                }
            }
            if matches([InitScript(path: file.path, bytes: file.bytes)] + programs, bridge) {
                job.kinds.append("systemd")
                job.files.append(file.path)
                job.scripts += programs.map { ("systemd", $0) }
            }
        }
        guard job.isPresent else { return job }

        job.runnable = job.kinds.filter { kind in
            switch services.initSystem {
            case .systemd: kind == "systemd" || kind == "sysv"
            case .upstart: kind == "upstart" || kind == "sysv"
            case .openrc, .sysv: kind == "sysv"
            }
        }
        if !job.runnable.isEmpty {
            job.starts = try services.starts(service, wantedBy: ["lxc"])
        }
        let relevant = job.scripts.filter { job.runnable.isEmpty || job.runnable.contains($0.kind) }.map(\.script)
        try job.judgeGuard(relevant, reader)
        for tool in ["brctl", "ifconfig"] where relevant.contains(where: { $0.use(of: tool) != nil }) {
            if try !reader.hasProgram(tool) { job.missingTools.append(tool) }
        }
        job.usesFlag = relevant.compactMap { $0.mention(of: "network_up") }.first
        job.readValues(relevant, bridge)
        return job
    }

    private mutating func add(
        _ kind: String, _ path: String, _ bridge: String, _ reader: ConfigurationReader
    ) throws(ObservationFailure) {
        guard let bytes = try reader.bytes(path, limit: 1 << 18) else { return }
        var scripts = [InitScript(path: path, bytes: bytes)]
        // Later versions of the job only call this script.
        let helper = "/usr/bin/lxc-net-makina.sh"
        if scripts[0].mention(of: helper) != nil, let bytes = try reader.bytes(helper, limit: 1 << 18) {
            scripts.append(InitScript(path: helper, bytes: bytes))
        }
        guard Self.matches(scripts, bridge) else { return }
        kinds.append(kind)
        files.append(path)
        self.scripts += scripts.map { (kind, $0) }
    }

    private static func matches(_ scripts: [InitScript], _ bridge: String) -> Bool {
        for script in scripts {
            if let named = script.variable("LXC_MAKINA_BRIDGE") { return named.value == bridge }
        }
        return bridge == "lxcbr1" || scripts.contains { $0.mention(of: bridge) != nil }
    }

    private mutating func judgeGuard(
        _ scripts: [InitScript], _ reader: ConfigurationReader
    ) throws(ObservationFailure) {
        for script in scripts {
            guard let condition = script.firstGuard("USE_LXC_BRIDGE") else { continue }
            var environment = ShellEnvironment()
            var initial: [String: String] = [:]
            if let own = script.variable("USE_LXC_BRIDGE") { initial["USE_LXC_BRIDGE"] = own.value }
            for directory in ["/etc/default", "/etc/sysconfig"] where script.mention(of: directory + "/lxc") != nil {
                environment = try LXCNetSettings.environment(reader, directory: directory, initial: initial)
            }
            if environment.value("USE_LXC_BRIDGE") == nil { environment = ShellEnvironment(initial) }
            guardValue = try environment.known("USE_LXC_BRIDGE")
            if guardValue != condition.wanted { brokenGuard = condition }
            return
        }
    }

    private mutating func readValues(_ scripts: [InitScript], _ bridge: String) {
        func value(_ name: String) -> String? { scripts.compactMap { $0.variable(name)?.value }.last }
        if let text = value("LXC_MAKINA_ADDR"), let address = IPv4Address(text) {
            self.address = value("LXC_MAKINA_NETMASK").flatMap(IPv4Address.init(_:)).flatMap { mask in
                IPv4Prefix(address: address, netmask: mask)
            }
        } else if bridge == "lxcbr1" {
            // The script of makina-states computes these for this name.
            address = IPv4Prefix("10.5.0.1/16")
        }
        network = value("LXC_MAKINA_NETWORK").flatMap(IPv4Prefix.init(_:)) ?? address?.network
    }
}
