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

    /// The rule in its place, which is found again by text: ahead of one that drops or rejects everything, else at the
    /// end; or ahead of its neighbour.
    static func nftRule(_ rule: NftChainRule, add: Bool) -> ShellChange {
        let place = rule.place.description.split(separator: " ").map { Shell.quote(String($0)) }.joined(separator: " ")
        // Without what counters have counted.
        let listing = "nft -sa list chain \(place) 2>/dev/null"
        let own = line(rule.text)
        let handle = "sed 's/.* # handle //' | head -n 1"
        let present: String
        let ending: String
        switch rule.position {
        case .end:
            present = "\(listing) | grep -qE \(own)"
            ending = Shell.quote("^[[:space:]]*(counter )?(drop|reject).* # handle ")
        case .before(_, let text):
            ending = line(text)
            // The rule may stand behind its neighbour as well.
            present = "\(listing) | grep -E -m 1 -e \(own) -e \(ending) | grep -qE \(own)"
        }
        let text = Shell.quote(rule.text)
        let otherwise = rule.position == .end ? "nft add rule \(place) \(text)" : "false"
        let insertion =
            "{ end=\"$(\(listing) | grep -E \(ending) | \(handle))\"; "
            + "if [ -n \"$end\" ]; then nft insert rule \(place) position \"$end\" \(text); "
            + "else \(otherwise); fi; }"
        let deletion = "nft delete rule \(place) handle \"$(\(listing) | grep -E \(own) | \(handle))\""
        return ShellChange(
            ["rule \(rule.place) \(rule.text)"], isBefore: add ? "! { \(present); }" : present,
            isAfter: add ? present : "! { \(present); }", make: add ? insertion : deletion, programs: ["nft"])
    }

    /// The line of a rule in `nft -sa list`, as a pattern for `grep -E`.
    private static func line(_ rule: String) -> String {
        var pattern = ""
        for character in rule {
            if "\\^$.[]|()*+?{}".contains(character) { pattern.append("\\") }
            pattern.append(character)
        }
        return Shell.quote("^[[:space:]]*\(pattern) # handle ")
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
        case .shorewallReload(let reach, let isOpen):
            // Where the bridge is in a zone, the loaded rules name it.
            let named = "iptables -S FORWARD | grep -qF -e \(Shell.quote(" -i \(reach.bridge) "))"
            let isLoaded = isOpen ? named : "! { \(named); }"
            return ShellChange(
                ["shorewall"], isBefore: "true", isAfter: isLoaded, make: command, programs: ["shorewall", "iptables"])
        case .checkShorewall:
            // The compiler converts files of old in place: it gets a copy.
            let copy = "copy=\"$(mktemp -d)\" && cp -a /etc/shorewall/. \"$copy\""
            let check = "{ \(copy) && shorewall check \"$copy\" >/dev/null; }"
            return ShellChange(
                ["check \(command)"], isBefore: "true", isAfter: check, make: check, programs: ["shorewall"])
        case .checkNetplan:
            let copy = "copy=\"$(mktemp -d)\" && mkdir \"$copy/etc\" && cp -a /etc/netplan \"$copy/etc\""
            let check = "{ \(copy) && netplan generate --root-dir \"$copy\"; }"
            return ShellChange(
                ["check \(command)"], isBefore: "true", isAfter: check, make: check, programs: ["netplan"])
        case .checkKeyfile(let path, let address):
            let check = "\(command) < \(Shell.quote(path)) | grep -qF -e \(address)"
            return ShellChange(
                [path], isBefore: "true", isAfter: check, make: check, programs: programs)
        case .checkNetworkManager(let devices):
            let check = devices.map { "\(command) | grep -qF -e \(Shell.quote($0))" }.joined(separator: " && ")
            return ShellChange(
                [NetworkManagerPorts.file], isBefore: "true", isAfter: check, make: check, programs: programs)
        case .reloadNetworkManager(let ports):
            let up = ports.map { "ip link set \(Shell.quote($0)) up" }
            // It takes down what it lets go of.
            let make = "{ \((["\(command)", "sleep 1"] + up).joined(separator: " && ")); }"
            return ShellChange(
                [NetworkManagerPorts.file], isBefore: "true", isAfter: make, make: make,
                programs: programs.union(["ip"]))
        case .daemonReload, .startUnit, .checkIfupdown, .checkFirewalld, .checkRules, .checkNftables, .checkUnit,
            .checkContainer, .checkDocker, .checkDnsmasq:
            return ShellChange(
                ["check \(command)"], isBefore: "true", isAfter: command, make: command, programs: programs)
        }
    }

    private static func words(_ words: [String]) -> String {
        words.map { Shell.quote($0) }.joined(separator: " ")
    }
}
