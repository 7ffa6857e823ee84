internal import HostAccess

/// Rules of iptables and programs of others, for a shell script.
extension ShellChange {
    static func rule(_ rule: IptablesRule, add: Bool) -> ShellChange {
        let program = rule.table.flavour.program
        let line = Shell.quote(rule.line)
        let chain = "\(program) -w 5 -t \(rule.table.name) -S \(Shell.quote(rule.chain))"
        let present: String
        let insertion: String
        switch rule.place {
        case .before(let neighbour):
            // Which of the two comes first; the rule may stand behind the other one as well.
            let other = Shell.quote(neighbour)
            present = "[ \"$(\(chain) | grep -xF -m 1 -e \(line) -e \(other))\" = \(line) ]"
            let position = "$(\(chain) | grep '^-A' | grep -nxF -m 1 -e \(other) | cut -d : -f 1)"
            insertion =
                "\(program) -w 5 -t \(rule.table.name) -I \(Shell.quote(rule.chain)) \"\(position)\" "
                + words(rule.words)
        case .first, .last:
            present = "\(chain) | grep -qxF -e \(line)"
            insertion = words([program] + rule.insertion(position: rule.place == .first ? 1 : nil))
        }
        let deletion = words([program] + rule.deletion)
        return ShellChange(
            ["rule \(rule.table.flavour.program) \(rule.line)"], isBefore: add ? "! { \(present); }" : present,
            isAfter: add ? present : "! { \(present); }", make: add ? insertion : deletion, programs: [program])
    }

    static func program(_ program: OwnedProgram) -> ShellChange {
        let command = words(program.command)
        let programs: Set<String> = [program.command.first ?? "true"]
        let flag = "[ -e \(Shell.quote(LxcNetFacts.flag)) ]"
        switch program {
        case .lxcNetStart(let outcome):
            let bridge = Shell.quote("/sys/class/net/\(outcome.bridge)/bridge")
            let isUp = "\(flag) && [ -d \(bridge) ]"
            return ShellChange(
                ["lxc-net"], isBefore: "! { \(isUp); }", isAfter: isUp, make: command, programs: programs)
        case .lxcNetStop:
            return ShellChange(
                ["lxc-net"], isBefore: flag, isAfter: "! \(flag)", make: command, programs: programs)
        case .installLXC:
            let isThere = "[ -e \(LXCInstall.program) ]"
            return ShellChange(
                ["package lxc"], isBefore: "! \(isThere)", isAfter: isThere, make: command,
                programs: Set(program.command.filter { ["apt-get", "dnf", "apk"].contains($0) }))
        case .firewalldAdd(let interface, let zone), .firewalldRemove(let interface, let zone):
            let names = Shell.quote("--get-zone-of-interface=\(interface)")
            let inZone = "[ \"$(firewall-cmd \(names) 2>/dev/null)\" = \(Shell.quote(zone)) ]"
            let inNone = "! firewall-cmd \(names) >/dev/null 2>&1"
            let adds = if case .firewalldAdd = program { true } else { false }
            return ShellChange(
                ["zone of \(interface)"], isBefore: adds ? inNone : inZone, isAfter: adds ? inZone : inNone,
                make: command, programs: programs)
        case .daemonReload, .checkFirewalld, .checkRules, .checkUnit, .checkContainer:
            return ShellChange(
                ["check \(command)"], isBefore: "true", isAfter: command, make: command, programs: programs)
        }
    }

    private static func words(_ words: [String]) -> String {
        words.map { Shell.quote($0) }.joined(separator: " ")
    }
}
