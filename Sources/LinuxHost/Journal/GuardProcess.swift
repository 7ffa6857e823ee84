internal import CLinux
internal import Glibc
package import HostAccess

/// A second process of this program, in a session of its own, that watches over this one.
///
/// Its standard input is a pipe whose other end only this process holds: the end of file there says that this process
/// has died, at whatever instant and however. Source: posix_spawn(3), setsid(2), pipe(7).
package enum GuardProcess {
    /// Of spawn.h, where it needs _GNU_SOURCE.
    private static let newSession: Int16 = 0x80

    /// Starts it with these arguments, and returns once it has said that it watches (one byte on its standard output).
    /// The line to it stays open until this process ends.
    package static func start(_ arguments: [String], milliseconds: Int = 10_000) throws(HostError) {
        let operation = "start the guard"
        let line = try pipe(operation)
        let lifeline = Descriptor(owning: line.read)
        let held = Descriptor(owning: line.write)
        let answer = try pipe(operation)
        let ready = Descriptor(owning: answer.read)
        let output = Descriptor(owning: answer.write)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, lifeline.rawValue, 0)
        posix_spawn_file_actions_adddup2(&actions, output.rawValue, 1)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF) | newSession)
        let words = (["lxc-doctor"] + arguments).map { strdup($0) } + [nil]
        let environment = [strdup("PATH=/usr/sbin:/usr/bin:/sbin:/bin"), strdup("LC_ALL=C"), nil]
        defer { (words + environment).forEach { free($0) } }
        var child: pid_t = 0
        let error = posix_spawn(&child, "/proc/self/exe", &actions, &attributes, words, environment)
        guard error == 0 else { throw HostError(errno: error, operation: operation) }
        try output.close(operation: operation)
        var waiting = pollfd(fd: ready.rawValue, events: Int16(POLLIN), revents: 0)
        var byte: UInt8 = 0
        guard poll(&waiting, 1, Int32(clamping: milliseconds)) == 1, read(ready.rawValue, &byte, 1) == 1 else {
            kill(child, SIGKILL)
            throw HostError(.other, operation: operation, message: "it does not say that it watches")
        }
        _ = held.release()
    }

    private static func pipe(_ operation: String) throws(HostError) -> (read: Int32, write: Int32) {
        var ends: [Int32] = [-1, -1]
        let result = clinux_pipe(&ends)
        guard result == 0 else { throw HostError(errno: -result, operation: operation) }
        return (ends[0], ends[1])
    }

    /// In the guard: says that it watches.
    package static func sayReady() {
        _ = Glibc.write(1, [UInt8(1)], 1)
    }

    /// In the guard: waits; true: the process that is watched has ended.
    package static func watchedHasEnded(within milliseconds: Int) -> Bool {
        var waiting = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
        return poll(&waiting, 1, Int32(clamping: milliseconds)) == 1
    }

    /// In the guard: ends a process that hangs, if it is still the one that started this. Returns once it is gone.
    package static func endWatched(_ process: Int) {
        // A parent that dies is replaced, so its number cannot have passed to somebody else.
        guard let process = pid_t(exactly: process), process > 1, getppid() == process else { return }
        kill(process, SIGKILL)
        _ = watchedHasEnded(within: 5_000)
    }

    package static var ownNumber: Int { Int(getpid()) }
}
