import Foundation
import HostModel
import TestSupport
import Testing

/// Every fault in every variant: the doctor names the cause that has the fault's id, and no other that does not belong to
/// it; and the commands that `explain` gives show it to a person.
@Suite("Every fault", .serialized) struct EveryFaultTests {
    struct Variant: Sendable, CustomTestStringConvertible {
        var id: String
        var name: String
        /// The first one is what `--fault ID` makes.
        var isFirst: Bool
        var testDescription: String { "\(id)=\(name)" }
    }

    private struct FaultList: Decodable {
        struct Row: Decodable {
            var id: String
            var variants: [String]
        }
        var faults: [Row]
    }

    static let variants: [Variant] = {
        do {
            let listed = try Program.run(["list", "faults", "--format", "json"])
            return try JSONDecoder().decode(FaultList.self, from: Data(listed.output.utf8)).faults.flatMap { row in
                row.variants.map { Variant(id: row.id, name: $0, isFirst: $0 == row.variants.first) }
            }
        } catch {
            Issue.record(error)
            return []
        }
    }()

    /// Hosts on which more than one thing is wrong by the fault's nature: that file closes INPUT too, and a stopped lxc-net takes
    /// bridge and rules along.
    static let besides: [String: Set<String>] = [
        "bridge-missing=stopped": ["masq-missing"], "forward-policy-drop=nftables-conf": ["input-drops-dhcp-dns"],
        // All of what its settings make is wrong with them.
        "bridge-wrong-address-or-mask=settings": ["masq-wrong-subnet", "bridge-not-persistent", "masq-hits-east-west"],
        "bridge-wrong-address-or-mask=settings-address": ["bridge-not-persistent"],
        "masq-wrong-subnet=settings": ["masq-hits-east-west", "masq-not-persistent", "dhcp-range-outside-subnet"],
        // It has just been reloaded: what it deletes at boot is gone now as well.
        "nftables-flush-ruleset=now": ["masq-missing"],
    ]

    /// Words that stand for a name which the evidence knows: whoever reads a command at night pastes it.
    static let placeholders: Set<String> = [
        "ADDRESS", "BRIDGE", "CARD", "CONFIG", "CONTAINER", "GATEWAY", "INTERFACE", "NAME", "UPLINK", "VETH",
    ]

    /// Causes that no practice host can have; the evidence of them stands as literals in the tests of these probes.
    static let withoutFault: [String: (reason: String, probe: String)] = [
        "conntrack-full": ("the maximum is the machine's: read-only in other namespaces", "ConntrackTableProbe"),
        "kernel-modules-missing": ("kernel and modules are the machine's", "KernelModulesProbe"),
        "neigh-table-overflow": ("all namespaces of a machine share one table", "NeighbourTableProbe"),
        "uplink-filters-mac": ("a link without a kind is a card, and those are the machine's", "BridgedUplinkProbe"),
        "tx-checksum-offload-bug": ("nothing on the host shows it", ""),
    ]

    private struct CauseList: Decodable {
        struct Row: Decodable {
            var id: String
            var detection: String
        }
        var causes: [Row]
    }

    @Test func everyCauseHasAFaultOrAReason() throws {
        let listed = try Program.run(["list", "causes", "--format", "json"])
        let causes = try JSONDecoder().decode(CauseList.self, from: Data(listed.output.utf8)).causes
        let faults = Set(Self.variants.map(\.id))
        #expect(Set(causes.map(\.id)).subtracting(faults) == Set(Self.withoutFault.keys))
        #expect(faults.subtracting(causes.map(\.id)) == [])
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("ProbesTests")
        let tests = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .map { try String(contentsOf: $0, encoding: .utf8) }.joined()
        for (id, (_, probe)) in Self.withoutFault {
            let isDocumented = causes.first { $0.id == id }?.detection == "documented"
            #expect(isDocumented == probe.isEmpty, "\(id)")
            let isTested = tests.contains("\(probe)(")
            #expect(isDocumented || isTested, "\(id): no test has \(probe)")
        }
    }

