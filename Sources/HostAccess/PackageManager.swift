/// The program that installs packages on this host, and how it is told to install LXC without asking.
package enum PackageManager: String, Codable, Sendable, CaseIterable {
    case apt, dnf, apk

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

    /// After an installation that was cut short: what completes it from what was fetched already, each of which may
    /// have nothing to do. Where not all was fetched, nothing was installed yet.
    package var completion: [[String]] {
        switch self {
        case .apt:
            [
                [
                    "env", "DEBIAN_FRONTEND=noninteractive", "dpkg", "--force-confdef", "--force-confold",
                    "--configure", "-a",
                ],
                Self.aptInstall + ["--no-download", "lxc"],
            ]
        case .dnf: [["dnf", "install", "--assumeyes", "--cacheonly", "lxc"]]
        case .apk: [["apk", "fix"]]
        }
    }

    /// Where that leaves something half installed: what makes it absent.
    package var removal: [String]? {
        self == .apt ? ["dpkg", "--remove", "--force-remove-reinstreq", "--force-depends", "lxc"] : nil
    }

    /// Prints something where a package is half installed; nil: nobody can be asked.
    package var audit: [String]? { self == .apt ? ["dpkg", "--audit"] : nil }
}
