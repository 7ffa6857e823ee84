internal import CLinux
internal import Glibc

/// Messages to the service manager and to the journal. Without one of them its messages are dropped.
///
/// Nothing here blocks: a datagram that cannot be sent at once is lost, because a watch must not wait for its log.
/// Source: sd_notify(3), sd_watchdog_enabled(3); systemd, "Native Journal Protocol".
package enum ServiceManager {
    private static let journal = "/run/systemd/journal/socket"

    /// Tells the manager, as `READY=1`; several assignments stand on lines of their own.
    package static func notify(_ text: String) {
        guard let name = Console.environment("NOTIFY_SOCKET") else { return }
        send(Array(text.utf8), to: name)
    }

    /// Time after which the manager takes this process for dead, in milliseconds; nil where it does not watch.
    package static var watchdogMilliseconds: Int? {
        guard let text = Console.environment("WATCHDOG_USEC"), let value = Int(text), value > 0 else { return nil }
        if let process = Console.environment("WATCHDOG_PID"), Int(process) != ChildProcess.ownNumber { return nil }
        return max(1, value / 1000)
    }

    /// Whether standard error is a stream to the journal. $JOURNAL_STREAM holds the device and inode of that stream, and is
    /// inherited by programs that have another standard error. Source: systemd.exec(5).
    package static var isErrorStreamJournal: Bool {
        var facts = stat()
        guard let stream = Console.environment("JOURNAL_STREAM"), fstat(STDERR_FILENO, &facts) == 0 else {
            return false
        }
        return stream == "\(facts.st_dev):\(facts.st_ino)"
    }

    /// Sends an entry to the journal. False where that was not possible.
    package static func log(_ datagram: [UInt8]) -> Bool { send(datagram, to: journal) }

    @discardableResult
    private static func send(_ bytes: [UInt8], to name: String) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        var path = Array(name.utf8)
        guard !path.isEmpty, path.count < room else { return false }
        // `@` stands for the NUL of an abstract name.
        let isAbstract = path[0] == UInt8(ascii: "@")
        if isAbstract { path[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + path.count + (isAbstract ? 0 : 1))
        let type = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let socket = Glibc.socket(AF_UNIX, type, 0)
        guard socket >= 0 else { return false }
        defer { close(socket) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, length) == bytes.count
            }
        }
    }
}
