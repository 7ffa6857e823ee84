import HostModel
import Testing

@testable import Reporting

/// A remedy that was asked for and leaves the cause to a person says so, and is not offered again.
@Suite struct LeftToPersonTests {
    private func report(_ left: String?) throws -> Report {
        var report = Report.masqueradeMissing
        let index = try #require(report.causes.indices.first { report.causes[$0].remedy?.automatic == true })
        report.causes[index].remedy?.automatic = left == nil
        report.causes[index].remedy?.left = left
        return report
    }

    @Test(arguments: [FormatName.terminal, .markdown, .html, .json])
    func isSaidWithTheReason(format: FormatName) throws {
        let reason = "the rules may be meant"
        #expect(render(try report(reason), as: format).contains(reason))
        #expect(!render(try report(nil), as: format).contains(reason))
    }

    @Test func theNextStepIsThePlan() throws {
        let asked = render(try report("it may be meant"), as: .terminal)
        #expect(asked.contains("Next:  lxc-doctor fix plan\n") && !asked.contains("--auto-remediate"), "\(asked)")
        #expect(render(try report(nil), as: .terminal).contains("Next:  lxc-doctor --auto-remediate\n"))
    }
}
