import FoundationEssentials
import HostAccess
import HostModel
import Testing
import WireFormats

@testable import PacketProof

/// Captures that tcpdump and dumpcap wrote beside a proof on a private host, judged again from the file alone.
struct CaptureFileTests {
    /// What stands beside each capture: what was sent, and the interface names of the moment.
    struct Companion: Decodable {
        var links: [String: String]
        var transcript: ProofTranscript
    }

    struct Expectation: Sendable, CustomStringConvertible {
        var file: String
        /// From the low address, then from the high one; UDP, TCP and ICMP alike.
        var verdicts: [ProofVerdict]
        /// Nil: it was not seen leaving. `own`: the container's own address.
        var sourcesAfter: [String?]
        var reason: String?
        var description: String { file }
    }

    static let expectations = [
        Expectation(
            file: "masqueraded-random-ports.pcap", verdicts: [.masqueraded, .masqueraded],
            sourcesAfter: ["203.0.113.2", "203.0.113.2"]),
        Expectation(
            file: "masqueraded-two-interfaces.pcapng", verdicts: [.masqueraded, .masqueraded],
            sourcesAfter: ["203.0.113.2", "203.0.113.2"]),
        Expectation(
            file: "leaked.pcap", verdicts: [.leaked, .leaked], sourcesAfter: ["own", "own"], reason: "untranslated"),
        Expectation(
            file: "leaked-half.pcap", verdicts: [.masqueraded, .leaked], sourcesAfter: ["203.0.113.2", "own"]),
        Expectation(
            file: "wrong-source.pcap", verdicts: [.wrongSource, .wrongSource],
            sourcesAfter: ["192.0.2.99", "192.0.2.99"], reason: "no address of this host"),
        Expectation(
            file: "borrowed-source.pcap", verdicts: [.wrongSource, .wrongSource],
            sourcesAfter: ["10.5.0.1", "10.5.0.1"], reason: "the containers' own subnet"),
        Expectation(
            file: "dropped-by-policy.pcap", verdicts: [.dropped, .dropped], sourcesAfter: [nil, nil],
            reason: "never left this host"),
        Expectation(
            file: "dropped-by-reject.pcap", verdicts: [.dropped, .dropped], sourcesAfter: [nil, nil],
            reason: "the container was told: port unreachable from 10.5.0.1"),
        Expectation(
            file: "redirected.pcap", verdicts: [.redirected, .redirected], sourcesAfter: [nil, nil],
            reason: "answered in the place of"),
        Expectation(
            file: "no-positive-control.pcap", verdicts: [.unknown, .unknown], sourcesAfter: [nil, nil],
            reason: "the positive control failed"),
    ]

