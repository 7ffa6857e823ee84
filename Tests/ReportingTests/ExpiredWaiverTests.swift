import HostModel
import Testing

@testable import Reporting

/// An expired waiver on a host on which everything else holds: every format says so, none calls it good.
struct ExpiredWaiverTests {
    private static let waiver = WaiverUse(
        id: "masq-missing", reason: "the lab is rebuilt", expires: "2024-05-01", state: .expired)

    private static func report(_ state: WaiverUse.State) -> Report {
        let healthy = Report.healthy
        var waiver = waiver
        waiver.state = state
        return Report(
            startedAt: healthy.startedAt, durationMilliseconds: healthy.durationMilliseconds, tool: healthy.tool,
            host: healthy.host, profile: healthy.profile, causes: [], findings: healthy.findings, proof: healthy.proof,
            waivers: [waiver])
    }

    @Test func anExpiredWaiverIsAWarning() {
        #expect(Self.report(.expired).verdict == .warning && Self.report(.expired).exitCode == 1)
        #expect(Self.report(.active).exitCode == 0 && Self.report(.unused).exitCode == 0)
        // It makes nothing milder.
        #expect(Health(of: [.masquerade(.fail)], waivers: [Self.waiver]) == .critical)
        #expect(Health(of: [.masquerade(.unknown)], waivers: [Self.waiver]) == .warning)
    }

    static let words: [(FormatName, String)] = [
        (.terminal, "lxc-doctor 0.1.0: WARNING"), (.json, "\"exitCode\" : 1"), (.ndjson, "\"exitCode\":1"),
        (.junit, "<failure message=\"the waiver of masq-missing expired"),
        (.tap, "\nnot ok 11 - the waiver of masq-missing"),
        (.prometheus, "lxc_doctor_exit_code 1\n"), (.nagios, "LXC WARNING - a waiver expired: "),
        (.markdown, "# lxc-doctor: warning"), (.html, "A waiver has expired."),
    ]

    @Test(arguments: words)
    func everyFormatShowsTheExpiredWaiver(format: FormatName, words: String) {
        let text = render(Self.report(.expired), as: format)
        #expect(text.contains(words), "\(text.prefix(600))")
        #expect(!render(Self.report(.active), as: format).contains(words))
        #expect(Set(Self.words.map(\.0)) == Set(FormatName.allCases))
    }

    @Test func theTerminalAdvisesOnAnExpiredWaiver() {
        let text = render(Self.report(.expired), as: .terminal)
        #expect(text.contains("EXPIRED  the waiver of masq-missing"))
        #expect(text.contains("Next:  sudo editor /etc/lxc-doctor/waivers.yaml") && !text.contains("Nothing to do."))
    }
}
