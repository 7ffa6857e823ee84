internal import CheckCatalog
internal import HostAccess
internal import HostModel
internal import Probes

/// Asks probes, each question once.
struct Collector {
    /// Containers beyond this number are not looked at one by one.
    static let containerLimit = 4_096

    private let probes: [String: any Probe]
    private let nanoseconds: () -> UInt64
    private let begins: (ProbeRequest) -> Void
    private let interrupted: () -> Bool
    private var known: [ProbeRequest: ProbeOutcome] = [:]
    private(set) var outcomes: [ProbeOutcome] = []

    init(_ input: DiagnosisInput) {
        var probes: [String: any Probe] = [:]
        for probe in input.registry { probes[probe.specification.name] = probe }
        self.probes = probes
        nanoseconds = input.nanoseconds
        begins = input.begins
        interrupted = input.interrupted
    }

    mutating func outcome(of request: ProbeRequest, on host: any Host) -> ProbeOutcome {
        if let outcome = known[request] {
            // Asked before: it costs this finding nothing.
            return ProbeOutcome(request: request, result: outcome.result)
        }
        let start = nanoseconds()
        let result = observe(request, on: host)
        let end = nanoseconds()
        let outcome = ProbeOutcome(
            request: request, result: result, durationMilliseconds: Double(end > start ? end - start : 0) / 1_000_000)
        known[request] = outcome
        outcomes.append(outcome)
        return outcome
    }

    private func observe(_ request: ProbeRequest, on host: any Host) -> Result<Observation, ObservationFailure> {
        guard let probe = probes[request.probe] else {
            return .failure(.unknown("there is no probe \(request.probe)"))
        }
        if interrupted() { return .failure(.unknown("interrupted before it was looked at")) }
        begins(request)
        do {
            return .success(try probe.observe(ProbeParameters(request.parameters), on: host))
        } catch {
            return .failure(error)
        }
    }

    /// The request for the names of all containers.
    static func containersRequest(_ input: DiagnosisInput) -> ProbeRequest {
        ProbeRequest(
            probe: "containers", parameters: ["path": .string(input.profile.profile.lxcPath ?? "")])
    }

    /// The names of the containers in the outcome of that request, at most `containerLimit`.
    static func containers(in outcome: ProbeOutcome) -> Result<[String], ObservationFailure> {
        switch outcome.result {
        case .failure(let failure): return .failure(failure)
        case .success(let observation):
            guard case .strings(let names)? = observation.facts["names"] else {
                return .failure(.unknown("the probe containers gave no names"))
            }
            return .success(Array(names.prefix(containerLimit)))
        }
    }
}
