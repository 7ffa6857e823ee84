internal import ArgumentParser
internal import HostModel
internal import PacketFilter
internal import PacketProof
internal import Reporting

/// `prove`: the packet proof alone, drawn as a path.
struct ProveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prove", _superCommandName: Tool.name,
        abstract: "Shows with packets where the containers' traffic goes, and as whom it leaves.")

    @OptionGroup var hostOptions: HostOptions
    @OptionGroup var output: OutputOptions<PartFormats>
    @OptionGroup var redaction: RedactionOptions
    @OptionGroup var evidence: EvidenceOptions

    @Option(name: .long, help: "fence (no packet on the wire) or wire (sent with TTL 2).")
    var proof: ProofMode = .fence

    @Option(name: .long, help: "Send from inside this running container instead of a throw-away one.")
    var container: String?

    @Option(
        name: .long, help: "ADDRESS, ADDRESS:PORT or [IPV6]:PORT to send to, instead of the profile's target.",
        transform: ProofDestination.init(argument:))
    var to: ProofDestination?

    @Flag(
        name: .long,
        help: "With --proof wire and --to: let the packets go all the way, not just to the first router.")
    var fullTTL = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Send exactly this packet, as verify shows it: 'udp 10.5.0.9:40000 > 198.51.100.7:53 iif lxcbr1'.",
            valueName: "packet"))
    var packet: String?

    @Option(name: .long, help: "udp, tcp or icmp. Repeatable; all three unless said.")
    var `protocol`: [ProofProtocol] = []

    func validate() throws {
        if proof == .off { throw ValidationError("prove --proof off would prove nothing") }
        if fullTTL, proof != .wire || to == nil {
            throw ValidationError("--full-ttl really sends all the way: it goes with --proof wire and --to")
        }
        if to?.port != nil, `protocol` == [.icmp] { throw ValidationError("icmp has no ports: --to ADDRESS") }
        if packet != nil, container != nil || to != nil || !`protocol`.isEmpty {
            throw ValidationError("--packet says everything: it goes without --container, --to and --protocol")
        }
        if hostOptions.replay != nil, container != nil || to != nil || packet != nil || !`protocol`.isEmpty {
            throw ValidationError(
                "a recording sends nothing: --replay goes without --container, --to, --packet and --protocol")
        }
        try output.require(for: "a proof")
        try redaction.require(without: hostOptions.record, evidence.evidence)
    }

    private var aim: ProofAim {
        var kinds = `protocol`.isEmpty ? ProofProtocol.allCases : ProofProtocol.allCases.filter(`protocol`.contains)
        if to?.port != nil { kinds.removeAll { $0 == .icmp } }
        return ProofAim(
            container: container, target: to?.address, port: to?.port, protocols: kinds,
            goesAllTheWay: fullTTL)
    }

    func run() throws {
        let directory = try evidence.open()
        let session = try Session(hostOptions, proof: proof)
        session.progress = ProgressLine(quiet: output.quiet)
        var aim = aim
        if let packet {
            aim = try ProofAim(try SamplePacket(argument: packet), networks: session.chosen.profile.networks)
        }
        try session.check(aim)
        session.prove(proof, aim: aim)
        if let container { try session.requireContainer(container) }
        if let path = hostOptions.record { try session.record(to: path) }
        if let directory { try session.keepEvidence(in: directory) }
        let report = session.proof ?? ProofReport(mode: proof, probes: [])
        let shown = try redaction.applied(to: report)
        try output.emit { format, options in renderProof(shown, as: format, options: options) }
        let code = Self.health(of: report).exitCode
        guard code == 0 else { throw ExitCode(code) }
    }

    /// As the checks over the proof judge it: what containers send to each other, and IPv6, is a warning, the rest
    /// critical.
    private static func health(of report: ProofReport) -> Health {
        let local = report.local ?? []
        let intoHost = local.filter { $0.kind != .eastWest }.map(\.arrival)
        let lost: Set<Arrival> = [.dropped, .altered]
        // What leaves and never gets anywhere, or whose answer is lost, is no success.
        let failed = report.probes.filter { $0.verdict < .unknown || $0.delivery == .failed }
        if failed.contains(where: { $0.family == .ipv4 }) || !lost.isDisjoint(with: intoHost) { return .critical }
        if !failed.isEmpty || !lost.isDisjoint(with: local.map(\.arrival)) { return .warning }
        return report.verdict == .unknown || local.contains { $0.arrival == .unknown } ? .unknown : .healthy
    }
}
