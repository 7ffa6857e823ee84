import TestSupport
import Testing

/// Progress on a terminal, and Ctrl-C.
@Suite(.serialized) struct ReportProgressTests {
    /// `script` gives the program a terminal of its own.
    @Test func progressIsShownOnATerminalOnly() throws {
        let ended = try Program.lab(
            [],
            "NO_COLOR=1 script -qec 'lxc-doctor' /dev/null; lxc-doctor 2>&1 >/dev/null | wc -c; lxc-doctor 2>&1 | grep -c '\u{1b}'"
        )
        #expect(ended.output.contains("\r\u{1b}[K0.0 s  packet proof"), "\(ended.output.prefix(300))")
        #expect(ended.output.contains(" s  looking: source-translation"))
        #expect(ended.output.hasSuffix("0\n0\n"))
        // What is left on the line is gone before the report begins.
        let report = try #require(ended.output.firstRange(of: "lxc-doctor 0."))
        #expect(ended.output[..<report.lowerBound].hasSuffix("\r\u{1b}[K"))
        #expect(!ended.output[report.lowerBound...].contains("looking:"))
    }

    @Test func quietShowsNoProgress() throws {
        let ended = try Program.lab([], "script -qec 'lxc-doctor --quiet' /dev/null")
        #expect(ended.output.isEmpty)
    }

    /// The probe that asks for LXC's version runs a program; here it presses Ctrl-C, in the middle of the run.
    private static let pressing =
        "rm /usr/bin/lxc-start; printf '%s\\n' '#!/bin/sh' 'kill -INT $PPID' 'echo 5.0.2' "
        + "> /usr/local/bin/lxc-start; chmod 755 /usr/local/bin/lxc-start; "

    @Test func controlCShowsWhatIsKnownAndLeavesTheHostClean() throws {
        // The kernel takes a proof's ports away, and a bridge's carrier with them, a moment after the proof has ended.
        let state = "sleep 0.5; nft -s list ruleset; ls /sys/class/net /run/netns"
        let ended = try Program.lab(
            [],
            Self.pressing + "{ \(state); } > /tmp/before 2>&1; lxc-doctor; echo \"exit $?\"; "
                + "{ \(state); } > /tmp/after 2>&1; cmp /tmp/before /tmp/after && echo clean")
        #expect(ended.output.contains("interrupted before it was looked at"), "\(ended.output)\(ended.messages)")
        #expect(ended.output.contains("\nOK "))
        // Not a line for each of a hundred checks, and none about a container without a name.
        #expect(ended.output.split(separator: "\n").count { $0.hasPrefix("    - ") } <= 20, "\(ended.output)")
        #expect(!ended.output.contains("*'s") && !ended.output.contains(" ()"))
        #expect(ended.output.contains("\nexit 3\nclean\n"))
    }

    /// A repair that was consented to does not begin after Ctrl-C.
    @Test func afterControlCNothingIsRepaired() throws {
        let ended = try Program.lab(
            ["--fault", "masq-missing"],
            Self.pressing + "lxc-doctor --auto-remediate --yes > /dev/null 2>&1; echo \"exit $?\"; "
                + "nft list ruleset | grep -c masquerade")
        #expect(ended.output == "exit 2\n0\n")
    }
}
