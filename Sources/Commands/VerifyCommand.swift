internal import ArgumentParser
internal import HostModel
internal import PacketFilter
internal import PacketProof
internal import Probes
internal import Reporting

/// `verify`: the ruleset alone, for every packet or for one.
struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", _superCommandName: Tool.name,
        abstract: "Says for every packet what the rules do with it, or shows one for which they do the wrong thing.",
        discussion: """
            Exit codes: 0 proven (or the packet is accepted), 2 a counterexample (or the packet is dropped), 3 undecided.

            A packet is a protocol (udp, tcp, icmp or a number), its ends, and as much more as is known of it:
              iif LINK             where it comes in; without one the host itself sends it
              port LINK            the bridge port that it comes in by
              mark N, ct-mark N    of the packet, and of its connection
              ct STATE             new (if not said), established, related, invalid, untracked; direction reply for an answer
              type N, code N, flags N, fragment
              ttl N, length N      without them, a rule that asks leaves the answer open
              uid N, gid N         of the socket that sends it
              mapped-source ADDRESS, mapped-destination ADDRESS  what conntrack makes of a known flow
            """)

    @OptionGroup var hostOptions: HostOptions
    @OptionGroup var output: OutputOptions<BasicFormats>
    @OptionGroup var redaction: RedactionOptions

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Follow this packet instead: 'udp 10.5.0.9:40000 > 198.51.100.7:53 iif lxcbr1 [mark 7] [ct new]'.",
            valueName: "packet"))
    var packet: String?

    @Flag(name: .long, help: "Hand the first counterexample to the packet proof, which sends exactly that packet.")
    var prove = false

    func validate() throws {
        if prove, hostOptions.replay != nil { throw ValidationError("a recording sends nothing: --prove needs a host") }
        if prove, packet != nil { throw ValidationError("one packet is sent by: prove --packet") }
        try output.require(for: "a proof about rules")
        try redaction.require(without: hostOptions.record)
    }

    func run() throws {
        let sample = try packet.map { (text) throws(CommandError) in try SamplePacket(argument: text) }
        let session = try Session(hostOptions, judges: false, readsRules: true)
        // What was read of a large ruleset goes with the process; to take it apart first takes milliseconds.
        _ = Unmanaged.passRetained(session)
        let code = try sample.map { try follow($0, session) } ?? verify(session)
        if let path = hostOptions.record { try session.record(to: path) }
        if code != 0 { throw ExitCode(code) }
    }

    // MARK: Every packet

    private func verify(_ session: Session) throws -> Int32 {
        var networks: [VerifyReport.Network] = []
        for network in session.chosen.profile.networks {
            var answers: [VerifyReport.Answer] = []
            do {
                let questions = try NetworkFilter(on: session.host).questions(
                    network: network.cidr, bridge: network.bridge, address: network.address.address,
                    target: network.target, exempt: network.exempt)
                for question in NetworkQuestion.allCases where question.isAsked(of: network) {
                    answers.append(Self.answer(questions.answer(question), network))
                }
            } catch {
                answers = NetworkQuestion.allCases.filter { $0.isAsked(of: network) }.map { question in
                    Self.answer(QuestionAnswer(question, .undecided, reason: Self.reason(error)), network)
                }
            }
            networks.append(
                VerifyReport.Network(
                    name: network.name, network: network.cidr, bridge: network.bridge, answers: answers))
        }
        var report = VerifyReport(networks: networks)
        if prove { report.proof = try proof(of: report, session) }
        let shown = try redaction.applied(to: report)
        try output.emit { format, options in renderVerify(shown, as: format, options: options) }
        return report.exitCode
    }

    /// The first counterexample that a container can send, sent. Without one nothing is.
    private func proof(of report: VerifyReport, _ session: Session) throws(CommandError) -> ProofReport? {
        let packets = report.networks.flatMap(\.answers).filter { $0.command != nil }.compactMap(\.packet)
        guard let first = packets.first else { return nil }
        let aim = try ProofAim(try SamplePacket(argument: first), networks: session.chosen.profile.networks)
        session.progress = ProgressLine(quiet: output.quiet)
        session.prove(.fence, aim: aim)
        return session.proof
    }

    private static func answer(
        _ answer: QuestionAnswer, _ network: Network
    ) -> VerifyReport.Answer {
        VerifyReport.Answer(
            question: answer.question.rawValue, title: answer.question.title(network),
            verdict: VerifyReport.Verdict(rawValue: answer.verdict.rawValue) ?? .undecided, reason: answer.reason,
            dependsOn: answer.dependsOn.isEmpty ? nil : answer.dependsOn, packet: answer.packet?.description,
            command: answer.verdict == .counterexample
                ? answer.packet.flatMap { ProofAim.command(for: $0, networks: [network]) } : nil,
            decidedBy: answer.decidedBy,
            shouldHaveCaught: answer.shouldHaveCaught.map(killer), provenBy: answer.provenBy.map(killer))
    }

    private static func reason(_ failure: ObservationFailure) -> String {
        switch failure {
        case .unknown(let reason), .notApplicable(let reason): reason
        }
    }

    private static func killer(_ place: RulePlace) -> Killer {
        Killer(
            hook: "postrouting", family: place.family, table: place.table, chain: place.chain, rule: place.rule,
            handle: place.handle, text: place.text)
    }

    // MARK: One packet

    private func follow(_ packet: SamplePacket, _ session: Session) throws -> Int32 {
        let filter: NetworkFilter
        do {
            filter = try NetworkFilter(on: session.host)
        } catch {
            let report = PacketReport(
                packet: packet.description, verdict: .undecided, reason: Self.reason(error))
            return try tell(report)
        }
        if let name = packet.inputInterface, filter.forwarding.link(name) == nil {
            throw CommandError(.usage, "--packet: there is no link \(name)")
        }
        var result = PacketWalk(ruleset: filter.ruleset, host: filter.forwarding).walk(packet)
        if !filter.forwarding.outsideModel.isEmpty, result.verdict == .accepted {
            result.verdict = .undecided
            result.reason =
                "the rules accept it, but something else acts on packets: "
                + filter.forwarding.outsideModel.joined(separator: ", ")
        }
        // Of a flow that is known the addresses are conntrack's to say, where anything translates at all.
        let isOfFlow =
            [.established, .related].contains(packet.connectionState) && result.uplink != nil
            && packet.mappedSource == nil && packet.mappedDestination == nil && filter.ruleset.translates
        if isOfFlow { (result.sourceAfter, result.destinationAfter) = (nil, nil) }
        let choices = result.sourceChoices?.map(\.description).joined(separator: " or ")
        let report = PacketReport(
            packet: packet.description, verdict: PacketReport.Verdict(rawValue: result.verdict.rawValue) ?? .undecided,
            reason: result.reason, dependsOn: result.dependsOn.isEmpty ? nil : result.dependsOn,
            sourceAfter: result.sourceAfter?.description ?? choices,
            destinationAfter: result.destinationAfter?.description, uplink: result.uplink,
            isOfFlow: isOfFlow ? true : nil, killer: result.killer,
            translatedBy: result.translatedBy.map(Self.killer), path: result.path)
        return try tell(report)
    }

    private func tell(_ report: PacketReport) throws -> Int32 {
        let shown = try redaction.applied(to: report)
        try output.emit { format, options in renderPacket(shown, as: format, options: options) }
        return report.verdict.exitCode
    }
}

extension NetworkQuestion {
    /// Questions about translation do not arise where the profile wants none.
    fileprivate func isAsked(of network: Network) -> Bool {
        let translates = network.nat == .masquerade || network.nat == .snat
        switch self {
        case .translated, .others: return translates
        case .dhcp: return network.dhcp != .off
        case .dns: return network.dns != .off
        case .forwarded, .answered, .eastWest: return true
        }
    }

    fileprivate func title(_ network: Network) -> String {
        switch self {
        case .translated: "everything to the outside leaves with an address of this host"
        case .forwarded: "everything to the outside is forwarded"
        case .answered: "every answer comes back"
        case .dhcp: "DHCP requests reach this host (port 67)"
        case .dns: "DNS queries reach this host (port 53)"
        case .eastWest: "containers reach each other, with their own addresses"
        case .others: "nobody who comes to the containers is translated"
        }
    }
}

extension SamplePacket {
    /// Throws usage, with the column.
    init(argument text: String) throws(CommandError) {
        do {
            try self.init(text: text)
        } catch {
            throw CommandError(.usage, "--packet: \(error)")
        }
    }
}
