internal import HostAccess
internal import HostModel

/// A change in the words of a report: target, before, after, and the commands that a person would type.
struct ChangeWording {
    let target: String
    let before: String
    let after: String
    let command: String
    let reversal: String

    init(_ change: Change) {
        target = Self.target(change)
        before = Self.before(change)
        after = Self.state(change)
        command = Self.command(change)
        reversal = change.isCheck ? FixStep.nothingToTakeBack : Self.command(change.inverse)
    }

    /// The commands that take a change back, where `undo` is what does: a bridge that has to go ahead of lxc-net's stop, and
    /// the inverse. What has to stop first speaks of a boot in between, and is not said. Nil: anything else comes first.
    static func reversal(of change: Change, by undo: [Change]) -> String? {
        guard let index = undo.firstIndex(of: change.inverse) else { return nil }
        var commands: [String] = []
        for first in undo[..<index] where !first.isMeans {
            guard case .run(.lxcNetStart(let outcome)) = change, first == .deleteBridge(name: outcome.bridge) else {
                return nil
            }
            commands.append(command(first))
        }
        return (commands + [command(change.inverse)]).joined(separator: "; ")
    }

    private static func before(_ change: Change) -> String {
        if case .restoreImage = change { return "absent" }
        if case .run(.installLXC) = change { return "absent" }
        if case .forgetFlows(let flows) = change { return FlowWords.list(flows) }
        return change.isCheck ? "as it was written" : state(change.inverse)
    }

    private static func target(_ change: Change) -> String {
        switch change {
        case .createBridge(let name), .deleteBridge(let name), .setLinkUp(let name, _): "link \(name)"
        case .setMaster(let link, _, _): "bridge of \(link)"
        case .containerAddress(let inside, _, let to):
            "address \(to.address.address) of \(inside.interface) in \(inside.container)"
        case .containerHardwareAddress(let inside, _, _):
            "hardware address of \(inside.interface) in \(inside.container)"
        case .addAddress(let link, let address), .removeAddress(let link, let address):
            "address \(address) of \(link)"
        case .setSysctl(let key, _, _): SysctlName.path(key) ?? key
        case .createTranslationTable(let table), .deleteTranslationTable(let table): "nft table ip \(table.name)"
        case .file(let path, _, _), .symbolicLink(let path, _, _): path
        case .addRule(let rule), .removeRule(let rule):
            "\(rule.table.flavour.program) \(rule.table.name) \(rule.chain)"
        case .addNftRule(let rule), .removeNftRule(let rule): "nft chain \(rule.place)"
        case .forgetFlows(let flows): FlowWords.target(flows)
        case .restoreImage(let order): order.path
        case .run(.lxcNetStart), .run(.lxcNetStop): "lxc-net"
        case .run(.firewalldAdd(let interface, _)), .run(.firewalldRemove(let interface, _)):
            "firewalld's zone of \(interface)"
        case .run(.installLXC): "package lxc"
        case .run(.checkFirewalld): "/etc/firewalld"
        case .run(.shorewallReload): "shorewall's loaded rules"
        case .run(.checkNetplan): "a copy of /etc/netplan"
        case .run(.checkKeyfile(let path, _)): path
        case .run(.checkNetworkManager): "NetworkManager's configuration"
        case .run(.reloadNetworkManager): "NetworkManager's devices"
        case .run(.checkDnsmasq("/dev/null", _)): "dnsmasq, with lxc-net's range"
        case .run(.checkDnsmasq(let path, _)): path
        case .run(.checkShorewall): "a copy of /etc/shorewall"
        case .run(.checkContainer(let name, let path)): "\(path)/\(name)/config"
        case .run(let program): program.command.last ?? ""
        }
    }

    /// What the target is once the change was made.
    private static func state(_ change: Change) -> String {
        switch change {
        case .createBridge: "a bridge, down"
        case .setLinkUp(_, let up): up ? "up" : "down"
        case .setMaster(_, _, let bridge): bridge ?? "none"
        case .containerAddress(_, _, let to): to.description
        case .containerHardwareAddress(_, _, let to): to.description
        case .addAddress: "present"
        case .deleteBridge, .removeAddress, .deleteTranslationTable: "absent"
        case .setSysctl(_, _, let value): value
        case .createTranslationTable(let table):
            "postrouting: ip saddr \(table.network) ip daddr != \(table.network) counter masquerade"
        case .file(_, let other, let content): content.map { fileState($0, against: other) } ?? "absent"
        case .symbolicLink(_, _, let target): target.map { "link to \($0)" } ?? "absent"
        case .addRule(let rule): rule.line
        case .addNftRule(let rule): rule.text
        case .removeRule, .removeNftRule: "without the rule"
        case .forgetFlows: "forgotten: the next packet of each begins a flow that is translated"
        case .restoreImage(let order): "unpacked from \(order.source.location), \(order.source.checksum)"
        case .run(.lxcNetStart): "started"
        case .run(.lxcNetStop): "stopped"
        case .run(.shorewallReload(let reach, let isOpen)):
            isOpen ? "\(reach.bridge) may reach \(reach.uplink), DHCP and DNS" : "as the files say"
        case .run(.installLXC(let manager, _)): "installed by \(manager.rawValue)"
        case .run(.firewalldAdd(_, let zone)): zone
        case .run(.firewalldRemove): "none"
        case .run(.daemonReload): "read"
        case .run(.reloadNetworkManager(let ports)): "without \(ports.joined(separator: ", "))"
        case .run(.startUnit): "active"
        case .run: "valid"
        }
    }

