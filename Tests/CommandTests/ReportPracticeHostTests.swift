import Foundation
import TestSupport
import Testing

/// Formats and waivers of a host that is really looked at.
@Suite(.serialized) struct ReportPracticeHostTests {
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// One run, every format at once: one verdict, one exit code.
    @Test func oneRunWritesEveryFormat() throws {
        let formats = ["json", "ndjson", "junit", "tap", "prometheus", "nagios", "markdown", "html"]
        let files = formats.map { "--format \($0)=/tmp/out.\($0)" }.joined(separator: " ")
        let ended = try Program.lab(
            ["--fault", "masq-missing", "--containers", "1"],
            "lxc-doctor \(files) --format terminal; echo \"exit $?\"; wc -c /tmp/out.*; head -1 /tmp/out.nagios; "
                + "grep -c '\"record\":\"finding\"' /tmp/out.ndjson; grep -c '<testcase ' /tmp/out.junit; "
                + "grep -c '^\\(not \\)\\?ok' /tmp/out.tap; grep cause_present /tmp/out.prometheus")
        #expect(ended.status == 0, "\(ended.messages)")
        #expect(ended.output.contains("ROOT CAUSE\n") && ended.output.contains("\nexit 2\n"))
        #expect(ended.output.contains("LXC CRITICAL - "))
        #expect(ended.output.contains("lxc_doctor_cause_present{cause=\"masq-missing\""))
        let counts = ended.output.split(separator: "\n").compactMap { Int($0) }
        #expect(counts.count == 3 && Set(counts).count == 1 && (counts.first ?? 0) > 30, "\(ended.output)")
    }

    private static func waivers(_ expires: String) -> String {
        "mkdir -p /etc/lxc-doctor; printf '%s\\n' 'waivers:' '  - id: masq-missing' '    subject: lxcbr1' "
            + "'    reason: a router in front translates' '    expires: \(expires)' > /etc/lxc-doctor/waivers.yaml; "
    }

    @Test func aWaivedCauseIsNotCountedAndNotRepaired() throws {
        let ended = try Program.lab(
            ["--fault", "masq-missing"],
            Self.waivers("2999-12-31")
                + "lxc-doctor; echo \"exit $?\"; lxc-doctor --auto-remediate --yes -q; echo \"repair $?\"; "
                + "nft list ruleset | grep -c masquerade")
        #expect(ended.output.contains("\nexit 0\n") && ended.output.contains("\nrepair 0\n"), "\(ended.output)")
        #expect(ended.output.contains("masq-missing (lxcbr1) is waived until 2999-12-31: a router in front"))
        #expect(!ended.output.contains("ROOT CAUSE"))
        #expect(ended.output.hasSuffix("\n0\n"), "it was repaired all the same")
    }

    @Test func anExpiredWaiverCountsAgainAndSaysSo() throws {
        let ended = try Program.lab(
            ["--fault", "masq-missing"], Self.waivers("2020-01-31") + "lxc-doctor; echo \"exit $?\"")
        #expect(ended.output.contains("\nexit 2\n"))
        #expect(ended.output.contains("\nEXPIRED  the waiver of masq-missing (lxcbr1) expired on 2020-01-31"))
        #expect(ended.output.contains("No rule translates") || ended.output.contains("masq-missing]"))
    }

    @Test func aWaiverFileThatOthersMayWriteIsRefused() throws {
        let ended = try Program.lab(
            [], Self.waivers("2999-12-31") + "chmod 666 /etc/lxc-doctor/waivers.yaml; lxc-doctor; echo \"exit $?\"")
        #expect(ended.output == "exit 65\n")
        #expect(ended.messages.contains("/etc/lxc-doctor/waivers.yaml: is refused"))
    }

    // MARK: Prometheus

    /// Sends files into a practice host that has Debian's prometheus, and runs promtool there.
    private func promtool(_ files: [String: String], _ script: String) throws -> Program.Ended {
        let input = files.sorted { $0.key < $1.key }.map { "#### \($0.key)\n\($0.value)" }.joined()
        let split = "mkdir /tmp/files && cd /tmp/files && awk '/^#### /{name=$2; next} {print > name}' && "
        return try Program.run(
            Program.path, ["lab", "run", "--layer", "prometheus", "--", "sh", "-c", split + script], input: input)
    }

    private static func examples() throws -> [String: String] {
        let folder = root.appendingPathComponent("reports/examples")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter {
            $0.hasSuffix(".prometheus")
        }
        return try names.reduce(into: [:]) { files, name in
            files[name] = String(decoding: try Data(contentsOf: folder.appendingPathComponent(name)), as: UTF8.self)
        }
    }

    @Test func promtoolFindsNothingToSayOfTheMetrics() throws {
        let files = try Self.examples()
        #expect(files.count >= 10)
        let ended = try promtool(
            files,
            "for file in *; do promtool check metrics < $file || { echo \"bad $file\"; exit 1; }; done; ls | wc -l")
        #expect(ended.status == 0 && ended.output == "\(files.count)\n", "\(ended.output)\(ended.messages)")
    }

    @Test func promtoolSeesWhatIsWrong() throws {
        let text = "# HELP x_total A total that is none.\n# TYPE x_total gauge\nx_total 1\n"
        #expect(try promtool(["bad": text], "promtool check metrics < bad").status == 3)
    }

    @Test func theAlertRulesDoWhatTheirTestsSay() throws {
        let folder = Self.root.appendingPathComponent("reports/prometheus")
        let files = try ["alerts.yaml", "alerts.test.yaml"].reduce(into: [String: String]()) { files, name in
            files[name] = String(decoding: try Data(contentsOf: folder.appendingPathComponent(name)), as: UTF8.self)
        }
        let ended = try promtool(
            files, "promtool check rules --lint-fatal alerts.yaml && promtool test rules alerts.test.yaml")
        #expect(ended.status == 0 && ended.output.contains("SUCCESS"), "\(ended.output)\(ended.messages)")
    }

    /// Every metric that rules and dashboard ask for is one that we write.
    @Test(arguments: ["prometheus/alerts.yaml", "grafana/lxc-doctor.json"])
    func onlyMetricsThatExistAreAskedFor(file: String) throws {
        let text = String(
            decoding: try Data(contentsOf: Self.root.appendingPathComponent("reports/\(file)")), as: UTF8.self)
        let written = try Self.examples().values.joined()
        let names = Set(text.matches(of: /lxc_doctor_[a-z_]+/).map { String($0.output) })
        #expect(names.count > 4)
        for name in names { #expect(written.contains("# TYPE \(name) gauge\n"), "\(name)") }
    }
}
