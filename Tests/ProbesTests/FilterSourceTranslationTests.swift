import FoundationEssentials
import HostAccess
import HostModel
import PacketFilter
import Testing
import WireFormats

@testable import Probes

/// Recordings of a real kernel (6.18): lxcbr1 with 10.5.0.1/16, docker0 with 172.17.0.1/16, up0 with 203.0.113.2/24.
@Suite struct FilterSourceTranslationTests {
    struct Recording: Sendable, CustomTestStringConvertible {
        var name: String
        var translated: String
        var defect: String
        var backends: [String]
        var rule: String
        var testDescription: String { name }
    }

    static let recordings: [Recording] = [
        Recording(
            name: "nft-lxc-net", translated: "all", defect: "none", backends: ["nft"],
            rule: "ip saddr 10.5.0.0/16 ip daddr != 10.5.0.0/16 counter masquerade"),
        Recording(
            name: "iptables-nft-shadowed", translated: "none", defect: "shadowed", backends: ["iptables-nft"],
            rule: "-A POSTROUTING -s 10.5.0.0/16 -j ACCEPT"),
        Recording(
            name: "nft-interval-set", translated: "all", defect: "none", backends: ["nft"],
            rule: "ip saddr @s ip daddr != @s masquerade"),
        Recording(
            name: "nft-verdict-map", translated: "all", defect: "none", backends: ["nft"],
            rule: "ip saddr 10.5.0.0/16 masquerade"),
        Recording(
            name: "nft-snat-map", translated: "all", defect: "none", backends: ["nft"],
            rule: "snat to ip saddr map { 10.5.0.0/17 : 203.0.113.2, 10.5.128.0/17 : 203.0.113.2 }"),
        Recording(
            name: "iptables-nft-libvirt", translated: "all", defect: "none", backends: ["iptables-nft"],
            rule: "-A LIBVIRT_PRT -s 10.5.0.0/16 ! -d 10.5.0.0/16 -p tcp -j MASQUERADE --to-ports 1024-65535"),
        Recording(
            name: "legacy-jumps", translated: "all", defect: "none", backends: ["iptables-legacy"],
            rule: "-A V -s 10.5.0.0/16 -m comment --comment hi -j MASQUERADE"),
        Recording(
            name: "legacy-notrack", translated: "none", defect: "notrack", backends: ["iptables-legacy"],
            rule: "-A PREROUTING -s 10.5.0.0/16 -j CT --notrack"),
    ]

    private static func transcript(_ name: String) throws -> [TranscriptEntry] {
        var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        parts.removeLast(2)
        let path = (parts + ["WireFormatsTests", "Bytes", "ruleset-\(name).json"]).joined(separator: "/")
        let data = try Data(contentsOf: URL(filePath: path))
        return try JSONDecoder().decode([TranscriptEntry].self, from: data)
    }

    private func observe(
        _ transcript: [TranscriptEntry], network: String = "10.5.0.0/16"
    ) throws(ObservationFailure) -> Observation {
        try SourceTranslationProbe().observe(
            ProbeParameters([
                "network": .string(network), "bridge": .string("lxcbr1"), "target": .string("198.51.100.7"),
                "uplink": .string(""),
            ]), on: ReplayHost(transcript))
    }

    @Test(arguments: recordings) func answersFromARecording(recording: Recording) throws {
        let facts = try observe(Self.transcript(recording.name)).facts
        #expect(facts["translated"] == .string(recording.translated))
        #expect(facts["defect"] == .string(recording.defect))
        #expect(facts["backends"] == .strings(recording.backends))
        #expect(facts["rule"] == .string(recording.rule))
        #expect(facts["uplinkName"] == .string("up0"))
        #expect(Set(facts.keys) == Set(SourceTranslationProbe().specification.facts.keys))
    }

    @Test func evidenceSaysWhereAndHowToSee() throws {
        let nft = try #require(observe(Self.transcript("nft-lxc-net")).evidence.first)
        #expect(nft.source.hasPrefix("ip lxc postrouting, rule 1 (handle "))
        #expect(nft.command == "nft -a list chain ip lxc postrouting")
        let legacy = try #require(observe(Self.transcript("legacy-jumps")).evidence.first)
        #expect(legacy.command == "iptables-legacy -t nat -S V")
    }

