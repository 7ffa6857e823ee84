internal import HostAccess
internal import HostModel

/// A proof that is being made.
struct ProofDraft {
    var transcript: ProofTranscript
    /// Whether its order is still to be sent.
    var waits = false
    /// Addresses that somebody has, as far as that is known by now.
    var taken: Set<IPAddress> = []

    init(_ transcript: ProofTranscript) {
        self.transcript = transcript
    }
}
