internal import Diagnosis
internal import HostAccess
internal import HostModel
internal import LinuxHost
internal import PacketProof
internal import Watching

/// The proof beside it: a child process that sends, and whose transcript is judged with the rest.
extension Watcher {
    func startProof() {
        guard settings.proof != .off else { return }
        schedule.begin(at: now)
        do {
            proof = try RunningProof(settings.proof, profile: settings.profile)
        } catch {
            adopt(.failure(CommandError(.internalError, error.description)), startedAt: session.startedAt)
        }
    }

    func takeProof() {
        guard let proof, let result = proof.result() else { return }
        self.proof = nil
        adopt(result, startedAt: proof.startedAt)
    }

    func adopt(_ result: Result<WatchProofDocument, CommandError>, startedAt: String) {
        switch result {
        case .success(let document):
            session.adopt(document.transcripts, settings.proof, milliseconds: document.milliseconds)
        case .failure(let error):
            log.write(.error, "proof", error.message)
            let failed = session.chosen.profile.networks.map {
                ProofTranscript(mode: settings.proof, network: $0, failure: error.message)
            }
            session.adopt(failed, settings.proof, milliseconds: 0)
        }
        status.proof?.provedAt = startedAt
        status.proof?.verdict = session.proof?.verdict
        _ = standing.forget(probes: session.proofProbeNames) { _ in false }
        isWarm = true
        look(at: [])
    }
}
