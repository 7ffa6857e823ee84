import Glibc
import Testing

/// The built program, run as an operator runs it.
enum BuiltProgram {
    struct Result {
        var status: Int32
        var output: String
        var errors: String
        var milliseconds: Int
    }

    /// The program lies beside the test bundle.
    static let path: String = {
        let bundle = CommandLine.arguments[0]
        let directory = bundle.lastIndex(of: "/").map { String(bundle[..<$0]) } ?? "."
        return directory + "/lxc-doctor"
    }()

    static let isRoot = geteuid() == 0

    /// The layer `lxc`, built once per test run where it is not current.
    static let layers: Void = {
        let result = run([path, "lab", "layers", "lxc"])
        if result.status != 0 { Issue.record("lab layers: \(result.errors)") }
    }()

    static func lab(_ arguments: [String], _ command: [String]) -> Result {
        _ = layers
        return run([path, "lab", "run"] + arguments + ["--"] + command)
    }

    static func shell(_ script: String, _ arguments: String...) -> Result {
        run(["sh", "-c", script, "sh"] + arguments)
    }

    static func run(_ arguments: [String]) -> Result {
        let output = temporaryFile()
        let errors = temporaryFile()
        defer {
            close(output)
            close(errors)
        }
        let begin = milliseconds()
        let child = start(arguments, output: output, errors: errors)
        guard child > 0 else { return Result(status: -1, output: "", errors: "cannot start", milliseconds: 0) }
        let status = wait(child)
        return Result(
            status: status, output: text(of: output), errors: text(of: errors), milliseconds: milliseconds() - begin)
    }

    static func start(_ arguments: [String], output: Int32, errors: Int32) -> pid_t {
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
        words.append(nil)
        defer { for word in words { free(word) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, errors, 2)
        var child: pid_t = -1
        return posix_spawnp(&child, arguments[0], &actions, nil, words, environ) == 0 ? child : -1
    }

    /// Exit status in shell manner.
    static func wait(_ child: pid_t) -> Int32 {
        var raw: Int32 = 0
        while waitpid(child, &raw, 0) < 0 && errno == EINTR {}
        return raw & 0x7f != 0 ? 128 + (raw & 0x7f) : (raw >> 8) & 0xff
    }

    static func temporaryFile() -> Int32 {
        var template = Array("/tmp/lxc-doctor-test.XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        _ = unlink(template)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        return descriptor
    }

    static func text(of descriptor: Int32) -> String {
        lseek(descriptor, 0, SEEK_SET)
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while bytes.count < 1 << 20 {
            let count = read(descriptor, &buffer, buffer.count)
            if count <= 0 { break }
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func milliseconds() -> Int {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return now.tv_sec * 1000 + now.tv_nsec / 1_000_000
    }

    /// What of the machine no practice host may change.
    static func machineState() -> String {
        shell(
            """
            ip -br link | awk '{print $1}'; ip addr | grep inet; ip route; nft list ruleset 2>/dev/null
            cat /proc/sys/net/ipv4/ip_forward; findmnt -rno TARGET,SOURCE,FSTYPE; ip netns list; hostname
            readlink /etc/alternatives/iptables; ls -d /var/lib/lxc /etc/default/lxc 2>/dev/null
            """
        ).output
    }
}
