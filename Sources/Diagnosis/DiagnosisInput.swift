package import CheckCatalog
package import HostAccess
package import HostModel
package import Probes

/// Everything that a diagnosis is made from.
package struct DiagnosisInput {
    package var checks: [Check]
    package var causes: [CauseEntry]
    package var registry: [any Probe]
    package var profile: ChosenProfile
    /// For findings about the host itself.
    package var hostname: String
    /// Only these checks, and those that they need. Nil: all.
    package var only: Set<String>?
    /// Not these; a check that needs one of them is judged without it.
    package var skip: Set<String>
    /// A monotonic clock.
    package var nanoseconds: () -> UInt64
    /// Told of every request before it is made.
    package var begins: (ProbeRequest) -> Void = { _ in }
    /// Whether the user wants to see what is known by now: nothing more is looked at then.
    package var interrupted: () -> Bool = { false }
    /// Set where the packet proof is older than a change of the host.
    package var outdatedProof: OutdatedProof?

    package init(
        checks: [Check], causes: [CauseEntry], registry: [any Probe], profile: ChosenProfile, hostname: String,
        only: Set<String>? = nil, skip: Set<String> = [], nanoseconds: @escaping () -> UInt64
    ) {
        self.checks = checks
        self.causes = causes
        self.registry = registry
        self.profile = profile
        self.hostname = hostname
        self.only = only
        self.skip = skip
        self.nanoseconds = nanoseconds
    }
}

/// What came of one request.
package struct ProbeOutcome: Sendable, Hashable {
    package var request: ProbeRequest
    package var result: Result<Observation, ObservationFailure>
    package var durationMilliseconds: Double

    package init(
        request: ProbeRequest, result: Result<Observation, ObservationFailure>, durationMilliseconds: Double = 0
    ) {
        self.request = request
        self.result = result
        self.durationMilliseconds = durationMilliseconds
    }
}

package struct DiagnosisResult: Sendable {
    /// In the order in which they were judged: a check comes after those that it needs.
    package var findings: [Finding]
    /// Root causes only, most severe first.
    package var causes: [Cause]
    /// Every request that was made, once, in order.
    package var observations: [ProbeOutcome]
}

/// Looks at the host, judges what it saw, and finds root causes. Never throws: what could not be seen is `unknown`.
package func diagnose(_ input: DiagnosisInput, on host: any Host) -> DiagnosisResult {
    let plan = DiagnosisPlan(input)
    var collector = Collector(input)
    let judged = Judge(plan: plan, input: input).judge { request in collector.outcome(of: request, on: host) }
    return DiagnosisResult(
        findings: judged.map(\.finding), causes: rootCauses(of: judged, entries: input.causes),
        observations: collector.outcomes)
}