    @Test("A capture file alone gives the verdict", arguments: expectations)
    func verdict(_ wanted: Expectation) throws {
        let transcript = try Self.transcript(judging: wanted.file)
        let probes = NetworkProof.evaluate(transcript)
        #expect(probes.map(\.protocol) == [.udp, .tcp, .icmp, .udp, .tcp, .icmp])
        for (index, probe) in probes.enumerated() {
            let end = index / 3
            #expect(probe.verdict == wanted.verdicts[end], "\(probe)")
            let own = String(probe.from.prefix { $0 != ":" })
            #expect(probe.sourceAfter == (wanted.sourcesAfter[end] == "own" ? own : wanted.sourcesAfter[end]))
            if let reason = wanted.reason { #expect(probe.reason?.contains(reason) == true, "\(probe)") }
            if probe.verdict == .masqueraded {
                #expect(probe.uplink == "up0")
                #expect((probe.reason == nil) == (probe.delivery == .confirmed))
            }
        }
        #expect(ProofReport(mode: .wire, probes: probes).verdict == wanted.verdicts.min())
    }

    @Test("What the live capture saw gives the same verdict as the file", arguments: expectations)
    func agreement(_ wanted: Expectation) throws {
        let live = try Self.companion(of: wanted.file).transcript
        let replayed = try Self.transcript(judging: wanted.file)
        #expect(NetworkProof.evaluate(live).map(\.verdict) == NetworkProof.evaluate(replayed).map(\.verdict))
        #expect(NetworkProof.evaluate(live).map(\.sourceAfter) == NetworkProof.evaluate(replayed).map(\.sourceAfter))
    }

    @Test("Translated ports and identifiers do not hide a probe")
    func rewrittenPorts() throws {
        let transcript = try Self.transcript(judging: "masqueraded-random-ports.pcap")
        let sent = try #require(transcript.order).packets.compactMap { IPPacket($0.bytes[...]) }
        let out = try #require(transcript.sightings).sightings.filter { $0.interface == "up0" && $0.direction == .sent }
            .compactMap { IPPacket($0.packet.bytes[...]) }
        // The test would prove nothing if the kernel had kept the ports.
        #expect(Self.ports(out).isDisjoint(with: Self.ports(sent)))
        #expect(Self.ports(sent).count == 6)
    }

    private static func ports(_ packets: [IPPacket]) -> Set<UInt16> {
        Set(
            packets.compactMap {
                switch Transport(of: $0) {
                case .udp(let source, _, _), .tcp(let source, _, _, _, _): source
                case .icmp(8, _, let rest, _): UInt16(rest >> 16)
                default: nil
                }
            })
    }

    @Test("An absence proves nothing when the capture lost packets")
    func lostPackets() throws {
        var transcript = try Self.transcript(judging: "dropped-by-policy.pcap")
        transcript.sightings?.captureDrops = 3
        for probe in NetworkProof.evaluate(transcript) {
            #expect(probe.verdict == .unknown)
            #expect(probe.reason?.contains("lost 3 packets") == true)
        }
        // What was seen stays seen.
        var leaked = try Self.transcript(judging: "leaked.pcap")
        leaked.sightings?.captureDrops = 3
        #expect(NetworkProof.evaluate(leaked).allSatisfy { $0.verdict == .leaked })
    }

    @Test("A transcript survives a recording")
    func recording() throws {
        let transcript = try Self.companion(of: "leaked-half.pcap").transcript
        let copy = try JSONDecoder().decode(ProofTranscript.self, from: JSONEncoder().encode(transcript))
        #expect(copy == transcript)
    }

    /// The companion's transcript with its sightings taken from the capture file instead.
    static func transcript(judging file: String) throws -> ProofTranscript {
        let companion = try companion(of: file)
        var transcript = companion.transcript
        let live = try #require(transcript.sightings)
        let records = try CaptureFile(bytes(of: file)).records
        let start = records.first?.nanoseconds ?? 0
        let sightings = records.compactMap { record -> Sighting? in
            guard let frame = CapturedFrame(record.bytes, linkType: record.linkType), frame.protocolNumber == 0x0800
            else { return nil }
            // The throw-away port had gone when the names were noted.
            let name =
                record.interface.isEmpty
                ? companion.links[String(frame.interfaceIndex)] ?? live.port : record.interface
            let sent = frame.direction == .sent || frame.direction == .unknown && name == "up0"
            return Sighting(
                interface: name, direction: sent ? .sent : .received,
                microseconds: (record.nanoseconds - start) / 1000, packet: ByteString(Array(frame.payload)))
        }
        transcript.sightings = ProbeSightings(sightings: sightings, port: live.port, captureDrops: 0)
        return transcript
    }

    private static func companion(of file: String) throws -> Companion {
        let stem = file.prefix { $0 != "." }
        return try JSONDecoder().decode(Companion.self, from: Data(bytes(of: stem + ".json")))
    }

    private static func bytes(of name: some StringProtocol) throws -> [UInt8] {
        let folder = #filePath.split(separator: "/").dropLast().joined(separator: "/")
        return [UInt8](try Data(contentsOf: URL(filePath: "/\(folder)/Pcaps/\(name)")))
    }
}
