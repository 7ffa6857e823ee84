internal import HostAccess
internal import HostModel

/// The additional instruments for an order that is sent a second time. One that cannot be opened is noted, not thrown: the
/// packets themselves are seen without it.
struct ProofInvestigator {
    private let host: any Host
    private let reasons: DropReasons?
    private let legacy: LegacyTrace?
    private let before: NetworkCounters?
    private var findings = ProbeFindings()

    /// Whether a traced packet is harmless: no legacy table writes lines about it to the kernel's log.
    let mayTrace: Bool

    init(_ investigation: ProbeInvestigation, of order: ProbeOrder, on host: any Host) {
        self.host = host
        var findings = ProbeFindings()
        func open<Instrument>(_ body: () throws(HostError) -> Instrument) -> Instrument? {
            do {
                return try body()
            } catch {
                findings.missing.append("\(error)")
                return nil
            }
        }
        reasons = open { () throws(HostError) in try DropReasons(nonce: order.nonce.bytes, host: host) }
        legacy =
            investigation.tracesLegacyTables
            ? open { () throws(HostError) in try LegacyTrace(order.family) } : nil
        before = open { () throws(HostError) in try NetworkCounters(host) }
        mayTrace = legacy != nil || !investigation.tracesLegacyTables
        self.findings = findings
    }

    /// What was seen since; the logger is put back.
    consuming func end(_ order: ProbeOrder) throws(HostError) -> ProbeFindings {
        findings.drops = reasons?.drops(of: order.packets) ?? []
        if let legacy {
            findings.legacySteps = try legacy.read()
            legacy.end()
        }
        if let before { findings.counters = before.growth(to: try NetworkCounters(host)) }
        return findings
    }
}
