internal import ConfigFiles
internal import HostAccess
internal import HostModel

/// The system in a container's rootfs, read inside of it: everything below is hostile.
struct GuestSystem {
    let root: String
    let reader: ConfigurationReader
    /// `debian`, `ubuntu`; empty where the rootfs does not say.
    private(set) var distribution = ""
    /// `8`, `14.04`.
    private(set) var version = ""
    private(set) var evidence: Evidence?

    /// Nil where the rootfs is no directory of the host: another storage, or not mounted.
    init?(
        _ config: LXCConfig, directory: String, _ reader: ConfigurationReader
    ) throws(ObservationFailure) {
        guard let rootfs = config.rootfs?.value, !rootfs.isEmpty,
            let root = ContainerConfigProbe.hostPaths(rootfs, directory: directory).last,
            ["dir", "btrfs", "/"].contains(where: rootfs.hasPrefix), try reader.isDirectory(root)
        else { return nil }
        self.root = root
        self.reader = reader
        guard let bytes = try read("/etc/os-release", limit: 1 << 16) else { return }
        for (number, line) in TextLines(bytes).numbered {
            guard let equals = line.firstIndex(of: "=") else { continue }
            let value = line[line.index(after: equals)...].filter { $0 != "\"" && $0 != "'" }
            if line.hasPrefix("ID=") { distribution = String(value.prefix(64)) }
            if line.hasPrefix("VERSION_ID=") {
                version = String(value.prefix(64))
                evidence = Evidence(
                    SourceLocation(file: root + "/etc/os-release", line: number), pattern: "ID=",
                    value: "\(distribution) \(version)")
            }
        }
    }

    /// A file inside; nil where there is none, or no regular one.
    func read(_ path: String, limit: Int) throws(ObservationFailure) -> [UInt8]? {
        do {
            return try reader.host.read(path, root: root, limit: limit)
        } catch {
            switch error.code {
            case .notFound, .malformed, .limit: return nil
            default: throw ObservationFailure(error)
            }
        }
    }

    func names(_ path: String) throws(ObservationFailure) -> [String] {
        do {
            return try reader.host.listIfPresent(path, root: root)
        } catch {
            if error.code == .notPermitted { throw ObservationFailure(error) }
            return []
        }
    }

    func status(_ path: String, followLinks: Bool = true) throws(ObservationFailure) -> FileStatus? {
        do {
            return try reader.host.statusIfPresent(path, root: root, followLinks: followLinks)
        } catch {
            if error.code == .notPermitted { throw ObservationFailure(error) }
            return nil
        }
    }

    func hasAny(_ paths: [String]) throws(ObservationFailure) -> Bool {
        for path in paths where try status(path) != nil { return true }
        return false
    }

    /// The major number of the version, such as 14 of 14.04.
    private var major: Int? { Int(version.prefix { $0 != "." }) }

    private func isAtMost(_ limits: [String: Int]) -> Bool {
        guard let limit = limits[distribution], let major else { return false }
        return major <= limit
    }

    /// Its systemd is older than 232 and does not start where there is cgroup2 alone.
    var needsOldCgroups: Bool {
        isAtMost([
            "debian": 8, "ubuntu": 16, "centos": 7, "rhel": 7, "ol": 7, "scientific": 7, "amzn": 2, "fedora": 24,
        ]) && !(distribution == "ubuntu" && (major ?? 0) < 15)
    }

    /// Its DHCP client throws away packets whose UDP checksum is not complete.
    var hasStrictDHCP: Bool { isAtMost(["debian": 8, "ubuntu": 14, "centos": 6, "rhel": 6, "ol": 6]) }

    /// The version of its systemd, by the name of the library that all its programs share.
    func systemdVersion() throws(ObservationFailure) -> Int? {
        for directory in [
            "/usr/lib/x86_64-linux-gnu/systemd", "/usr/lib/aarch64-linux-gnu/systemd", "/usr/lib/systemd",
            "/lib/systemd",
        ] {
            for name in try names(directory) where name.hasPrefix("libsystemd-shared-") {
                if let version = Int(name.dropFirst("libsystemd-shared-".count).prefix { $0.isASCII && $0.isNumber }) {
                    return version
                }
            }
        }
        return nil
    }
}
