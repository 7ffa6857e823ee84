package import HostModel

/// One JSON object per line, for log shippers: first the run, then what was found, last the verdict. The contract is
/// `reports/schema/ndjson.v1.schema.json`.
///
/// Shape: `{"schema": "lxc-doctor/ndjson/1", "record": "finding", "startedAt": …, "hostname": …, "finding": {…}}`; the
/// objects are those of the report.
package struct NDJSONFormat: ReportFormat {
    package static let name = FormatName.ndjson

    package init() {}

    package func render(_ report: Report, options: RenderingOptions) -> String {
        func line(_ kind: Record.Kind, _ fill: (inout Record) -> Void) -> String {
            var record = Record(record: kind, startedAt: report.startedAt, hostname: report.host.hostname)
            fill(&record)
            return JSONText.encodeLine(record)
        }
        var lines = [
            line(.run) {
                $0.tool = report.tool
                $0.host = report.host
                $0.profile = report.profile
            }
        ]
        lines += report.causes.map { cause in line(.cause) { $0.cause = cause } }
        lines += report.findings.map { finding in line(.finding) { $0.finding = finding } }
        lines += (report.proof?.probes ?? []).map { probe in
            line(.probe) {
                $0.probe = probe
                $0.mode = report.proof?.mode
            }
        }
        lines += (report.fixes?.steps ?? []).map { step in line(.step) { $0.step = step } }
        lines += (report.waivers ?? []).map { waiver in line(.waiver) { $0.waiver = waiver } }
        lines.append(
            line(.verdict) {
                $0.verdict = report.verdict
                $0.exitCode = report.exitCode
                $0.durationMilliseconds = report.durationMilliseconds
                $0.summary = report.summary
                $0.proofVerdict = report.proof?.verdict
                $0.fixOutcome = report.fixes?.outcome
            })
        return lines.joined()
    }

    private struct Record: Encodable {
        enum Kind: String, Encodable {
            case run, cause, finding, probe, step, waiver, verdict
        }

        var schema = "lxc-doctor/ndjson/1"
        var record: Kind
        var startedAt: String
        var hostname: String
        var tool: Report.Tool?
        var host: Report.HostDescription?
        var profile: Report.ProfileDescription?
        var cause: Cause?
        var finding: Finding?
        var mode: ProofMode?
        var probe: ProofProbe?
        var step: FixStep?
        var waiver: WaiverUse?
        var verdict: Health?
        var exitCode: Int32?
        var durationMilliseconds: Double?
        var summary: Report.Summary?
        var proofVerdict: ProofVerdict?
        var fixOutcome: FixOutcome?

        init(record: Kind, startedAt: String, hostname: String) {
            self.record = record
            self.startedAt = startedAt
            self.hostname = hostname
        }
    }
}
