internal import CLinux
internal import Glibc
internal import HostAccess

/// A child process in preparation: no signal blocked or ignored, a fixed environment, standard streams that lead nowhere
/// unless they are connected. Source: posix_spawn(3).
struct ChildStart: ~Copyable {
    /// The process group of the child: who else gets the signals that a terminal, or kill(2), sends to that group.
    enum Group {
        /// The group of this process.
        case same
        /// A new group, of which the child is the leader.
        case own
        /// A new session, and so a new group and no controlling terminal.
        case ownSession

        fileprivate var flag: Int16 {
            switch self {
            case .same: 0
            case .own: Int16(POSIX_SPAWN_SETPGROUP)
            // POSIX_SPAWN_SETSID of spawn.h, where it needs _GNU_SOURCE.
            case .ownSession: 0x80
            }
        }
    }

    private var actions = posix_spawn_file_actions_t()
    private var attributes = posix_spawnattr_t()
    private var connected: Set<Int32> = []

    init(group: Group = .same) {
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF) | group.flag)
    }

    deinit {
        var (actions, attributes) = (actions, attributes)
        posix_spawn_file_actions_destroy(&actions)
        posix_spawnattr_destroy(&attributes)
    }

    /// Gives the child a descriptor of this process under another number. It is open there even if it is close-on-exec here.
    mutating func connect(_ descriptor: Int32, as number: Int32) {
        posix_spawn_file_actions_adddup2(&actions, descriptor, number)
        connected.insert(number)
    }

    /// Sends the child's standard error to /dev/null. Otherwise it has that of this process.
    mutating func discardErrors() {
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    }

    /// Starts the program. `arguments` begin with `argv[0]`.
    consuming func start(_ path: String, _ arguments: [String], _ operation: String) throws(HostError) -> pid_t {
        // After the connections: if this process has no standard streams, one end of a pipe may have number 0 or 1.
        if !connected.contains(0) { posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0) }
        if !connected.contains(1) { posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0) }
        let words = arguments.map { strdup($0) } + [nil]
        let environment = [strdup("PATH=/usr/sbin:/usr/bin:/sbin:/bin"), strdup("LC_ALL=C"), nil]
        defer { (words + environment).forEach { free($0) } }
        var child: pid_t = 0
        let error = posix_spawn(&child, path, &actions, &attributes, words, environment)
        guard error == 0 else { throw HostError(errno: error, operation: operation) }
        return child
    }

    /// Starts this very program again.
    consuming func startSelf(_ arguments: [String], _ operation: String) throws(HostError) -> pid_t {
        try start("/proc/self/exe", ["lxc-doctor"] + arguments, operation)
    }

    /// Waits for the end of a child that was killed.
    static func reap(_ child: pid_t) {
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 && errno == EINTR {}
    }
}

/// Both ends of a pipe, close-on-exec. Source: pipe2(2).
struct Pipe: ~Copyable {
    let readEnd: Descriptor
    let writeEnd: Descriptor

    init(_ operation: String) throws(HostError) {
        var ends: [Int32] = [-1, -1]
        let result = clinux_pipe(&ends)
        guard result == 0 else { throw HostError(errno: -result, operation: operation) }
        readEnd = Descriptor(owning: ends[0])
        writeEnd = Descriptor(owning: ends[1])
    }
}
