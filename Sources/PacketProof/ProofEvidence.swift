internal import HostAccess
package import HostModel
internal import WireFormats

/// What was seen of the packets of a proof, for other people's tools: a capture file and a text.
package struct ProofEvidence {
    private let transcripts: [ProofTranscript]
    private let report: ProofReport

    /// `report` is how the transcripts were judged.
    package init(_ transcripts: [ProofTranscript], judgedAs report: ProofReport) {
        self.transcripts = transcripts
        self.report = report
    }

    /// One thing that was seen.
    private struct Item {
        var nanoseconds: Int
        var interface: String
        var packet: [UInt8]
        var comment: String
    }

    /// A pcapng file of all taps: every packet with the interface, or the station in netfilter, that saw it.
    package func capture(application: String) -> [UInt8] {
        var writer = CaptureWriter(application: application)
        for item in items() {
            writer.add(item.packet, on: item.interface, nanoseconds: item.nanoseconds, comment: item.comment)
        }
        return writer.bytes
    }

    /// The same as lines, with what the kernel's traces said.
    package func trace() -> String {
        var lines = ["# time since the epoch in ns, where, packet, what"]
        lines += items().map { item in
            "\(item.nanoseconds)\t\(item.interface)\t\(Self.words(item.packet))\t\(item.comment)"
        }
        for transcript in transcripts {
            for (name, seen) in [("sent", transcript.sightings), ("sent again", transcript.autopsy?.sightings)] {
                guard let seen else { continue }
                lines.append("# traces of network \(transcript.network.name), \(name)")
                lines += seen.kills.map { "nft\tdrop\t\(Self.words($0))" }
                lines += (seen.passes ?? []).map { "nft\taccept\t\(Self.words($0))" }
                lines += (seen.findings?.legacySteps ?? []).map { step in
                    let rule = step.rule.map { "rule \($0)" } ?? "policy"
                    return "iptables-legacy\t\(step.table) \(step.chain) \(rule)\t\(Self.words(step.packet.bytes))"
                }
                lines += (seen.findings?.drops ?? []).map { "kfree_skb\t\($0.reason)\tid \($0.identification)" }
                lines += (seen.findings?.missing ?? []).map { "# not looked at: \($0)" }
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func words(_ kill: RuleKill) -> String {
        let rule = kill.handle.map { "handle \($0)" } ?? "policy"
        return "\(kill.family) \(kill.table) \(kill.chain) \(rule)\t\(words(kill.packet.bytes))"
    }

    private static func words(_ bytes: [UInt8]) -> String {
        guard let packet = IPPacket(bytes[...]) else { return "\(bytes.count) bytes" }
        let probe = ProofEvaluator.probe(packet, network: "")
        return "\(probe.protocol.rawValue) \(probe.from) > \(probe.to) id \(packet.identification)"
    }

    private func items() -> [Item] {
        transcripts.flatMap { transcript in
            Self.parts(of: transcript).flatMap { order, seen in items(order, seen) }
        }.sorted { $0.nanoseconds < $1.nanoseconds }
    }

    private static func parts(of transcript: ProofTranscript) -> [(ProbeOrder, ProbeSightings)] {
        var parts: [(ProbeOrder, ProbeSightings)] = []
        if let order = transcript.order, let seen = transcript.sightings { parts.append((order, seen)) }
        if let order = transcript.autopsy?.order, let seen = transcript.autopsy?.sightings {
            parts.append((order, seen))
        }
        return parts
    }

    /// A packet of an order, with what became of it.
    private struct Subject {
        var mark: ProbeMark
        var source: IPAddress
        var death: String?
        var isForPeer = false
    }

    private func items(_ order: ProbeOrder, _ seen: ProbeSightings) -> [Item] {
        let subjects = subjects(of: order)
        // The last that was seen of each: there it died, if it died.
        var last: [ProbeMark: Int] = [:]
        let sightings = seen.sightings.enumerated().sorted { ($0.1.microseconds, $0.0) < ($1.1.microseconds, $1.0) }
            .map(\.1)
        var owners: [Subject?] = []
        for (index, sighting) in sightings.enumerated() {
            let owner = IPPacket(sighting.packet.bytes[...]).flatMap { packet in
                subjects.first { $0.mark.matches(packet) }
            }
            owners.append(owner)
            if let owner { last[owner.mark] = index }
        }
        return sightings.enumerated().map { index, sighting in
            var comment = Self.comment(sighting, owners[index], order, seen)
            if let owner = owners[index], let death = owner.death, last[owner.mark] == index {
                comment += "; killed here by \(death)"
            }
            return Item(
                nanoseconds: (seen.startedNanoseconds ?? 0) + sighting.microseconds * 1000,
                interface: Self.interface(sighting), packet: sighting.packet.bytes, comment: comment)
        }
    }

    private func subjects(of order: ProbeOrder) -> [Subject] {
        func subject(_ packet: ByteString, _ nonce: ByteString) -> Subject? {
            guard let sent = IPPacket(packet.bytes[...]),
                let mark = ProbeMark(packet: packet.bytes, nonce: nonce.bytes)
            else { return nil }
            let row = ProofEvaluator.probe(sent, network: "")
            let outside = report.probes.first { Self.isSame($0.from, $0.to, $0.protocol, row) }
            let local = report.local?.first { Self.isSame($0.from, $0.to, $0.protocol, row) }
            let killer = outside?.killer ?? local?.killer
            let isDead = outside?.verdict == .dropped || local?.arrival == .dropped
            return Subject(
                mark: mark, source: sent.source,
                death: isDead ? killer.map(Self.words) ?? "something without a name" : nil)
        }
        return order.packets.compactMap { subject($0, order.nonce) }
            + (order.local?.hostPackets ?? []).compactMap { subject($0, order.local?.hostNonce ?? order.nonce) }
            + (order.local?.peerPackets ?? []).compactMap { packet in
                var peer = subject(packet, order.local?.peerNonce ?? order.nonce)
                peer?.isForPeer = true
                return peer
            }
    }

    /// `inet filter forward: policy drop`, where it was in which words.
    private static func words(_ killer: Killer) -> String {
        let place = [killer.backend, killer.family, killer.table, killer.chain].compactMap { $0 }
        let what = place.isEmpty ? killer.hook.uppercased() : place.joined(separator: " ")
        return printable("\(what): \(killer.text)")
    }

    /// Names of rules and chains are foreign text: nothing of it moves a cursor or begins a line.
    private static func printable(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? "?" : $0 }))
    }

    /// Ports change when an order is sent again; addresses, protocol and destination do not.
    private static func isSame(_ from: String, _ to: String, _ kind: ProofProtocol, _ row: ProofProbe) -> Bool {
        to == row.to && kind == row.protocol
            && IPAddress.text(ofEndpoint: from) == IPAddress.text(ofEndpoint: row.from)
    }

    /// A station in netfilter is no interface: it has a name of its own.
    private static func interface(_ sighting: Sighting) -> String {
        switch sighting.direction {
        case .fenced, .passed: "netfilter \(sighting.family ?? "") \(sighting.hook ?? "")"
        case .received, .sent, .returned: sighting.interface
        }
    }

    private static func comment(
        _ sighting: Sighting, _ owner: Subject?, _ order: ProbeOrder, _ seen: ProbeSightings
    ) -> String {
        let packet = IPPacket(sighting.packet.bytes[...])
        let translated = owner.map { packet?.source != $0.source } ?? false
        let after = translated ? "after MASQUERADE or SNAT, as \(packet?.source.description ?? "?")" : "untranslated"
        switch sighting.direction {
        case .received where owner != nil && sighting.interface == seen.port: return "as the container sent it"
        case .received where owner != nil && sighting.interface == order.bridge: return "on the bridge, into this host"
        case .received: return owner == nil ? "an answer, or an error about a probe" : "received"
        case .sent where owner != nil && sighting.interface == seen.peerPort: return "into the second container"
        case .sent: return owner == nil ? "an answer on its way back" : "leaves by \(sighting.interface), \(after)"
        case .fenced where sighting.hook == "input": return "stopped by the doctor's fence before a server sees it"
        case .fenced where owner?.isForPeer == true:
            return "\(after); stopped by the doctor's fence at the door of the second container"
        case .fenced: return "\(after); stopped by the doctor's fence on its way out of \(sighting.interface)"
        case .passed: return "passed this station"
        case .returned: return "came back into the container"
        }
    }
}
