internal import HostAccess
internal import HostModel

/// A change as pieces of a POSIX shell script: how to see that the host is as before it, or as after it already, and
/// how to make it. Each piece is a command whose exit status says yes or no.
struct ShellChange {
    /// What it touches, for telling whether an earlier step has touched the same.
    let resources: Set<String>
    /// What must be there first: a link that an earlier step makes.
    let needs: Set<String>
    let isBefore: String
    let isAfter: String
    let make: String
    /// Programs beside the shell's own and coreutils.
    let programs: Set<String>

    init(_ change: Change) {
        switch change {
        case .createBridge(let name): self = Self.bridge(name, create: true)
        case .deleteBridge(let name): self = Self.bridge(name, create: false)
        case .setLinkUp(let name, let up): self = Self.link(name, up: up)
        case .setMaster(let link, let from, let to): self = Self.master(of: link, from, to)
        case .containerAddress(let inside, let from, let to): self = Self.containerAddress(inside, from, to)
        case .containerHardwareAddress(let inside, let from, let to):
            self = Self.containerHardwareAddress(inside, from, to)
        case .addAddress(let link, let address): self = Self.address(address, of: link, add: true)
        case .removeAddress(let link, let address): self = Self.address(address, of: link, add: false)
        case .setSysctl(let key, let from, let to): self = Self.sysctl(key, from, to)
        case .createTranslationTable(let table): self = Self.table(table, create: true)
        case .deleteTranslationTable(let table): self = Self.table(table, create: false)
        case .file(let path, let before, let after): self = Self.file(path, before, after)
        case .symbolicLink(let path, let before, let after): self = Self.symbolicLink(path, before, after)
        case .addRule(let rule): self = Self.rule(rule, add: true)
        case .removeRule(let rule): self = Self.rule(rule, add: false)
        case .addNftRule(let rule): self = Self.nftRule(rule, add: true)
        case .removeNftRule(let rule): self = Self.nftRule(rule, add: false)
        case .forgetFlows(let flows): self = Self.forget(flows)
        case .restoreImage(let order): self = Self.image(order)
        case .run(let program): self = Self.program(program)
        }
    }

    init(
        _ resources: Set<String>, needs: Set<String> = [], isBefore: String, isAfter: String, make: String,
        programs: Set<String> = []
    ) {
        self.resources = resources
        self.needs = needs
        self.isBefore = isBefore
        self.isAfter = isAfter
        self.make = make
        self.programs = programs
    }

    // MARK: Links

    private static func bridge(_ name: String, create: Bool) -> ShellChange {
        let path = Shell.quote("/sys/class/net/\(name)")
        let isBridge = "[ -d \(Shell.quote("/sys/class/net/\(name)/bridge")) ]"
        let isAbsent = "[ ! -e \(path) ]"
        let word = Shell.quote(name)
        let ports = Shell.quote("/sys/class/net/\(name)/brif")
        return ShellChange(
            ["link \(name)"], isBefore: create ? isAbsent : "\(isBridge) && [ -z \"$(ls \(ports))\" ]",
            isAfter: create ? isBridge : isAbsent,
            make: create ? "ip link add \(word) type bridge" : "ip link delete \(word) type bridge", programs: ["ip"])
    }

    private static func link(_ name: String, up: Bool) -> ShellChange {
        let word = Shell.quote(name)
        let isThere = "[ -e \(Shell.quote("/sys/class/net/\(name)")) ]"
        // IFF_UP is bit 0 of the flags.
        let flag = "$(( $(cat \(Shell.quote("/sys/class/net/\(name)/flags"))) & 1 ))"
        let isUp = "\(isThere) && [ \(flag) = 1 ]"
        let isDown = "\(isThere) && [ \(flag) = 0 ]"
        return ShellChange(
            ["state of \(name)"], needs: ["link \(name)"], isBefore: up ? isDown : isUp, isAfter: up ? isUp : isDown,
            make: "ip link set \(word) \(up ? "up" : "down")", programs: ["ip"])
    }

    private static func address(_ address: HeldAddress, of link: String, add: Bool) -> ShellChange {
        let word = Shell.quote(link)
        let isThere = "[ -e \(Shell.quote("/sys/class/net/\(link)")) ]"
        let has = "ip -o -4 address show dev \(word) | grep -qF \(Shell.quote(" \(address) "))"
        let present = "\(isThere) && \(has)"
        let absent = "\(isThere) && ! \(has)"
        return ShellChange(
            ["address \(address) of \(link)"], needs: ["link \(link)"], isBefore: add ? absent : present,
            isAfter: add ? present : absent,
            make: add ? AddressCommand.add(address, to: link) : AddressCommand.delete(address, from: link),
            programs: ["ip"])
    }