    /// Masquerading then takes the first address of another link: the containers' own gateway, or that of another bridge.
    @Test(
        arguments: [
            ([[203, 0, 113, 2], [172, 17, 0, 1]], "wrong-source"), ([[203, 0, 113, 2], [10, 5, 0, 1]], nil),
        ] as [([[UInt8]], String?)]) func anUplinkWithoutAnAddressBorrowsAWrongOne(
            gone: [[UInt8]], defect: String?
        ) throws
    {
        let transcript = try changed("nft-lxc-net") { request, reply in
            guard request == .netlink(.addresses()), case .messages(let messages) = reply else {
                return .success(reply)
            }
            let left = messages.map(Array.init).filter { message in
                !gone.contains { address in
                    message.indices.contains { message[$0...].starts(with: address) }
                }
            }
            return .success(.messages(NetlinkMessages(left)))
        }
        guard let defect else {
            #expect {
                try observe(transcript)
            } throws: { error in
                guard case .unknown(let reason)? = error as? ObservationFailure else { return false }
                return reason.contains("172.17.0.1, which this host has on another bridge")
            }
            return
        }
        let facts = try observe(transcript).facts
        #expect(facts["translated"] == .string("none") && facts["defect"] == .string(defect))
    }

    @Test func anotherNetworkIsNotTranslated() throws {
        let facts = try observe(Self.transcript("nft-lxc-net"), network: "10.77.0.0/24").facts
        #expect(facts["translated"] == .string("none"))
    }

    /// Every netlink and legacy answer changed by `change`.
    private func changed(
        _ name: String, _ change: (HostRequest, HostReply) -> Result<HostReply, HostError>
    ) throws -> [TranscriptEntry] {
        try Self.transcript(name).map { entry in
            guard let reply = entry.reply else { return entry }
            switch change(entry.request, reply) {
            case .success(let reply): return TranscriptEntry(request: entry.request, reply: reply, error: nil)
            case .failure(let error): return TranscriptEntry(request: entry.request, reply: nil, error: error)
            }
        }
    }

    private func isNft(_ request: HostRequest) -> Bool {
        if case .netlink(let query) = request { return query.family == .netfilter }
        return false
    }

    @Test func withoutPrivilegeItIsUnknown() throws {
        let refused = try changed("nft-lxc-net") { request, reply in
            isNft(request)
                ? .failure(HostError(.notPermitted, operation: "nfnetlink", message: "not permitted", errno: 1))
                : .success(reply)
        }
        #expect {
            try observe(refused)
        } throws: { error in
            guard case .unknown(let reason)? = error as? ObservationFailure else { return false }
            return reason.contains("CAP_NET_ADMIN")
        }
    }

    @Test(arguments: [HostError.Code.unsupported, .other]) func aKernelWithoutNftablesHasLegacyOnly(
        code: HostError.Code
    ) throws {
        let without = try changed("legacy-jumps") { request, reply in
            isNft(request)
                ? .failure(HostError(code, operation: "nfnetlink", message: "invalid", errno: 22)) : .success(reply)
        }
        #expect(try observe(without).facts["translated"] == .string("all"))
    }

    @Test func aRulesetThatChangesMeanwhileIsUnknown() throws {
        let moving = try changed("nft-lxc-net") { request, reply in
            guard case .netlink(let query) = request, query.name == "NFT_MSG_GETRULE",
                case .messages(let messages) = reply
            else { return .success(reply) }
            var bytes = messages.map(Array.init)
            bytes[0][19] &+= 1
            return .success(.messages(NetlinkMessages(bytes)))
        }
        #expect(throws: ObservationFailure.self) { try observe(moving) }
    }

    /// Cut anywhere, with the length patched: an answer or unknown, never a trap.
    @Test(arguments: ["nft-interval-set", "nft-verdict-map", "iptables-nft-libvirt"])
    func everyPrefixOfEveryAnswerIsSurvived(name: String) throws {
        var unknown = 0
        for step in stride(from: 0, to: 400, by: 3) {
            let cut = try changed(name) { request, reply in
                guard isNft(request), case .messages(let messages) = reply else { return .success(reply) }
                let cut = messages.map { message in
                    var bytes = Array(message.prefix(step))
                    if bytes.count >= 4 {
                        let length = withUnsafeBytes(of: UInt32(bytes.count)) { Array($0) }
                        bytes.replaceSubrange(0..<4, with: length)
                    }
                    return bytes
                }
                return .success(.messages(NetlinkMessages(cut)))
            }
            do { _ = try observe(cut) } catch { unknown += 1 }
        }
        #expect(unknown > 10)
    }

    @Test func everyPrefixAndEveryChangedByteOfALegacyTableIsSurvived() throws {
        var refused = 0
        for entry in try Self.transcript("legacy-jumps") {
            guard case .legacyTable(let info, let entries)? = entry.reply else { continue }
            #expect(try XtTable(info: info.bytes, entries: entries.bytes).chains.count == 6)
            for length in 0..<entries.bytes.count {
                #expect(throws: WireError.self) {
                    try XtTable(info: info.bytes, entries: Array(entries.bytes[..<length]))
                }
            }
            for index in entries.bytes.indices {
                for value in [0, 0x70, 0xff] as [UInt8] {
                    var changed = entries.bytes
                    changed[index] = value
                    do {
                        let table = try XtTable(info: info.bytes, entries: changed)
                        #expect(table.chains.count <= 12)
                    } catch {
                        refused += 1
                    }
                }
            }
        }
        #expect(refused > 100)
    }

    @Test func tablesOfLegacyKeepTheirOrder() throws {
        for entry in try Self.transcript("legacy-jumps") {
            guard case .legacyTable(let info, let entries)? = entry.reply else { continue }
            let table = try XtTable(info: info.bytes, entries: entries.bytes)
            #expect(table.name == "nat")
            #expect(table.chains.map(\.name) == ["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING", "U", "V"])
            #expect(table.chains.map(\.rules.count) == [0, 0, 0, 1, 2, 1])
            #expect(table.chains[3].policy == .accept)
            #expect(table.chains[4].rules[0].target == .verdict(.goto("V")))
        }
    }
}
