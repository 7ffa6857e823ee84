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

    /// A host with tables that change one at a time, in a kernel that counts generations: what was recorded, and the same
    /// again as another family.
    private final class TablesHost: Host {
        private let recorded: ReplayHost
        var generation: UInt8 = 1
        /// Tables whose rules have gone.
        var flushed: Set<NftTableName> = []
        /// Raises the generation before the rules of this table are listed, once.
        var changesBefore: NftTableName?
        private(set) var asked: [KernelQuery] = []

        init(_ transcript: [TranscriptEntry]) { recorded = ReplayHost(transcript) }

        func answer(_ request: HostRequest) throws(HostError) -> HostReply {
            guard case .netlink(let query) = request, query.family == .netfilter else {
                return try recorded.answer(request)
            }
            asked.append(query)
            let table = query.tableOfRules
            if let table, table == changesBefore {
                changesBefore = nil
                generation += 1
            }
            if query == .nftGeneration { return .messages(NetlinkMessages([stamped(Array(repeating: 0, count: 20))])) }
            let whole = table == nil ? request : .netlink(.nftRules())
            guard case .messages(let messages) = try recorded.answer(whole) else { return .messages(NetlinkMessages()) }
            let recorded = messages.map(Array.init)
            let again = recorded.map { message in
                var message = message
                message[16] = NftFamily.inet.rawValue
                return message
            }
            let kept = (recorded + again).filter { message in
                guard let table else { return true }
                return !flushed.contains(table) && NftRequest.table(ofRules: Array(message[16...])) == table
            }
            return .messages(NetlinkMessages(kept.map(stamped)))
        }

        private func stamped(_ message: [UInt8]) -> [UInt8] {
            var message = message
            message.replaceSubrange(18...19, with: [0, generation])
            return message
        }

        /// How often the rules of a table were asked for since the last time.
        func takeAsked() -> [NftTableName: Int] {
            defer { asked = [] }
            return asked.reduce(into: [:]) { counts, query in
                if let table = query.tableOfRules { counts[table, default: 0] += 1 }
            }
        }
    }

    private static func tables(_ name: String = "ruleset-iptables-nft-libvirt") throws -> (TablesHost, RecordingHost) {
        var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        parts.removeLast(2)
        let path = (parts + ["WireFormatsTests", "Bytes", name + ".json"]).joined(separator: "/")
        let data = try Data(contentsOf: URL(filePath: path))
        let host = TablesHost(try JSONDecoder().decode([TranscriptEntry].self, from: data))
        let recording = RecordingHost(host)
        recording.readsTablesApart = true
        return (host, recording)
    }

    /// Forgets what an event of one table touches.
    private static func forget(_ table: NftTableName, _ recording: RecordingHost) {
        recording.forget { request in
            guard case .netlink(let query) = request, query.family == .netfilter else { return false }
            return query.tableOfRules.map { $0 == table } ?? true
        }
    }

    @Test func tableByTableItIsTheSame() throws {
        let (host, recording) = try Self.tables()
        let apart = try RulesetState(host: recording).ruleset()
        let asked = host.takeAsked()
        #expect(asked.count > 1 && asked.values.allSatisfy { $0 == 1 })
        recording.readsTablesApart = false
        recording.forget()
        let whole = try RulesetState(host: recording).ruleset()
        #expect(host.takeAsked().isEmpty)
        #expect(apart.rules.indices.map(apart.text) == whole.rules.indices.map(whole.text))
        #expect(apart.rules == whole.rules && apart.chains == whole.chains && apart.tables == whole.tables)
    }

    /// Those of other tables stay as they were listed, at an earlier generation.
    @Test func onlyWhatHasChangedIsListedAgain() throws {
        let (host, recording) = try Self.tables()
        let before = try RulesetState(host: recording).ruleset()
        _ = host.takeAsked()
        let nat = NftTableName(.ipv4, "nat")
        (host.generation, host.flushed) = (2, [nat])
        Self.forget(nat, recording)
        let after = try RulesetState(host: recording).ruleset()
        #expect(host.takeAsked() == [nat: 1])
        #expect(recording.nftGeneration == 2 && after.nft.generations == [1, 2])
        func texts(_ ruleset: Ruleset, inNat: Bool) -> [String] {
            ruleset.rules.indices.filter { index in
                (ruleset.tables[ruleset.chains[ruleset.rules[index].chain].table].name == nat) == inNat
            }.map(ruleset.text)
        }
        #expect(!texts(before, inNat: true).isEmpty && texts(after, inNat: true).isEmpty)
        #expect(!texts(before, inNat: false).isEmpty && texts(after, inNat: false) == texts(before, inNat: false))
    }

    /// What is listed after a change does not go with what was listed before it, kept or not.
    @Test func aChangeWhileATableIsListedHasAllOfItReadAgain() throws {
        let (host, recording) = try Self.tables()
        _ = try RulesetState(host: recording).ruleset()
        let tables = host.takeAsked().keys
        let nat = NftTableName(.ipv4, "nat")
        host.changesBefore = nat
        Self.forget(nat, recording)
        let ruleset = try RulesetState(host: recording).ruleset()
        let asked = host.takeAsked()
        #expect(asked[nat] == 2 && tables.allSatisfy { $0 == nat || asked[$0] == 1 })
        #expect(ruleset.nft.generations == [2])
    }

    /// A table that goes while it is listed has no rule left that could tell.
    @Test func aTableThatGoesIsNoticed() throws {
        let (host, recording) = try Self.tables()
        _ = try RulesetState(host: recording).ruleset()
        let last = try #require(host.asked.compactMap(\.tableOfRules).last)
        _ = host.takeAsked()
        recording.forget()
        (host.changesBefore, host.flushed) = (last, [last])
        _ = try RulesetState(host: recording).ruleset()
        #expect(host.takeAsked()[last] == 2)
        #expect(recording.nftGeneration == 2)
    }

    /// What cannot be asked again, a recording, is not asked five times.
    @Test func aRecordingOfTwoGenerationsIsUnknown() throws {
        let host = try Self.host(1)
        #expect(throws: ObservationFailure.self) { try RulesetState(host: host).ruleset() }
        #expect(host.asked["NFT_MSG_GETRULE"] == 1)
    }
}
