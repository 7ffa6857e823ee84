import BuiltInCatalog
import CheckCatalog
import HostModel
import Testing

/// What `explain` says, held to what an operator needs in the middle of the night: every part there and not thin,
/// commands that can be typed, references that can be found. That the commands show the fault is for practice hosts.
@Suite struct ExplanationTests {
    private static let causes = Dictionary(uniqueKeysWithValues: BuiltIn.causes().map { ($0.id, $0) })
    static let ids = causes.keys.sorted()

    /// Where the least is said, there is still a sentence that says something.
    @Test(arguments: ids) func everyPartSaysSomething(_ id: String) throws {
        let cause = try #require(Self.causes[id])
        let parts = [
            ("explanation", cause.explanation, 12), ("symptom", cause.symptom, 12), ("why", cause.why, 15),
            ("look", cause.look, 18), ("fix", cause.fix, 20),
        ]
        for (name, text, least) in parts {
            let words = text.split(separator: " ").count
            #expect(words >= least, "\(cause.id): \(name) has \(words) words: \(text)")
            let isWhole = text.hasSuffix(".") || text.hasSuffix(".\"") || text.hasSuffix(")")
            #expect(isWhole, "\(cause.id): \(name) ends amiss")
            let quotes = text.count { $0 == "\"" }
            #expect(quotes.isMultiple(of: 2), "\(cause.id): \(name) opens a quotation and does not close it")
        }
        #expect(cause.look.contains("he doctor") || cause.isDocumentedOnly, "\(cause.id): who looks?")
        #expect(!cause.inspect.isEmpty, "\(cause.id): nothing to type that shows it")
        #expect(!cause.references.isEmpty, "\(cause.id): no reference")
        // No part is another one in the same words.
        let texts = parts.map { $0.1 }
        #expect(Set(texts).count == texts.count, "\(cause.id)")
    }

    /// To see is not to change: these are typed without a second thought.
    static let changing = [
        " -A ", " -I ", " -D ", " -F", " -X", " -w net", " -P FORWARD", " add ", " del ", " delete ", " flush ",
        " set ",
        "restart", "enable ", "chmod", "chown", "mkdir", " rm ",
    ]

    @Test(arguments: ids) func inspectionChangesNothing(_ id: String) throws {
        let cause = try #require(Self.causes[id])
        for command in cause.inspect {
            for word in Self.changing {
                #expect(!(command + " ").contains(word), "\(cause.id): \(command)")
            }
            // Listing the tables of iptables-legacy makes them: only where they are known to be there.
            if command.hasPrefix("iptables-legacy") {
                #expect(cause.inspect[0] == "cat /proc/net/ip_tables_names", "\(cause.id): \(command)")
            }
        }
    }

    @Test(arguments: ids) func commandsNameProgramsThatExist(_ id: String) throws {
        let cause = try #require(Self.causes[id])
        for template in cause.inspect + cause.commands + cause.owners.values.flatMap(\.self) {
            // The beginning of a command in a container, and a whole command, both as a probe has found them.
            let command = template.replacing(/\{\{inside\.\w+\}\}/, with: "lxc-attach -n c1 --")
            if command.wholeMatch(of: /\{\{command\.\w+\}\}/) != nil { continue }
            let programs = CommandLineWords(command).programs
            #expect(!programs.isEmpty, "\(cause.id): \(command)")
            for program in programs {
                let isKnown = ExplanationPrograms.known.contains(program)
                #expect(isKnown, "\(cause.id): \(program) of \(command)")
            }
            #expect(CommandLineWords(command).isClosed, "\(cause.id): a quotation stays open in \(command)")
        }
        for text in [cause.look, cause.fix] {
            for quoted in Self.quoted(text) {
                guard let first = CommandLineWords(quoted).programs.first, quoted.contains(" ") else { continue }
                // What is quoted and looks like a command is one; a message begins with something else.
                guard ExplanationPrograms.known.contains(first) else { continue }
                for program in CommandLineWords(quoted).programs {
                    let isKnown = ExplanationPrograms.known.contains(program)
                    #expect(isKnown, "\(cause.id): \(program) of \(quoted)")
                }
            }
        }
    }

    private static func quoted(_ text: String) -> [String] {
        text.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
            .filter { !$0.offset.isMultiple(of: 2) }.map { String($0.element) }
    }

