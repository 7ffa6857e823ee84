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

    /// What a proof showed before the last change is no more than that, from when it is known that the next one has to wait:
    /// for its turn, or for the end of one that runs. One that begins at once ends before anybody would miss it.
    func noteAgeOfProof() {
        guard schedule.awaitsProof else { return }
        if proof != nil || schedule.due.map({ $0 > now }) ?? false { isProofOutdated = true }
    }

    var outdatedProof: OutdatedProof? {
        guard isProofOutdated else { return nil }
        return OutdatedProof(
            probes: session.proofProbeNames,
            reason: "the packet proof is from before the last change of this host; it is made again as soon as "
                + "--proof-every allows")
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
        isProofOutdated = false
        _ = standing.forget(probes: session.proofProbeNames) { _ in false }
        isWarm = true
        look(at: [])
    }
}
