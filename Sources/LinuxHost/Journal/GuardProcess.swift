internal import Glibc
package import HostAccess

/// A second process of this program, in a session of its own, that watches over this one.
///
/// Its standard input is a pipe whose other end only this process holds: the end of file there says that this process
/// has died, at whatever instant and however. Source: posix_spawn(3), setsid(2), pipe(7).
package enum GuardProcess {
    /// Starts it with these arguments, and returns once it has said that it watches (one byte on its standard output).
    /// The line to it stays open until this process ends.
    package static func start(_ arguments: [String], milliseconds: Int = 10_000) throws(HostError) {
        let operation = "start the guard"
        let line = try Pipe(operation)
        let lifeline = line.output
        let held = line.input
        let answer = try Pipe(operation)
        let ready = answer.output
        let output = answer.input
        var start = ChildStart(group: .ownSession)
        start.connect(lifeline.rawValue, as: 0)
        start.connect(output.rawValue, as: 1)
        start.discardErrors()
        let child = try start.startSelf(arguments, operation)
        try output.close(operation: operation)
        var waiting = pollfd(fd: ready.rawValue, events: Int16(POLLIN), revents: 0)
        var byte: UInt8 = 0
        guard poll(&waiting, 1, Int32(clamping: milliseconds)) == 1, read(ready.rawValue, &byte, 1) == 1 else {
            kill(child, SIGKILL)
            throw HostError(.other, operation: operation, message: "it does not say that it watches")
        }
        _ = held.release()
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
