internal import HostModel
internal import Probes

/// What the probes of this folder share. They send nothing: the proof was made before, and they only report of it.
extension ObservationFailure {
    static let proofIsOff = ObservationFailure.notApplicable("the packet proof was turned off (--proof off)")
}

extension ProofReport? {
    /// The report; throws where there is none, because the proof is off.
    func made() throws(ObservationFailure) -> ProofReport {
        guard let report = self, report.mode != .off else { throw .proofIsOff }
        return report
    }
}

extension Evidence {
    /// A packet of the proof. `outcome`: what became of it.
    static func packet(_ kind: ProofProtocol, from: String, to: String, _ outcome: String) -> Evidence {
        Evidence(source: "packet \(kind.rawValue) \(from) > \(to)", command: "lxc-doctor prove", value: outcome)
    }
}
