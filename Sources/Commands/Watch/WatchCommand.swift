internal import ArgumentParser
internal import HostModel
internal import LinuxHost
internal import Remedies
internal import Watching

/// `watch`: stays, hears what the kernel tells, judges what is touched, and exports the result.
struct WatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Stays, reacts to kernel events, and exports metrics.",
        discussion: """
            Sleeps until rtnetlink, nftables, a sysctl or a file that a check stands on tells of a change, and judges only \
            what that touches. iptables-legacy and the bridge's sysctls tell of nothing: where they exist, they are looked \
            at every --poll seconds. SIGHUP reads the configuration again; SIGTERM ends it.
            """,
        subcommands: [WatchServeCommand.self, WatchProofCommand.self])

    @OptionGroup var settings: WatchSettings

    func run() throws {
        let watcher = try Watcher(settings)
        try watcher.run()
    }
}

/// What a watch was told.
struct WatchSettings: ParsableArguments {
    @Option(name: .long, help: "What this host is meant to be: a profile's name, or a profile file.")
    var profile: String?

    @OptionGroup var selection: SelectionOptions

    @Option(name: .long, help: "The packet proof: fence (no packet on the wire), wire (needs --allow-wire) or off.")
    var proof: ProofMode = .fence

    @Flag(name: .long, help: "Allow --proof wire, which sends packets to the outside again and again.")
    var allowWire = false

    @Option(
        name: .long, help: "Least time between two proofs, in seconds. One is made after a change, not by the clock.")
    var proofEvery = 10

    @Option(name: .long, help: "How often to look at what tells of no change, where it exists, in seconds.")
    var poll = 10

    @Option(name: .long, help: "Also look at everything again every so many seconds; 0: never.")
    var lookEvery = 0

    @Option(name: .long, help: "Keep FILE up to date for node_exporter's textfile collector; it ends in .prom.")
    var textfile: String?

    @Option(name: .long, help: "Serve /metrics, /healthz, /report.json and the page on ADDRESS:PORT.")
    var listen: String?

    @Flag(name: .long, help: "Allow --listen on an address that others can reach. Anybody there can read the report.")
    var allowRemote = false

    @Flag(name: .long, help: "Repair, by the remedies that --remedy names and no others, what stays broken.")
    var autoRemediate = false

    @Option(name: .long, help: "A remedy that --auto-remediate may use (`list remedies`). Repeatable.")
    var remedy: [String] = []

    @Option(name: .long, help: "Least time between two repairs, in seconds.")
    var remedyEvery = 600

    func validate() throws {
        for (name, value, least) in [
            ("--proof-every", proofEvery, 1), ("--poll", poll, 1), ("--look-every", lookEvery, 0),
            ("--remedy-every", remedyEvery, 1),
        ] where !(least...604_800).contains(value) {
            throw ValidationError("\(name) takes seconds, from \(least) to 604800")
        }
        if proof == .wire, !allowWire {
            throw ValidationError("--proof wire would send packets to the outside again and again: add --allow-wire")
        }
        if let textfile, !textfile.hasSuffix(".prom") {
            throw ValidationError("--textfile takes a name that ends in .prom: collectors read no other")
        }
        if let listen {
            guard let address = ListenAddress(listen) else {
                throw ValidationError("--listen takes ADDRESS:PORT in numbers, as 127.0.0.1:9799 or [::1]:9799")
            }
            guard address.isLoopback || allowRemote else {
                throw ValidationError(
                    "\(listen) can be reached by others, who could read the report: add --allow-remote")
            }
        }
        if autoRemediate, remedy.isEmpty {
            throw ValidationError("--auto-remediate in a watch needs --remedy for each remedy that it may use")
        }
        if !autoRemediate, !remedy.isEmpty { throw ValidationError("--remedy goes with --auto-remediate") }
        let known = Set(automaticRemedies)
        if let other = remedy.first(where: { !known.contains($0) }) {
            throw ValidationError("there is no remedy '\(other)'; `list remedies` names them")
        }
    }

    /// As `doctor` takes it.
    var host: HostOptions { .live(profile: profile) }
}

/// `watch serve-pages`: the process that answers connections. It has no rights and knows nothing but finished bodies.
struct WatchServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "serve-pages", shouldDisplay: false)

    /// The watch's process.
    @Option var parent: Int

    /// The listener is a loopback one.
    @Flag var onlyThisHost = false

    private static let listener: Int32 = 3
    private static let control: Int32 = 4

    func run() throws {
        guard PageServer.dropEverything(keeping: Self.control, parent: parent) else {
            throw CommandError(.internalError, "the page server could not give up its rights, and does not serve")
        }
        let onlyThisHost = onlyThisHost
        PageServer(listener: Self.listener, control: Self.control).run { occasion, length in
            let answer: HTTPAnswer
            switch occasion {
            case .timeout: answer = .refusal(408)
            case .request(let bytes, let isReady):
                switch HTTPRequestHead.read(bytes) {
                case .incomplete: return nil
                case .refused(let status): answer = .refusal(status)
                case .whole(let head): answer = .to(head, isReady: isReady, onlyThisHost: onlyThisHost)
                }
            }
            let text = Array(answer.text.utf8)
            let head = answer.head(length: answer.page.map { length($0.rawValue) } ?? text.count)
            if answer.omitsBody { return PageServer.Reply(head: head) }
            return PageServer.Reply(head: head, text: text, page: answer.page?.rawValue)
        }
    }
}
