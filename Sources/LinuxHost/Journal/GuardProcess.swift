internal import Glibc
package import HostAccess

/// A second process of this program, in a session of its own, that watches over this one.
///
/// Its standard input is a pipe whose other end only this process holds: the end of file there says that this process
/// has died, at whatever instant and however. Source: posix_spawn(3), setsid(2), pipe(7).
package enum GuardProcess {
    /// Starts it with these arguments, and returns once it has reported that it is ready (one byte on its standard output).
    /// The pipe to its standard input stays open until this process ends.
    package static func start(_ arguments: [String], milliseconds: Int = 10_000) throws(HostError) {
        let operation = "start the guard"
        let lifeline = try Pipe(operation)
        let childInput = lifeline.readEnd
        let held = lifeline.writeEnd
        let answer = try Pipe(operation)
        let ready = answer.readEnd
        let childOutput = answer.writeEnd
        var start = ChildStart(group: .ownSession)
        start.connect(childInput.rawValue, as: 0)
        start.connect(childOutput.rawValue, as: 1)
        start.discardErrors()
        let child = try start.startSelf(arguments, operation)
        try childOutput.close(operation: operation)
        do throws(HostError) {
            guard try Deadline(milliseconds: milliseconds).waitForInput(on: ready.rawValue, operation) else {
                throw HostError(errno: ETIMEDOUT, operation: operation)
            }
            guard try !Descriptor.read(ready.rawValue, upTo: 1, operation: operation).isEmpty else {
                throw HostError(.other, operation: operation, message: "it ended before it was ready")
            }
        } catch {
            kill(child, SIGKILL)
            ChildStart.reap(child)
            throw error
        }
        _ = held.release()
    }

    /// In the guard: reports that it is ready.
    package static func sayReady() {
        _ = Glibc.write(1, [UInt8(1)], 1)
    }

    /// In the guard: waits for the end of the watched process. True where it has ended.
    package static func watchedHasEnded(within milliseconds: Int) -> Bool {
        var waiting = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
        return poll(&waiting, 1, Int32(clamping: milliseconds)) == 1
    }

    /// In the guard: kills the watched process, which hangs, if it is still this process's parent. Returns once it is gone.
    package static func endWatched(_ process: Int) {
        // A parent that dies is replaced, so its number cannot have passed to somebody else.
        guard let process = pid_t(exactly: process), process > 1, getppid() == process else { return }
        kill(process, SIGKILL)
        _ = watchedHasEnded(within: 5_000)
    }

    package static var ownNumber: Int { Int(getpid()) }
}
