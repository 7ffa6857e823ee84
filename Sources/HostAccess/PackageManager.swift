/// The program that installs packages on this host, and how it is told to install LXC without asking.
///
/// apt and dnf are tested with the programs themselves. Debian packages no apk: of it, the plan is tested.
/// Source: apt-get(8), dpkg(1), dnf(8), rpm(8), apk-add(8), apk-fix(8).
package enum PackageManager: String, Codable, Sendable, CaseIterable {
    case apt, dnf, apk

    /// The program whose presence shows that LXC is installed.
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

    /// After an installation that was cut short in the middle of the package: what completes it, one after the other,
    /// until one succeeds and leaves the package sound. Each may have nothing to do.
    ///
    /// dnf begins only once every package is in its cache, where they stay until all are installed: what completes it
    /// needs no network. It knows no package before its files are there, and knows it already while the scripts that
    /// come after them run.
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
        case .dnf:
            [
                ["dnf", "reinstall", "--assumeyes", "--cacheonly", "lxc"],
                ["dnf", "install", "--assumeyes", "--cacheonly", "lxc"],
            ]
        case .apk: [["apk", "fix"]]
        }
    }

    /// Removes the package where the completion leaves it half installed.
    package var removal: [String]? {
        self == .apt ? ["dpkg", "--remove", "--force-remove-reinstreq", "--force-depends", "lxc"] : nil
    }

    /// Asks for the state of the package. dpkg prints it as `dpkg -l` does (`ii `, `rc `, `iHR`), the others the
    /// package's name; each fails where it knows no such package.
    package var query: [String] {
        switch self {
        case .apt: ["dpkg-query", "--show", "--showformat=${db:Status-Abbrev}", "lxc"]
        case .dnf: [ProgramName.rpm.rawValue] + ProgramName.rpm.arguments
        case .apk: ["apk", "info", "--installed", "lxc"]
        }
    }

    /// Whether the state alone tells a package that was not touched from one that is half installed.
    package var tellsHalves: Bool { self == .apt }

    /// Whether the package is installed or absent, and not half of either.
    ///
    /// `state`: what the query printed; nil: it failed. `isThere`: whether the program is. `again`: the package counted
    /// as installed before, and its program was missing.
    package func isSound(state: String?, isThere: Bool, again: Bool) -> Bool {
        switch self {
        case .apt: state.map { Self.isSound(state: $0) } ?? true
        case .dnf, .apk: again ? state != nil : (state != nil) == isThere
        }
    }

    /// Source: dpkg-query(1).
    package static func isSound(state: String) -> Bool {
        let letters = Array(state.utf8)
        guard letters.count >= 2 else { return false }
        // H half installed, U unpacked, F half configured; R as the third: it must be installed again.
        return !"HUF".utf8.contains(letters[1]) && letters.dropFirst(2).first != UInt8(ascii: "R")
    }
}
