package import HostModel

/// Metrics for the textfile collector of node_exporter, or any scraper of the text format 0.0.4.
///
/// Gauges only, in base units, with labels whose values are bounded by the catalog and by what is on the host. What is
/// not so any more is simply not there: outcomes are never counted up. Source: Prometheus, "Exposition formats" and
/// "Metric and label naming".
package struct PrometheusFormat: ReportFormat {
    package static let name = FormatName.prometheus

    package init() {}

    package func render(_ report: Report, options: RenderingOptions) -> String { page(report).text }

    func page(_ report: Report) -> MetricsPage {
        var page = MetricsPage()
        page.gauge(
            "lxc_doctor_build_info", "The version of lxc-doctor that looked.",
            [([("version", report.tool.version), ("profile", report.profile.name)], 1)])
        page.gauge(
            "lxc_doctor_last_run_timestamp_seconds", "When the last run began, in seconds since 1970.",
            RFC3339.secondsSince1970(report.startedAt).map { [([], Double($0))] } ?? [])
        page.gauge(
            "lxc_doctor_run_duration_seconds", "How long the last run took.",
            [([], report.durationMilliseconds / 1000)])
        page.gauge(
            "lxc_doctor_exit_code", "The exit code of the last run: 0 healthy, 1 warning, 2 critical, 3 unknown.",
            [([], Double(report.exitCode))])
        write(report.findings, report.summary, to: &page)
        page.gauge(
            "lxc_doctor_cause_present", "1 for a root cause that is present now.",
            report.causes.map { cause in
                (
                    [("cause", cause.id), ("area", cause.area.rawValue), ("severity", cause.severity.rawValue)]
                        + Self.labels(cause.subject), 1
                )
            })
        write(report.proof, to: &page)
        page.gauge(
            "lxc_doctor_fix_outcome", "1 for how the repair of the last run ended.",
            report.fixes.map { [([("outcome", $0.outcome.rawValue)], 1)] } ?? [])
        write(report.waivers ?? [], to: &page)
        return page
    }

    private func write(_ findings: [Finding], _ summary: Report.Summary, to page: inout MetricsPage) {
        page.gauge(
            "lxc_doctor_checks", "How many checks have this verdict now.",
            [
                ("pass", summary.pass), ("fail", summary.fail), ("unknown", summary.unknown),
                ("blocked", summary.blocked), ("notApplicable", summary.notApplicable), ("waived", summary.waived),
            ].map { ([("verdict", $0.0)], Double($0.1)) })
        page.gauge(
            "lxc_doctor_check_verdict", "1 for the verdict that a check has now.",
            findings.map { finding in
                (
                    [("check", finding.check)] + Self.labels(finding.subject) + [
                        ("severity", finding.severity.rawValue), ("verdict", finding.verdict.rawValue),
                    ], 1
                )
            })
    }

    private func write(_ waivers: [WaiverUse], to page: inout MetricsPage) {
        page.gauge(
            "lxc_doctor_waiver_state", "1 for the state that a waiver has now.",
            waivers.map {
                ([("id", $0.id), ("subject", $0.subject ?? ""), ("state", $0.state.rawValue)], 1)
            })
        page.gauge(
            "lxc_doctor_waiver_expiry_timestamp_seconds", "When a waiver ends, in seconds since 1970.",
            waivers.compactMap { waiver in
                RFC3339.secondsSince1970("\(waiver.expires)T23:59:59Z").map {
                    ([("id", waiver.id), ("subject", waiver.subject ?? "")], Double($0))
                }
            })
    }

    /// The worst probe of each network, container, protocol and family; a family that is not named is IPv4.
    private func write(_ proof: ProofReport?, to page: inout MetricsPage) {
        var worst: [[String]: ProofProbe] = [:]
        for var probe in proof?.probes ?? [] {
            // What died before the last change may get through by now: nobody is to be woken for that.
            if proof?.isOutdated == true { probe.verdict = max(probe.verdict, .unknown) }
            let key = [probe.network, probe.container ?? "", probe.protocol.rawValue, probe.family.rawValue]
            if let known = worst[key], known.verdict <= probe.verdict { continue }
            worst[key] = probe
        }
        page.gauge(
            "lxc_doctor_proof_verdict", "1 for the verdict that the packet proof has now, by sender and protocol.",
            worst.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { key, probe in
                (
                    [
                        ("network", key[0]), ("container", key[1]), ("protocol", key[2]),
                        ("verdict", probe.verdict.rawValue),
                    ] + (probe.family == .ipv6 ? [("family", key[3])] : []), 1
                )
            })
        page.gauge(
            "lxc_doctor_proof_duration_seconds", "How long the packet proof took.",
            proof?.durationMilliseconds.map { [([], $0 / 1000)] } ?? [])
    }

    private static func labels(_ subject: Subject) -> [(String, String)] {
        [("subject_kind", subject.kind.rawValue), ("subject", subject.name)]
    }
}

/// Families of samples; label values are escaped here, so no caller can forget it.
struct MetricsPage {
    private(set) var text = ""

    /// A family without samples is left out. Samples whose labels were there already are dropped: a scraper would refuse
    /// the whole page for one of them.
    mutating func gauge(_ name: String, _ help: String, _ samples: [([(String, String)], Double)]) {
        if samples.isEmpty { return }
        text += "# HELP \(name) \(help)\n# TYPE \(name) gauge\n"
        var seen: Set<String> = []
        for (labels, value) in samples {
            let list = labels.map { "\($0.0)=\"\(Escape.prometheusLabel($0.1))\"" }.joined(separator: ",")
            guard seen.insert(list).inserted else { continue }
            text += "\(name)\(list.isEmpty ? "" : "{\(list)}") \(Decimal.text(value))\n"
        }
    }
}
