internal import ConfigFiles
internal import Glibc
internal import HostAccess
internal import HostModel
internal import WireFormats

/// NetworkManager's own checkers, and its running daemon.
extension LiveHost {
    /// nmcli reads the file as the daemon would and prints what it understood: an address that it cannot use is given
    /// another prefix, without a word. Source: nmcli(1), `--offline`.
    func checkKeyfile(_ path: String, _ address: IPv4Prefix, _ command: [String]) throws(HostError) {
        let operation = command.joined(separator: " ") + " < " + path
        let file = try Descriptor(
            open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC).orErrno, operation: operation)
        let output = try runToEnd(command, input: file.rawValue, milliseconds: 60_000, limit: 1 << 20)
        let understood = NetworkManagerKeyfile(path: path, bytes: Array(output.utf8)).addresses.map(\.value)
        guard understood.contains(where: { IPv4Prefix($0) == address }) else {
            throw HostError(
                .malformed, operation: operation,
                message: "it reads the addresses as \(understood.joined(separator: " ")), without \(address)")
        }
    }

    /// Prints all files as one, or fails where one cannot be read. Source: NetworkManager(8), `--print-config`.
    func checkNetworkManager(_ devices: [String], _ command: [String]) throws(HostError) {
        let output = try runToEnd(command, milliseconds: 60_000, limit: 1 << 20)
        let unmanaged = NetworkManagerConf(path: "", bytes: Array(output.utf8)).unmanagedDevices
        guard let missing = devices.first(where: { !unmanaged.contains($0) }) else { return }
        throw HostError(
            .malformed, operation: command.joined(separator: " "),
            message: "another file of NetworkManager's replaces the list, and \(missing) is not in it")
    }

    private static let longestRelease = 2_000

    /// Has the daemon read its files. It takes down what it lets go of; these links are up again afterwards. Where no
    /// daemon runs, it reads them when it starts.
    func reloadNetworkManager(_ command: [String], _ ports: [String]) throws(HostError) {
        do throws(HostError) {
            try runToEnd(command, milliseconds: 60_000, limit: 64 << 10)
        } catch {
            guard error.code == .other, error.message.contains("is not running") else { throw error }
            return
        }
        let deadline = Deadline(milliseconds: Self.longestRelease)
        for port in ports {
            guard let index = try links("links").first(where: { $0.name == port })?.index else { continue }
            // On the way back it takes them again.
            while !isRestoring, try isManaged(index), deadline.milliseconds > 0 { usleep(10_000) }
            try setLink(port, up: true)
        }
    }

    private func isManaged(_ index: Int) throws(HostError) -> Bool {
        NetworkManagerDevice(text: try readTextIfPresent(NetworkManagerDevice.path(of: index)) ?? "").isManaged
    }
}
