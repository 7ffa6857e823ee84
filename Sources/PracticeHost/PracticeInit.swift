internal import CLinux
internal import Glibc
internal import LinuxHost

/// Process 1 of a practice host: builds it, boots it, makes its faults, runs the command and collects orphans.
struct PracticeInit {
    static let programName = "lxc-doctor-practice-init"

    var plan: PracticeHostPlan
    var images: [Int32]
    var program: String
    var workingDirectory: String

    /// Ends with the command's status.
    func run() throws(PracticeHostError) -> Int32 {
        // With process 1 all others end, but for frozen ones.
        defer { ControlGroups.thawHost() }
        do throws(PracticeHostError) {
            try prepare()
        } catch {
            // Control-C at a terminal has ended the program that the error speaks of.
            if let status = interruption() { return status }
            throw error
        }
        if let status = interruption() { return status }
        return try runCommand()
    }

    private func prepare() throws(PracticeHostError) {
        try build()
        try HealthyHost(profile: plan.profile, backend: plan.backend, ipv6: plan.ipv6).start()
        try PracticeContainers.start(count: try plan.wantedContainers())
        let application = FaultApplication(network: PracticeNetwork(plan.profile), backend: plan.backend)
        for selection in plan.faults {
            let variant = try resolve(selection, profile: plan.profile, backend: plan.backend)
            try application.apply(variant.steps)
        }
    }

    private func build() throws(PracticeHostError) {
        let root = try OverlayRoot(
            images: images, hiddenDirectories: [HealthyHost.lxcPath], workingDirectory: workingDirectory)
        let path = root.path
        for image in images { close(image) }
        try ControlGroups.mount(below: path)
        try installProgram(below: path)
        try root.enter()
        let result = clinux_lab_drop_capabilities()
        guard result == 0 else { throw .refused("this machine refuses to drop capabilities: \(errorText(-result))") }
        try preparePath()
    }

    /// Puts this very program on the PATH: a link to the file where the copy shows it, else a copy of its bytes.
    private func installProgram(below root: String) throws(PracticeHostError) {
        let target = root + "/usr/local/bin/lxc-doctor"
        try makeDirectories(root + "/usr/local/bin")
        guard unlink(target) == 0 || errno == ENOENT else { throw .failed("unlink \(target): \(lastError())") }
        var here = stat()
        var there = stat()
        guard stat("/proc/self/exe", &here) == 0 else { throw .failed("stat /proc/self/exe: \(lastError())") }
        if stat(root + program, &there) == 0, there.st_size == here.st_size,
            there.st_mtim.tv_sec == here.st_mtim.tv_sec, there.st_mtim.tv_nsec == here.st_mtim.tv_nsec
        {
            guard program == "/usr/local/bin/lxc-doctor" || symlink(program, target) == 0 else {
                throw .failed("symlink \(target): \(lastError())")
            }
            return
        }
        try runOrFail(["cp", root + "/proc/1/exe", target])
    }

    private func preparePath() throws(PracticeHostError) {
        let inherited = Console.environment("PATH") ?? "/usr/bin:/bin"
        var directories = inherited.split(separator: ":").map(String.init)
        if !directories.contains("/usr/local/bin") { directories.insert("/usr/local/bin", at: 0) }
        for directory in ["/usr/sbin", "/usr/bin", "/sbin", "/bin"] where !directories.contains(directory) {
            directories.append(directory)
        }
        guard setenv("PATH", directories.joined(separator: ":"), 1) == 0 else {
            throw .failed("setenv PATH: \(lastError())")
        }
    }

    private func runCommand() throws(PracticeHostError) -> Int32 {
        let directory = isDirectory(workingDirectory) ? workingDirectory : "/"
        let child = spawn(plan.command, directory: directory)
        guard child > 0 else {
            // As a shell answers: 127 not found, 126 not executable.
            let text = "lxc-doctor: lab run: \(plan.command[0]): \(errorText(-child))\n"
            _ = text.withCString { write(2, $0, strlen($0)) }
            return -child == ENOENT ? 127 : 126
        }
        while true {
            var status: Int32 = 0
            let ended = clinux_lab_wait(-1, 0, &status)
            if ended == child { return status }
            if ended > 0 { continue }
            guard ended == 0 else { throw .failed("wait: \(errorText(-ended))") }
            var fromTerminal: Int32 = 0
            let signal = clinux_lab_next_signal(1000, &fromTerminal)
            // What the terminal sent, it has sent to the command as well.
            if signal > 0, signal != SIGCHLD, fromTerminal == 0 { kill(child, signal) }
        }
    }
}

/// If somebody has wanted the run to end while it was set up: the status for that.
private func interruption() -> Int32? {
    var fromTerminal: Int32 = 0
    while true {
        let signal = clinux_lab_next_signal(0, &fromTerminal)
        guard signal > 0 else { return nil }
        if signal != SIGCHLD { return 128 + signal }
    }
}

/// If this program was started as process 1 of a practice host or of a layer's building, does that work and ends the
/// process; else returns at once. To be called first of all in `main`.
package func becomePracticeInitIfAsked() {
    guard CommandLine.arguments.first == PracticeInit.programName else { return }
    guard getpid() == 1, let request = InitRequest(arguments: Array(CommandLine.arguments.dropFirst())) else {
        exit(64)
    }
    guard clinux_lab_set_close_on_exec(request.errorDescriptor) == 0, clinux_lab_block_signals() == 0 else { exit(70) }
    do {
        exit(try request.run())
    } catch {
        let text = "\(error.exitCode) \(error.message)"
        _ = text.withCString { write(request.errorDescriptor, $0, strlen($0)) }
        exit(error.exitCode)
    }
}
