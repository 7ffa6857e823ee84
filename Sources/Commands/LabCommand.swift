internal import ArgumentParser
internal import HostModel
internal import LinuxHost
internal import PracticeHost

/// `lab`: practice hosts, throw-away copies of this machine.
struct LabCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lab", abstract: "Runs a command on a practice host: a throw-away copy of this machine.",
        subcommands: [LabRunCommand.self, LabLayersCommand.self])
}

extension PracticeProfile: ExpressibleByArgument {}
extension PracticeBackend: ExpressibleByArgument {}
extension PracticeIPv6: ExpressibleByArgument {}

struct LabRunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Starts a practice host, breaks it as told, and runs a command on it.",
        discussion: "Needs root. Nothing done inside reaches the machine. Exits with the command's own status.")

    @Option(name: .long, help: "makina (lxcbr1, 10.5.0.1/16) or lxc-net (lxcbr0, 10.0.3.1/24).")
    var profile: PracticeProfile = .makina

    @Option(name: .long, help: "Who holds the rules: nft, iptables-nft or iptables-legacy.")
    var backend: PracticeBackend = .nft

    @Option(name: .long, help: "Give it IPv6: nat66 (fd42:5::/64, translated) or routed (2001:db8:5::/64).")
    var ipv6: PracticeIPv6?

    @Option(name: .long, help: "How many containers run: c1, c2, …")
    var containers = 0

    @Option(name: .long, help: "Break it: a fault's id, or ID=VARIANT (repeatable; `list faults`).")
    var fault: [String] = []

    @Option(name: .long, help: "A layer more: ufw, firewalld, … (repeatable; `lab layers` builds them).")
    var layer: [String] = []

    @Argument(parsing: .postTerminator, help: "The command to run, after --.")
    var command: [String] = []

    func validate() throws {
        if command.isEmpty { throw ValidationError("lab run needs a command after --") }
    }

    func run() throws {
        let plan = PracticeHostPlan(
            profile: profile, backend: backend, ipv6: ipv6, containers: containers,
            faults: fault.map(FaultSelection.init(argument:)), command: command, layers: layer)
        do {
            throw ExitCode(try runPracticeHost(plan))
        } catch let error as PracticeHostError {
            throw CommandError(CommandError.Code(rawValue: error.exitCode) ?? .internalError, error.message)
        }
    }
}

struct LabLayersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "layers",
        abstract: "Builds what practice hosts are made of: packages, unpacked into images that only they mount.",
        discussion: "Needs root and a package mirror. Nothing is installed, started or enabled on the machine.")

    @Argument(help: "The layers to build; all where none is named.")
    var names: [String] = []

    func run() throws {
        do {
            try buildLayers(names) { Output.message($0) }
        } catch {
            throw CommandError(CommandError.Code(rawValue: error.exitCode) ?? .internalError, error.message)
        }
    }
}
