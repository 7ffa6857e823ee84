import Foundation
import TestSupport
import Testing

/// When more eyes are opened than the capture and the fence: only for a death that has no name.
@Suite("When a death is looked into", .serialized) struct ProofAutopsyTests {
    private struct Made {
        var order: [String: Any]
        /// Of the second sending; nil: there was none.
        var second: [String: Any]?
        var findings: [String: Any]?
    }

    private func prove(_ options: [String], _ setup: String) throws -> Made {
        let ended = try Program.lab(
            options, "{ \(setup); } >&2; lxc-doctor prove --quiet --record /tmp/r >/dev/null; cat /tmp/r")
        let recording = try #require(
            try JSONSerialization.jsonObject(with: Data(ended.output.utf8)) as? [String: Any], "\(ended.messages)")
        let transcript = try #require((recording["proofTranscripts"] as? [[String: Any]])?.first)
        let autopsy = transcript["autopsy"] as? [String: Any]
        return Made(
            order: try #require(transcript["order"] as? [String: Any]), second: autopsy?["order"] as? [String: Any],
            findings: (autopsy?["sightings"] as? [String: Any])?["findings"] as? [String: Any])
    }

    @Test(arguments: [
        ("nft", "true"), ("nft", "nft insert rule ip lxc postrouting accept"),
        ("nft", "iptables-nft -I FORWARD -j DROP"), ("iptables-legacy", "true"),
    ])
    func neitherALifeNorADeathWithAName(backend: String, setup: String) throws {
        let made = try prove(["--backend", backend], setup)
        #expect(made.second == nil)
        #expect(made.order["investigation"] == nil)
        // Legacy tables would write a line to the kernel's log for each rule.
        #expect(made.order["traces"] as? Bool == (backend == "nft"))
    }

    /// The kernel's drop reason, by the BPF program.
    @Test func aDeathWithoutARule() throws {
        let made = try prove([], "sysctl -qw net.ipv4.conf.lxcbr1.forwarding=0")
        let investigation = try #require(made.second?["investigation"] as? [String: Any])
        #expect(investigation["tracesLegacyTables"] as? Bool == false)
        let drops = try #require(made.findings?["drops"] as? [[String: Any]])
        #expect(drops.contains { $0["reason"] as? String == "IP_INADDRERRORS" }, "\(drops)")
        #expect((made.findings?["legacySteps"] as? [Any])?.isEmpty == true)
    }

    /// TRACE of iptables-legacy, only where such tables are.
    @Test func aDeathByARuleOfLegacyTables() throws {
        let made = try prove(["--backend", "iptables-legacy"], "iptables-legacy -I FORWARD -j DROP")
        #expect(made.order["traces"] as? Bool == false)
        let investigation = try #require(made.second?["investigation"] as? [String: Any])
        #expect(investigation["tracesLegacyTables"] as? Bool == true)
        #expect((made.findings?["legacySteps"] as? [Any])?.isEmpty == false)
    }
}
