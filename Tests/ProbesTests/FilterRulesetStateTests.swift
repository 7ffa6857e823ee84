import FoundationEssentials
import HostAccess
import HostModel
import PacketFilter
import Testing
import WireFormats

@testable import Probes

/// A ruleset that changes between two of the questions that read it.
@Suite struct FilterRulesetStateTests {
    /// A recorded host on which somebody commits a change, right before the rules are listed, the first few times.
    private final class RestlessHost: Host {
        private let recorded: ReplayHost
        /// How often a change is still to come.
        private var changes: Int
        private var generation: UInt8 = 0
        private(set) var asked: [String: Int] = [:]
        /// Everything else, and how often at most.
        private(set) var others: [HostRequest: Int] = [:]

        init(_ transcript: [TranscriptEntry], changes: Int) {
            recorded = ReplayHost(transcript)
            self.changes = changes
        }

        func answer(_ request: HostRequest) throws(HostError) -> HostReply {
            guard case .netlink(let query) = request, query.family == .netfilter else {
                others[request, default: 0] += 1
                return try recorded.answer(request)
            }
            asked[query.name, default: 0] += 1
            if query == .nftRules(), changes > 0 {
                changes -= 1
                generation += 1
            }
            guard case .messages(let messages) = try recorded.answer(request) else {
                return .messages(NetlinkMessages())
            }
            // The resource id of every message is the lower half of the generation at which it was listed.
            let stamped = messages.map { message in
                var bytes = Array(message)
                bytes.replaceSubrange(18...19, with: [7, generation])
                return bytes
            }
            return .messages(NetlinkMessages(stamped))
        }
    }

    private static func host(_ changes: Int) throws -> RestlessHost {
        var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        parts.removeLast(2)
        let path = (parts + ["WireFormatsTests", "Bytes", "ruleset-nft-lxc-net.json"]).joined(separator: "/")
        let data = try Data(contentsOf: URL(filePath: path))
        return RestlessHost(try JSONDecoder().decode([TranscriptEntry].self, from: data), changes: changes)
    }

    @Test(arguments: [0, 1, 4]) func whatAChangeOvertookIsReadAgain(changes: Int) throws {
        let host = try Self.host(changes)
        let recording = RecordingHost(host)
        let ruleset = try RulesetState(host: recording).ruleset()
        #expect(ruleset.nft.generations == [UInt16(7 << 8 | changes)])
        #expect(ruleset.rules.indices.contains { ruleset.text(ofRule: $0).contains("masquerade") })
        // All of it, tables and chains too: they are of another generation than the rules.
        for name in ["NFT_MSG_GETTABLE", "NFT_MSG_GETCHAIN", "NFT_MSG_GETRULE"] {
            #expect(host.asked[name] == changes + 1, "\(name)")
        }
        // What is no part of it stays as it was read.
        #expect(!host.others.isEmpty && host.others.values.allSatisfy { $0 == 1 })
        // A recording holds what was judged, and judges alike.
        let again = try RulesetState(host: ReplayHost(recording.transcript)).ruleset()
        #expect(again.nft.generations == ruleset.nft.generations)
        #expect(again.rules == ruleset.rules)
    }

    /// Once it is read it is known: the next probe asks nothing.
    @Test func aRulesetThatStoodStillIsReadOnce() throws {
        let host = try Self.host(1)
        let recording = RecordingHost(host)
        _ = try RulesetState(host: recording).ruleset()
        let before = host.asked
        _ = try RulesetState(host: recording).ruleset()
        #expect(host.asked == before)
    }

    @Test func oneThatNeverStandsStillIsUnknown() throws {
        let host = try Self.host(1000)
        #expect(throws: ObservationFailure.unknown("the nftables ruleset changed while it was read")) {
            try RulesetState(host: RecordingHost(host)).ruleset()
        }
        #expect(host.asked["NFT_MSG_GETRULE"] == 5)
    }

    /// What cannot be asked again, a recording, is not asked five times.
    @Test func aRecordingOfTwoGenerationsIsUnknown() throws {
        let host = try Self.host(1)
        #expect(throws: ObservationFailure.self) { try RulesetState(host: host).ruleset() }
        #expect(host.asked["NFT_MSG_GETRULE"] == 1)
    }
}