    private static let hosts: [[String]] = [
        [], ["--profile", "lxc-net"], ["--backend", "iptables-nft"], ["--backend", "iptables-legacy"],
    ]

    @Test(arguments: variants)
    func isNamedAndCanBeSeenByHand(variant: Variant) throws {
        // The kernel takes a proof's ports away a moment after the proof has ended.
        let gone = "for _ in $(seq 100); do ls /sys/class/net | grep -q '^lxcdoc' || break; sleep 0.02; done"
        let seen = variant.isFirst ? try Self.byHand(variant.id) : ""
        let script = "lxc-doctor --format json; echo SPLIT; \(gone)\n" + seen
        for options in Self.hosts {
            let ended = try Program.lab(options + ["--fault", variant.testDescription], script)
            if ended.messages.contains("makes no sense with") { continue }
            if variant.id == "bridge-vlan-filtering", ended.messages.contains("not supported") {
                // Without CONFIG_BRIDGE_VLAN_FILTERING; LiteralOnlyTests has the evidence of it.
                #expect(ended.output.isEmpty)
                return
            }
            let parts = ended.output.components(separatedBy: "SPLIT\n")
            try #require(parts.count == 2, "\(ended.output) \(ended.messages)")
            let report = try JSONDecoder().decode(Report.self, from: Data(parts[0].utf8))
            let found = Set(report.causes.map(\.id))
            let wanted = Self.besides[variant.testDescription, default: []].union([variant.id])
            #expect(found == wanted, "\(found) \(ended.messages)")
            let cause = report.causes.first { $0.id == variant.id }
            #expect(cause?.evidence.isEmpty == false)
            #expect(cause?.evidence.allSatisfy { !$0.command.isEmpty && !$0.source.isEmpty } == true)
            for command in report.causes.flatMap({ $0.remedy?.commands ?? [] }) {
                let words = Set(command.components(separatedBy: CharacterSet.alphanumerics.inverted))
                #expect(words.isDisjoint(with: Self.placeholders), "\(command)")
                #expect(!command.contains("{{"), "\(command)")
            }
            if variant.isFirst { Self.compare(parts[1], with: variant.id) }
            TestResults.note(.reproduced, [variant.id])
            return
        }
        Issue.record("no practice host can have \(variant)")
    }

    /// A word with `!` must not be seen.
    private static func compare(_ seen: String, with id: String) {
        guard let words = ByHand.shows[id] else {
            #expect(ByHand.showsElsewhere.contains(id), "nobody knows what is to be seen of \(id)")
            return
        }
        for word in words {
            if word.hasPrefix("!") {
                #expect(!seen.contains(word.dropFirst()), "\(id): \(word) in \(seen)")
            } else {
                #expect(seen.contains(word), "\(id): no \(word) in \(seen)")
            }
        }
    }

    private struct Explanation: Decodable {
        struct Section: Decodable {
            var heading: String
            var text: String
        }
        var sections: [Section]
    }

    /// The commands of `explain`, for the container that the fault made, without those that wait or name what only the
    /// reader knows.
    private static func byHand(_ id: String) throws -> String {
        let text = try Program.run(["explain", id, "--format", "json"]).output
        let explanation = try JSONDecoder().decode(Explanation.self, from: Data(text.utf8))
        let section = try #require(explanation.sections.first { $0.heading == "See it by hand" }, "\(id)")
        let commands = section.text.components(separatedBy: "\n").filter { command in
            let words = command.components(separatedBy: CharacterSet.alphanumerics.inverted)
            return !command.hasPrefix("timeout ") && !words.contains { ByHand.placeholders.contains($0) }
        }.map {
            $0.replacingOccurrences(of: "/web/", with: "/$container/")
                .replacingOccurrences(of: "-n web ", with: "-n $container ")
        }
        return """
            container=c1; for name in c2 stray; do [ -d /var/lib/lxc/$name ] && container=$name; done
            {

            """ + commands.joined(separator: "\n") + "\n} 2>&1"
    }
}
