internal import CLinux
internal import Glibc
internal import HostAccess

/// A child process in preparation: no signal blocked or ignored, a fixed environment, standard streams that lead nowhere
/// unless they are connected. Source: posix_spawn(3).
struct ChildStart: ~Copyable {
    /// Whom signals of a terminal, or to a group, reach beside the child.
    enum Group {
        /// This process and its children.
        case same
        /// What the child starts, and nobody else.
        case own
        /// The same, without a terminal either.
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

    /// Makes a descriptor of this process one of the child's, which is open in it whatever flags it has here.
    mutating func connect(_ descriptor: Int32, as number: Int32) {
        posix_spawn_file_actions_adddup2(&actions, descriptor, number)
        connected.insert(number)
    }

    /// What it says on standard error goes nowhere, not where ours goes.
    mutating func discardErrors() {
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    }

    /// Starts it. `arguments` begin with the name that it is to have.
    consuming func start(_ path: String, _ arguments: [String], _ operation: String) throws(HostError) -> pid_t {
        // After what is connected: where this process has no standard streams, one end of a pipe may have their number.
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
}

/// The two ends of a pipe that no program started later inherits. Source: pipe2(2).
struct Pipe: ~Copyable {
    let output: Descriptor
    let input: Descriptor

    init(_ operation: String) throws(HostError) {
        var ends: [Int32] = [-1, -1]
        let result = clinux_pipe(&ends)
        guard result == 0 else { throw HostError(errno: -result, operation: operation) }
        output = Descriptor(owning: ends[0])
        input = Descriptor(owning: ends[1])
    }
}
