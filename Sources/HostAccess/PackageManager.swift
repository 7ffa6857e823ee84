/// The program that installs packages on this host, and how it is told to install LXC without asking.
package enum PackageManager: String, Codable, Sendable, CaseIterable {
    case apt, dnf, apk

    /// Its being there says that LXC is installed.
    package static let program = "/usr/bin/lxc-start"

    /// Where it lies when it is there.
    package var path: String {
        switch self {
        case .apt: "/usr/bin/apt-get"
        case .dnf: "/usr/bin/dnf"
        case .apk: "/sbin/apk"
        }
    }

    /// The list of what is installed, where it is text.
    package var database: String? {
        switch self {
        case .apt: "/var/lib/dpkg/status"
        case .apk: "/lib/apk/db/installed"
        case .dnf: nil
        }
    }

    /// apt keeps the files of its operator that a package would replace, waits for a lock, and asks nobody anything.
    /// Without a terminal of its own dpkg stays in our process group, and ends with us.
    private static let aptInstall = [
        "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "--yes", "-o", "DPkg::Lock::Timeout=60", "-o",
        "Dpkg::Use-Pty=0", "-o",
        "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold",
    ]

    /// `again`: the package counts as installed.
    package func installation(again: Bool) -> [String] {
        switch self {
        case .apt: Self.aptInstall + (again ? ["--reinstall"] : []) + ["lxc"]
        case .dnf: ["dnf", again ? "reinstall" : "install", "--assumeyes", "lxc"]
        case .apk: ["apk", again ? "fix" : "add", "lxc"]
        }
    }

    /// After an installation that was cut short in the middle of the package: what completes it. Each may have nothing to
    /// do.
    package var completion: [[String]] {
        switch self {
        case .apt:
            [
                [
                    "env", "DEBIAN_FRONTEND=noninteractive", "dpkg", "--force-confdef", "--force-confold",
                    "--configure", "-a",
                ],
                Self.aptInstall + ["--reinstall", "lxc"],
            ]
        case .dnf: [["dnf", "install", "--assumeyes", "--cacheonly", "lxc"]]
        case .apk: [["apk", "fix"]]
        }
    }

    /// Where that leaves something half installed: what makes it absent.
    package var removal: [String]? {
        self == .apt ? ["dpkg", "--remove", "--force-remove-reinstreq", "--force-depends", "lxc"] : nil
    }

    /// Prints the state of the package as `dpkg -l` does (`ii `, `rc `, `iHR`); fails where it is not known at all. Nil:
    /// nobody can be asked.
    package var state: [String]? {
        self == .apt ? ["dpkg-query", "--show", "--showformat=${db:Status-Abbrev}", "lxc"] : nil
    }

    /// Whether a package in such a state is installed or absent, and not half of either. Source: dpkg-query(1).
    package static func isSound(state: String) -> Bool {
        let letters = Array(state.utf8)
        guard letters.count >= 2 else { return false }
        // H half installed, U unpacked, F half configured; R as the third: it must be installed again.
        return !"HUF".utf8.contains(letters[1]) && letters.dropFirst(2).first != UInt8(ascii: "R")
    }
}
