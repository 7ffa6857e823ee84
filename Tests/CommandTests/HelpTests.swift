import TestSupport
import Testing

/// `--help` offers what a command takes, and nothing else.
@Suite struct HelpTests {
    @Test(arguments: [
        (["doctor"], "terminal, json, ndjson, junit, tap, prometheus, nagios, markdown, html", true),
        (["report", "convert", "x"], "terminal, json, ndjson, junit, tap, prometheus, nagios, markdown, html", true),
        (["fix", "apply"], "terminal, json, ndjson, junit, tap, prometheus, nagios, markdown, html", true),
        (["fix", "recheck"], "terminal, json, ndjson, junit, tap, prometheus, nagios, markdown, html", true),
        (["prove"], "terminal, json, markdown, html", false), (["verify"], "terminal, json", false),
        (["list", "checks"], "terminal, json", false), (["explain", "masq-missing"], "terminal, json", false),
        (["fix", "undo"], "terminal, json", false), (["fix", "history"], "terminal, json", false),
        (["report", "diff", "x", "y"], "terminal, json", true),
    ])
    func formats(command: [String], formats: String, saysMore: Bool) throws {
        let help = try Program.run(command + ["--help"])
        let words = help.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(help.status == 0 && words.contains("into =FILE: \(formats). Repeatable."), "\(help.output)")
        #expect(words.contains("--verbose") == saysMore)
    }

    @Test(arguments: [
        ["doctor"], ["prove"], ["verify"], ["fix", "apply"], ["fix", "recheck"], ["report", "convert"],
        ["report", "diff"],
    ])
    func whatShowsAddressesCanHideThem(command: [String]) throws {
        #expect(try Program.run(command + ["--help"]).output.contains("--redact"))
    }

    @Test(arguments: [["list"], ["explain"], ["fix", "plan"], ["fix", "history"]])
    func whatShowsNoneDoesNotOfferTo(command: [String]) throws {
        #expect(try !Program.run(command + ["--help"]).output.contains("--redact"))
    }
}
