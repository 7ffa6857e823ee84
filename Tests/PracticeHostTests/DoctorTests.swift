import Foundation
import HostModel
import TestSupport
import Testing

/// The doctor as an operator uses it, on practice hosts.
@Suite(.serialized) struct DoctorTests {
    private static let validator = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Tools/validate-schema").path
    private static let schemas = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("reports/schema").path

    private func report(_ json: String) throws -> Report {
        try JSONDecoder().decode(Report.self, from: Data(json.utf8))
    }

    /// Writes a document where an outside validator reads it, and lets that judge.
    private func validate(_ json: String, schema: String) throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).json")
        try Data(json.utf8).write(to: file)
        defer {
            do { try FileManager.default.removeItem(at: file) } catch { Issue.record(error) }
        }
        let ended = try Program.run(Self.validator, ["\(Self.schemas)/\(schema)", file.path])
        #expect(ended.status == 0, "\(ended.output)\(ended.messages)")
    }

    @Test(arguments: ["nft", "iptables-nft", "iptables-legacy"], ["makina", "lxc-net"])
    func aHealthyHostIsHealthy(backend: String, profile: String) throws {
        let ended = try Program.lab(
            ["--backend", backend, "--profile", profile], "lxc-doctor --format json; echo $? >&2")
        let report = try report(ended.output)
        let wrong = report.findings.filter { $0.verdict != .pass && $0.verdict != .notApplicable }
        #expect(wrong.isEmpty, "\(wrong.map { "\($0.check) \($0.verdict) \($0.reason ?? "") \($0.observed ?? "")" })")
        #expect(report.causes.isEmpty)
        #expect(report.verdict == .healthy)
        #expect(ended.messages.hasSuffix("0\n"))
        #expect(report.profile.name == profile)
        #expect(report.proof?.verdict == .masqueraded)
        #expect(report.proof?.probes.allSatisfy { $0.sourceAfter?.hasPrefix("203.0.113.2") == true } == true)
        try validate(ended.output, schema: "report.v1.schema.json")
    }

    @Test func aBrokenHostsReportKeepsTheContract() throws {
        let ended = try Program.lab(
            ["--fault", "masq-missing", "--fault", "ip-forward-off"],
            "lxc-doctor --format json=/tmp/report; lxc-doctor --auto-remediate --yes --format json=/tmp/after 2>/dev/null;"
                + " cat /tmp/report; echo; echo SPLIT; cat /tmp/after; stat -c %a /tmp/report >&2")
        let documents = ended.output.components(separatedBy: "SPLIT")
        try #require(documents.count == 2)
        for document in documents { try validate(document, schema: "report.v1.schema.json") }
        #expect(Set(try report(documents[0]).causes.map(\.id)) == ["masq-missing", "ip-forward-off"])
        #expect(try report(documents[1]).fixes?.outcome == .applied)
        #expect(ended.messages.hasSuffix("600\n"))
    }

    @Test func whatIsRecordedIsJudgedTheSameElsewhere() throws {
        let ended = try Program.lab(
            ["--fault", "masq-missing", "--containers", "1"],
            "lxc-doctor --record /tmp/recording --format json; echo SPLIT; cat /tmp/recording")
        let documents = ended.output.components(separatedBy: "SPLIT")
        try #require(documents.count == 2)
        try validate(documents[1], schema: "recording.v1.schema.json")
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).json")
        try Data(documents[1].utf8).write(to: file)
        defer {
            do { try FileManager.default.removeItem(at: file) } catch { Issue.record(error) }
        }
        // On this machine, which has no such bridge: everything comes from the recording.
        let replayed = try Program.run(["--replay", file.path, "--format", "json"])
        let (then, now) = (try report(documents[0]), try report(replayed.output))
        func still(_ findings: [Finding]) -> [Finding] {
            findings.map {
                var finding = $0
                finding.durationMilliseconds = 0
                return finding
            }
        }
        #expect(still(then.findings) == still(now.findings))
        #expect(then.causes == now.causes)
        // How long it took is not part of what was judged.
        var (proofThen, proofNow) = (then.proof, now.proof)
        proofThen?.durationMilliseconds = nil
        proofNow?.durationMilliseconds = nil
        #expect(proofThen == proofNow)
        #expect(then.profile == now.profile)
        #expect(replayed.status == 2)
    }

    @Test func aKernelWithoutNftablesIsNotAPass() throws {
        let ended = try Program.lab([], "lxc-doctor --quiet --record /tmp/recording; cat /tmp/recording")
        // The answer that a kernel without nf_tables gives to every nfnetlink question (EOPNOTSUPP).
        var recording = try #require(
            try JSONSerialization.jsonObject(with: Data(ended.output.utf8)) as? [String: Any])
        var transcript = try #require(recording["transcript"] as? [[String: Any]])
        var refused = 0
        for (position, entry) in transcript.enumerated() {
            let request = try #require(entry["request"] as? [String: Any])
            let query = (request["netlink"] as? [String: Any])?["_0"] as? [String: Any]
            guard query?["family"] as? String == "netfilter" else { continue }
            refused += 1
            transcript[position]["reply"] = nil
            transcript[position]["error"] = [
                "code": "unsupported", "operation": "nfnetlink", "message": "the kernel has no nf_tables",
            ]
        }
        try #require(refused > 0)
        recording["transcript"] = transcript
        recording["proofTranscripts"] = nil
        recording["proof"] = nil
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).json")
        try JSONSerialization.data(withJSONObject: recording).write(to: file)
        defer {
            do { try FileManager.default.removeItem(at: file) } catch { Issue.record(error) }
        }
        let replayed = try Program.run(["--replay", file.path, "--format", "json"])
        let finding = try #require(try report(replayed.output).findings.first { $0.check == "nat.masquerade" })
        // Nothing translates then, unless iptables-legacy does: missing or unknown, never a pass.
        #expect(finding.verdict != .pass)
        #expect(replayed.status == 2 || replayed.status == 3)
    }

    @Test func withoutPrivilegeNothingIsClaimed() throws {
        let unprivileged = "setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all "
        let ended = try Program.lab(
            [],
            unprivileged + "lxc-doctor --format json; echo \"doctor $?\" >&2; "
                + unprivileged + "lxc-doctor --auto-remediate --yes; echo \"fix $?\" >&2; "
                + unprivileged + "lxc-doctor fix apply --yes; echo \"apply $?\" >&2; "
                + unprivileged + "lxc-doctor prove --format json >/tmp/proof; echo \"prove $?\" >&2;"
                + unprivileged + "lxc-doctor lab run -- true; echo \"lab $?\" >&2")
        let report = try report(ended.output)
        #expect(report.proof?.verdict == .unknown)
        #expect(report.proof?.probes.first?.reason?.contains("CAP_") == true)
        #expect(report.findings.first { $0.check == "nat.masquerade" }?.verdict == .unknown)
        #expect(report.findings.first { $0.check == "bridge.exists" }?.verdict == .pass)
        for line in ["doctor 3", "fix 77", "apply 77", "prove 3", "lab 77"] {
            #expect(ended.messages.contains(line + "\n"), "\(line) is not in \(ended.messages)")
        }
    }

    @Test func theDoctorChangesNothing() throws {
        let state =
            "{ ip addr; ip route show table all; nft list ruleset; sysctl -a --pattern '^net'; ip link; "
            + "find /etc /var/lib /run -newer /tmp/start -not -path '*/netns*' 2>/dev/null; } "
            + "| grep -vE 'valid_lft|counter|nf_conntrack_(count|buckets)|random|usage|uuid|fe80'"
        let ended = try Program.lab(
            ["--containers", "1"],
            "touch /tmp/start; \(state) >/tmp/before; lxc-doctor --quiet; lxc-doctor prove --quiet; sleep 0.2;"
                + " \(state) >/tmp/after; diff /tmp/before /tmp/after && echo SAME")
        #expect(ended.output.hasSuffix("SAME\n"), "\(ended.output)")
    }

    @Test func consentIsAskedFor() throws {
        let ended = try Program.lab(
            ["--fault", "ip-forward-off"],
            "lxc-doctor --auto-remediate </dev/null; echo \"status $?\"; cat /proc/sys/net/ipv4/ip_forward")
        #expect(ended.output.hasSuffix("status 64\n0\n"), "\(ended.output)")
        #expect(ended.messages.contains("--yes"))
        #expect(ended.messages.contains("ip_forward"), "the plan is shown before anything happens")
    }

    @Test func aHostThatSpeaksForNoProfileIsNotRepaired() throws {
        // No bridge, no lxc-net, no container: nothing says that this host is meant to be a makina host.
        let wipe =
            "ip link del lxcbr1; nft flush ruleset; find / -xdev -name 'lxc-net*' -delete;"
            + " rm -rf /etc/default/lxc /run/lxc /var/lib/lxc/*; "
        let ended = try Program.lab(
            [], wipe + "lxc-doctor --auto-remediate --yes --format json; echo $? >&2; ip -br link show lxcbr1 >&2")
        let report = try report(ended.output)
        #expect(report.fixes?.outcome == .refused)
        #expect(report.fixes?.reason?.contains("--profile") == true)
        #expect(ended.messages.contains("2\n"))
        #expect(ended.messages.contains("does not exist"))
    }
}