    /// The lines that this content has and the other has not; all of them where there is no other.
    private static func fileState(_ content: FileContent, against other: FileContent?) -> String {
        let lines = EditCommand.lines(content.bytes.bytes)
        var others = EditCommand.lines(other?.bytes.bytes ?? [])
        var own: [String] = []
        for line in lines {
            if let index = others.firstIndex(of: line) {
                others.remove(at: index)
            } else {
                own.append(line)
            }
        }
        if own.isEmpty { return other == nil ? "empty" : "without the line" }
        return own.joined(separator: "; ")
    }

    private static func shell(_ words: [String]) -> String {
        words.map { Shell.quote($0) }.joined(separator: " ")
    }

    private static func command(_ change: Change) -> String {
        switch change {
        case .createBridge(let name): return "ip link add \(Shell.quote(name)) type bridge"
        case .deleteBridge(let name): return "ip link delete \(Shell.quote(name)) type bridge"
        case .setLinkUp(let name, let up): return "ip link set \(Shell.quote(name)) \(up ? "up" : "down")"
        case .setMaster(let link, _, let bridge):
            let place = bridge.map { "master \(Shell.quote($0))" } ?? "nomaster"
            return "ip link set \(Shell.quote(link)) \(place)"
        case .containerAddress(let inside, let from, let to):
            return ContainerCommand.address(inside, from: from, to: to)
        case .containerHardwareAddress(let inside, _, let to): return ContainerCommand.hardwareAddress(inside, to)
        case .addAddress(let link, let address):
            return AddressCommand.add(address, to: link)
        case .removeAddress(let link, let address): return AddressCommand.delete(address, from: link)
        case .setSysctl(let key, _, let value): return "sysctl -w \(Shell.quote("\(key)=\(value)"))"
        case .createTranslationTable(let table):
            let text =
                "table ip \(table.name) { chain postrouting { type nat hook postrouting priority 100; "
                + "ip saddr \(table.network) ip daddr != \(table.network) counter masquerade; }; }"
            return "nft \(Shell.quote("add " + text))"
        case .deleteTranslationTable(let table): return "nft delete table ip \(table.name)"
        case .file(let path, let before, let after):
            guard let after else { return "rm \(Shell.quote(path))" }
            return EditCommand.text(from: before?.bytes.bytes, to: after.bytes.bytes, path: path)
        case .symbolicLink(let path, _, let after):
            guard let after else { return "rm \(Shell.quote(path))" }
            return "ln -s \(Shell.quote(after)) \(Shell.quote(path))"
        case .addRule(let rule):
            // Ahead of another rule: the position is looked up when it is made.
            let position = rule.place == .last ? nil : 1
            return shell([rule.table.flavour.program] + rule.insertion(position: position))
        case .removeRule(let rule): return shell([rule.table.flavour.program] + rule.deletion)
        case .addNftRule(let rule):
            // Ahead of another rule: by that one's handle, which is looked up when it is made.
            guard case .before = rule.position else { return "nft add rule \(rule.place) \(Shell.quote(rule.text))" }
            return "nft insert rule \(rule.place) handle N \(Shell.quote(rule.text))"
        case .removeNftRule(let rule):
            // By its handle, which `nft -a` shows.
            return "nft delete rule \(rule.place) handle N"
        case .forgetFlows(let flows): return FlowWords.command(flows)
        case .restoreImage(let order): return ImageCommand.text(order)
        case .run(let program): return shell(program.command)
        }
    }
}

/// Words for a POSIX shell.
enum Shell {
    /// The word as it is where nothing in it is special, else in single quotes.
    static func quote(_ word: String) -> String {
        let plain =
            !word.isEmpty
            && word.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
                case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: "="),
                    UInt8(ascii: ":"), UInt8(ascii: "+"), UInt8(ascii: ","):
                    true
                default: false
                }
            }
        return plain ? word : "'" + word.replacing("'", with: "'\\''") + "'"
    }
}
