internal import CLinux
internal import Glibc

/// The parent's side of a process 1: starts it in its namespaces, passes signals on, waits, and reports its error.
struct InitProcess {
    var namespaces: UInt
    var work: InitRequest.Work
    var images: [Int32]
    /// Whether it gets directories of its own in the machine's cgroup hierarchies.
    var needsControlGroups: Bool

    /// Ends with the exit status of process 1.
    func run() throws(PracticeHostError) -> Int32 {
        let go = try Self.pipe()
        let errors = try Self.pipe()
        defer { for descriptor in [go.read, errors.read, errors.write] { close(descriptor) } }
        guard clinux_lab_block_signals() == 0 else { throw .failed("sigprocmask: \(lastError())") }
        let request = InitRequest(
            work: work, errorDescriptor: errors.write, images: images, program: try Self.programPath())
        let pid = withArguments(request.arguments) { argv in
            clinux_lab_start(namespaces, argv, clinux_lab_environment(), go.read, go.write, errors.write)
        }
        guard pid > 0 else {
            close(go.write)
            throw .refused(
                "this machine refuses new namespaces (mount, pid, net, uts, ipc), which need CAP_SYS_ADMIN: "
                    + errorText(-pid))
        }
        if needsControlGroups { ControlGroups.enter(pid) }
        let written = write(go.write, "g", 1)
        close(go.write)
        let status = try wait(for: pid)
        if needsControlGroups { ControlGroups.leave(pid) }
        guard written == 1 else { throw .failed("the practice host did not start") }
        if let error = Self.error(from: errors.read) { throw error }
        return status
    }

    private func wait(for pid: pid_t) throws(PracticeHostError) -> Int32 {
        while true {
            var status: Int32 = 0
            let ended = clinux_lab_wait(pid, 0, &status)
            if ended == pid { return status }
            guard ended == 0 else { throw .failed("wait: \(errorText(-ended))") }
            if needsControlGroups, ControlGroups.isOver(pid) { ControlGroups.thaw(pid) }
            var fromTerminal: Int32 = 0
            let signal = clinux_lab_next_signal(1000, &fromTerminal)
            if signal > 0, signal != SIGCHLD, fromTerminal == 0 { kill(pid, signal) }
        }
    }

    /// What process 1 said before it gave up; nil where it did not.
    private static func error(from descriptor: Int32) -> PracticeHostError? {
        var state = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&state, 1, 0) == 1, state.revents & Int16(POLLIN) != 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        guard count > 0 else { return nil }
        let text = String(decoding: bytes[..<count], as: UTF8.self)
        let parts = text.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, let code = Int32(parts[0]) else { return .failed(text) }
        return PracticeHostError(exitCode: code, String(parts[1]))
    }

    private static func pipe() throws(PracticeHostError) -> (read: Int32, write: Int32) {
        var ends: [Int32] = [-1, -1]
        let result = clinux_pipe(&ends)
        guard result == 0 else { throw .failed("pipe: \(errorText(-result))") }
        return (ends[0], ends[1])
    }

    /// Where this program's file lies.
    static func programPath() throws(PracticeHostError) -> String {
        var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &bytes, bytes.count)
        guard count > 0 else { throw .failed("readlink /proc/self/exe: \(lastError())") }
        return String(decoding: bytes[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
