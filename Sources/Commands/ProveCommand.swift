internal import ArgumentParser
internal import HostModel
internal import Reporting

/// `prove`: the packet proof alone, drawn as a path.
struct ProveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prove", abstract: "Shows with packets where the containers' traffic goes, and as whom it leaves.")

    @OptionGroup var hostOptions: HostOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var evidence: EvidenceOptions

    @Option(name: .long, help: "fence (no packet on the wire) or wire (sent with TTL 2).")
    var proof: ProofMode = .fence

    func validate() throws {
        if proof == .off { throw ValidationError("prove --proof off would prove nothing") }
    }

    func run() throws {
        let directory = try evidence.open()
        let session = try Session(hostOptions)
        session.prove(proof)
        if let path = hostOptions.record { try session.record(to: path) }
        if let directory { try session.keepEvidence(in: directory) }
        let report = session.proof ?? ProofReport(mode: proof, probes: [])
        try output.emit { format, options in renderProof(report, as: format, options: options) }
        switch report.verdict {
        case .masqueraded: return
        case .unknown: throw ExitCode(Health.unknown.exitCode)
        case .leaked, .wrongSource, .redirected, .dropped: throw ExitCode(Health.critical.exitCode)
        }
    }
}
