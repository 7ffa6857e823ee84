package import HostModel

/// The metrics of a report, and of the watch that made it.
package func renderMetrics(_ report: Report, watch status: WatchStatus) -> String {
    var page = PrometheusFormat().page(report)
    page.gauge("lxc_doctor_watch_up", "Whether a watch keeps these metrics up to date.", [([], 1)])
    page.gauge(
        "lxc_doctor_watch_start_timestamp_seconds", "When the watch began, in seconds since 1970.",
        RFC3339.secondsSince1970(status.startedAt).map { [([], Double($0))] } ?? [])
    page.gauge(
        "lxc_doctor_watch_poll_interval_seconds",
        "How often a part of the host that tells of no change is looked at, where it exists.",
        status.polled.map { ([("part", $0.part)], Double($0.everySeconds)) })
    page.gauge(
        "lxc_doctor_watch_unwatched_files", "Files whose changes the watch is not told of.",
        [([], Double(status.unwatchedFiles))])
    page.gauge(
        "lxc_doctor_proof_timestamp_seconds", "When the last packet proof began, in seconds since 1970.",
        status.proof?.provedAt.flatMap(RFC3339.secondsSince1970).map { [([], Double($0))] } ?? [])
    page.gauge(
        "lxc_doctor_proof_due", "Whether something changed since the last packet proof, which will be made again.",
        status.proof.map { [([], $0.isDue ? 1 : 0)] } ?? [])
    page.gauge(
        "lxc_doctor_watch_left_alone", "1 for a root cause that the watch may not or will not repair.",
        (status.repairs?.leftAlone ?? []).map { left in
            ([("cause", left.cause), ("subject_kind", left.subject.kind.rawValue), ("subject", left.subject.name)], 1)
        })
    return page.text
}

/// What remains in a metrics file when its watch has ended: that it has, and nothing that might not be so any more.
package func renderMetricsOfEnd(_ status: WatchStatus) -> String {
    var page = MetricsPage()
    page.gauge(
        "lxc_doctor_build_info", "The version of lxc-doctor that looked.",
        [([("version", status.tool.version), ("profile", status.profile)], 1)])
    page.gauge("lxc_doctor_watch_up", "Whether a watch keeps these metrics up to date.", [([], 0)])
    return page.text
}
