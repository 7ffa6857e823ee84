internal import ArgumentParser
internal import FoundationEssentials
internal import HostAccess
internal import HostModel
internal import LinuxHost
internal import PacketProof
internal import Reporting

/// `watch proof`: makes one packet proof for a watch, which goes on hearing events meanwhile, and writes what was seen.
///
/// What a proof leaves in memory, and the wait for the kernel to close its captures, end with the process.
struct WatchProofCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "proof", shouldDisplay: false)

    /// The watch's process.
    @Option var parent: Int
    @Option var mode: ProofMode
    @Option var profile: String?

    func run() throws {
        guard ChildProcess.endWithParent(parent) else { return }
        let session = try Session(.live(profile: profile))
        session.prove(mode)
        let document = WatchProofDocument(
            transcripts: session.proofTranscripts ?? [], milliseconds: session.proof?.durationMilliseconds ?? 0)
        try Output.result(JSONText.encodeLine(document))
    }
}

/// What a proof's process tells the watch.
struct WatchProofDocument: Codable {
    var transcripts: [ProofTranscript]
    var milliseconds: Double
}

/// A proof that is under way in a process of its own.
final class RunningProof {
    /// More than the slowest proof, with searches for what killed a packet.
    private static let longest: UInt64 = 60_000_000_000
    /// More than the evidence of a proof of many networks.
    private static let mostBytes = 64 << 20

    private let child: ChildProcess
    private let began = Console.monotonicNanoseconds()
    private var output: [UInt8] = []
    private var isOver = false
    /// RFC 3339.
    let startedAt = RFC3339.text(secondsSince1970: Console.wallClockSeconds())

    init(_ mode: ProofMode, profile: String?) throws(HostError) {
        child = try ChildProcess(
            ["watch", "proof", "--parent", String(ChildProcess.ownNumber), "--mode", mode.rawValue]
                + (profile.map { ["--profile", $0] } ?? []),
            readsOutput: true)
    }

    /// For poll(2).
    var descriptor: Int32 { child.outputDescriptor }

    /// When it will have taken too long, in milliseconds of the monotonic clock.
    var deadline: Int { Int((began + Self.longest) / 1_000_000) }

    /// What came of it; nil while it runs.
    func result() -> Result<WatchProofDocument, CommandError>? {
        if !isOver { isOver = child.readOutput(into: &output) }
        if output.count > Self.mostBytes { return failed("it said more than \(Self.mostBytes) bytes") }
        if !isOver, Console.monotonicNanoseconds() - began > Self.longest { return failed("it took too long") }
        guard isOver else { return nil }
        do {
            return .success(try JSONDecoder().decode(WatchProofDocument.self, from: Data(output)))
        } catch {
            return failed("its process ended without a result")
        }
    }

    private func failed(_ reason: String) -> Result<WatchProofDocument, CommandError> {
        child.end()
        return .failure(CommandError(.internalError, "the packet proof could not be made: \(reason)"))
    }
}