    /// A man page with its section, an RFC, an issue or change of a project, a file of one, or an address.
    @Test(arguments: ids) func referencesCanBeFound(_ id: String) throws {
        let cause = try #require(Self.causes[id])
        let forms = [
            try Regex(#"[A-Za-z0-9.+_-]+\([1-9][A-Z]*\)(, .+)?"#), try Regex(#"RFC [0-9]+(, .+)?"#),
            try Regex(#"[A-Za-z0-9.-]+/[A-Za-z0-9._-]+( PR)?#[0-9]+"#),
            try Regex(#"[A-Za-z0-9.-]+/[A-Za-z0-9._-]+ [A-Za-z0-9._/-]+\.[a-z]+"#),
            try Regex(#"https://[a-z0-9.-]+\.[a-z]+/[^ ]*(, .+)?"#),
        ]
        for reference in cause.references {
            #expect(
                forms.contains { reference.wholeMatch(of: $0) != nil }, "\(cause.id): \(reference) is in no known form")
        }
        #expect(Set(cause.references).count == cause.references.count, "\(cause.id)")
    }
}

/// The programs that a line of shell calls.
struct CommandLineWords {
    private(set) var programs: [String] = []
    /// Every quotation that is opened is closed again.
    private(set) var isClosed = true

    init(_ line: String) {
        var quote: Character?
        var word = ""
        var wantsProgram = true
        var isTarget = false
        func take() {
            defer { word = "" }
            guard !word.isEmpty else { return }
            if isTarget {
                isTarget = false
            } else if wantsProgram, !word.contains("=") {
                programs.append(String(word.split(separator: "/").last ?? ""))
                wantsProgram = false
            }
        }
        for character in line {
            if let open = quote {
                if character == open { quote = nil } else { word.append(character) }
                continue
            }
            switch character {
            case "'", "\"": quote = character
            case "|", ";", "&":
                take()
                wantsProgram = true
            case "<", ">":
                take()
                isTarget = true
            case "(":
                // `$(program …)`
                if word.last == "$" { word = "" }
                (wantsProgram, isTarget) = (true, false)
            case ")":
                take()
                wantsProgram = false
            case " ", "\t": take()
            default: word.append(character)
            }
        }
        take()
        isClosed = quote == nil
    }
}

/// Programs that explanations may tell people to type, by what brings them.
enum ExplanationPrograms {
    static let known = Set(
        [
            // iproute2, ethtool, tcpdump, conntrack
            "ip", "bridge", "tc", "ss", "nstat", "ethtool", "tcpdump", "conntrack",
            // nftables, iptables, ebtables
            "nft", "iptables", "ip6tables", "iptables-nft", "iptables-legacy", "iptables-save", "ebtables",
            "ebtables-legacy-save", "iptables-restore", "iptables-legacy-save",
            // procps, psmisc, kmod, util-linux, passwd, libcap2-bin, acl
            "sysctl", "ps", "fuser", "modprobe", "dmesg", "namei", "findmnt", "usermod", "getcap", "setfacl",
            // systemd
            "systemctl", "journalctl", "networkctl", "systemd-analyze", "systemd-detect-virt", "systemd-sysctl",
            "udevadm",
            // other managers of networks
            "nmcli", "ifup",
            // LXC, and this program
            "lxc-attach", "lxc-config", "lxc-create", "lxc-info", "lxc-ls", "lxc-start", "lxc-stop",
            "lxc-update-config",
            "lxc-destroy", "lxc-doctor",
            // other owners of networks
            "incus", "lxc", "virsh", "docker",
            // firewalls' own
            "ufw", "firewall-cmd", "shorewall",
            // packages
            "apt-get", "dpkg", "dnf", "apk", "rpm", "update-alternatives",
            // access control
            "apparmor_parser", "aa-status", "restorecon", "ausearch", "getenforce",
            // coreutils, grep, sed, an editor, the shell's own
            "awk", "basename", "cat", "chmod", "uname", "snap", "chown", "command", "cut", "df", "du", "echo", "editor",
            "export", "grep",
            "head", "id", "ls", "mkdir",
            "mv", "sed", "sort", "stat", "timeout", "tr", "uniq", "wc", "ping", "arping", "umount", "mount",
        ])
}
