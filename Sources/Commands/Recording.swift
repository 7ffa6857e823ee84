internal import FoundationEssentials
internal import HostAccess
internal import HostModel
internal import PacketProof

/// Everything that a run read, to be judged elsewhere. The contract is `reports/schema/recording.v1.schema.json`.
struct Recording: Codable {
    static let schemaName = "lxc-doctor/recording/1"
    /// More than any host's ruleset and files; less than what would fill memory.
    static let largest = 256 << 20

    var schema: String
    var tool: Report.Tool
    /// RFC 3339.
    var startedAt: String
    var profile: ChosenProfile
    var host: Report.HostDescription
    var transcript: [TranscriptEntry]
    /// How it was judged then.
    var proof: ProofReport?
    /// What it was judged on; nil where the proof was off.
    var proofTranscripts: [ProofTranscript]?

    init(
        startedAt: String, profile: ChosenProfile, host: Report.HostDescription, transcript: [TranscriptEntry],
        proof: ProofReport?, proofTranscripts: [ProofTranscript]?
    ) {
        schema = Self.schemaName
        tool = Report.Tool(name: Tool.name, version: Tool.version)
        self.startedAt = startedAt
        self.profile = profile
        self.host = host
        self.transcript = transcript
        self.proof = proof
        self.proofTranscripts = proofTranscripts
    }

    /// Reads a recording. Throws `input`, in one line, for whatever is no whole recording of this version.
    static func read(_ path: String) throws(CommandError) -> Recording {
        try SavedDocument.read(path, as: Recording.self, schema: schemaName, what: "recording", limit: largest)
    }
}

extension DecodingError {
    /// Where and what, in one line.
    var sentence: String {
        func place(_ context: Context) -> String {
            let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? "." + $0.stringValue }.joined()
            return path.isEmpty ? "" : " at \(path.drop { $0 == "." })"
        }
        switch self {
        case .dataCorrupted(let context):
            return context.codingPath.isEmpty
                ? "is not valid JSON (truncated?)" : "bad value\(place(context)): \(context.debugDescription)"
        case .keyNotFound(let key, let context): return "lacks \"\(key.stringValue)\"\(place(context))"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            return "wrong type\(place(context))"
        @unknown default: return "cannot be decoded"
        }
    }
}
