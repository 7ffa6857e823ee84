internal import HostAccess
internal import HostModel
internal import PacketFilter
internal import PacketProof
internal import Probes

/// Packets of the proof that rules with openings stop: a list of what containers may do need not have the ports of the
/// proof on it. The rules were read, and say of that very packet that it is dropped where it was.
struct ClosedEgress {
    /// Nil where the rules are no such list.
    private let questions: NetworkQuestions?
    private let open: OpenEgress?

    /// What such rules let through, in words.
    var passing: String { open?.passing.joined(separator: ", ") ?? "" }

    /// Nothing is read where no packet of the proof was lost.
    init(_ network: String, _ probes: [ProofProbe], _ transcripts: [ProofTranscript]?, on host: any Host) {
        guard probes.contains(where: \.isLostInForward),
            let known = transcripts?.first(where: { $0.network.name == network && $0.family != .ipv6 })?.network
        else {
            (questions, open) = (nil, nil)
            return
        }
        do throws(ObservationFailure) {
            let questions = try NetworkFilter(on: host).questions(
                network: known.cidr, bridge: known.bridge, address: known.address.address, target: known.target)
            self.questions = questions
            open = questions.openEgress()
        } catch {
            // Then a packet that is lost is lost.
            (questions, open) = (nil, nil)
        }
    }

    /// Whether such rules stop a packet that was lost, at the place where it was.
    func stops(_ probe: ProofProbe) -> Bool {
        guard open != nil, let questions, probe.isLostInForward, let packet = Self.packet(probe, questions) else {
            return false
        }
        let result = questions.walk.walk(packet)
        guard result.verdict == .dropped, let killer = result.killer, killer.table != nil else { return false }
        guard let seen = probe.killer, seen.table != nil else { return true }
        return seen.table == killer.table && seen.chain == killer.chain
    }

    private static func packet(_ probe: ProofProbe, _ questions: NetworkQuestions) -> SamplePacket? {
        do throws(PacketSyntaxError) {
            return try SamplePacket(
                text: "\(probe.protocol.rawValue) \(probe.from) > \(probe.to) iif \(questions.bridge)")
        } catch {
            return nil
        }
    }
}
