internal import ArgumentParser

/// The program's name and version, as reports carry them.
enum Tool {
    static let name = "lxc-doctor"
    static let version = "0.1.0"
}

struct LXCDoctor: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: Tool.name,
        abstract: "Says whether containers behind a NAT-ed bridge have a network, proves it, and repairs it.",
        discussion: "Without a subcommand it runs `doctor`, which changes nothing.",
        version: Tool.version,
        subcommands: [
            DoctorCommand.self, ProveCommand.self, VerifyCommand.self, FixCommand.self, ExplainCommand.self,
            ListCommand.self, WatchCommand.self, ReportCommand.self, LabCommand.self,
        ],
        defaultSubcommand: DoctorCommand.self)
}