    private static func sysctl(_ key: String, _ from: String, _ to: String) -> ShellChange {
        let path = SysctlName.path(key) ?? "/proc/sys/none"
        let word = Shell.quote(path)
        let value = "\"$(cat \(word))\""
        let parts = path.split(separator: "/")
        let link = parts.count == 7 && parts[4] == "conf" ? ["link \(parts[5])"] : []
        return ShellChange(
            ["sysctl \(key)"], needs: Set(link), isBefore: "[ \(value) = \(Shell.quote(from)) ]",
            isAfter: "[ \(value) = \(Shell.quote(to)) ]", make: "printf '%s\\n' \(Shell.quote(to)) >\(word)")
    }

    // MARK: Translation

    private static func table(_ table: TranslationTable, create: Bool) -> ShellChange {
        let name = Shell.quote(table.name)
        let rule = "ip saddr \(table.network) ip daddr != \(table.network) counter masquerade"
        let listing =
            "table ip \(table.name) { chain postrouting { type nat hook postrouting priority srcnat; policy accept; "
            + "\(rule) } }"
        // Without counters, on one line.
        let isThere =
            "[ \"$(nft -s list table ip \(name) 2>/dev/null | tr -s '\\t\\n' '  ' | sed 's/^ //; s/ $//')\""
            + " = \(Shell.quote(listing)) ]"
        let isAbsent = "! nft list table ip \(name) >/dev/null 2>&1"
        let text =
            "add table ip \(table.name) { chain postrouting { type nat hook postrouting priority 100; "
            + "\(rule); }; }"
        return ShellChange(
            ["nft table ip \(table.name)"], isBefore: create ? isAbsent : isThere, isAfter: create ? isThere : isAbsent,
            make: create ? "nft \(Shell.quote(text))" : "nft delete table ip \(name)", programs: ["nft"])
    }

    // MARK: Files

    private static func file(_ path: String, _ before: FileContent?, _ after: FileContent?) -> ShellChange {
        ShellChange(
            [path], isBefore: state(path, before), isAfter: state(path, after), make: write(path, before, after),
            programs: ["cmp"])
    }

    private static func state(_ path: String, _ content: FileContent?) -> String {
        let word = Shell.quote(path)
        guard let content else { return "[ ! -e \(word) ] && [ ! -L \(word) ]" }
        let facts = "\(String(content.mode, radix: 8)) \(content.owner) \(content.group)"
        return "[ -f \(word) ] && [ ! -L \(word) ] && [ \"$(stat -c '%a %u %g' \(word))\" = \(Shell.quote(facts)) ]"
            + " && \(print(content)) | cmp -s - \(word)"
    }

    /// Writes beside the file and renames: whoever reads it finds the old text or the new one.
    private static func write(_ path: String, _ before: FileContent?, _ after: FileContent?) -> String {
        let word = Shell.quote(path)
        guard let after else { return "cp -a \(word) \"$backup\" && rm \(word)" }
        let new = Shell.quote(HostState.directory(of: path) + "/.lxc-doctor.plan")
        let mode = String(after.mode, radix: 8)
        let fill = "\(print(after)) >\(new)"
        let rights = "chown \(after.owner):\(after.group) \(new) && chmod \(mode) \(new)"
        if before == nil {
            return "(umask 077 && rm -f \(new) && \(fill)) && \(rights) && mv -f \(new) \(word) && sync"
        }
        // A copy of the old file first: it brings the access list and the labels along.
        return "cp -a \(word) \"$backup\" && rm -f \(new) && cp -a \(word) \(new) && \(fill) && \(rights)"
            + " && mv -f \(new) \(word) && sync"
    }

    /// printf(1) with every byte that is no plain text as an octal escape.
    private static func print(_ content: FileContent) -> String {
        var text = ""
        for byte in content.bytes.bytes {
            switch byte {
            case UInt8(ascii: "%"): text += "%%"
            case UInt8(ascii: "\\"): text += "\\\\"
            case UInt8(ascii: "'"): text += "'\\''"
            case 0x0a, 0x20...0x7e: text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 8)
                text += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
            }
        }
        return "printf '\(text)'"
    }

    private static func symbolicLink(_ path: String, _ before: String?, _ after: String?) -> ShellChange {
        let word = Shell.quote(path)
        func state(_ target: String?) -> String {
            guard let target else { return "[ ! -e \(word) ] && [ ! -L \(word) ]" }
            return "[ -L \(word) ] && [ \"$(readlink \(word))\" = \(Shell.quote(target)) ]"
        }
        var make = after.map { "ln -s \(Shell.quote($0)) \(word)" } ?? "rm \(word)"
        if before != nil, let after { make = "ln -sfn \(Shell.quote(after)) \(word)" }
        return ShellChange([path], isBefore: state(before), isAfter: state(after), make: make)
    }
}
