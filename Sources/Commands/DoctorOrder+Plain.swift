internal import ArgumentParser
internal import HostModel
internal import Reporting

extension DoctorOrder {
    /// The order, where the command line has nothing but the options below, in the way they are mostly written; nil: the line is
    /// left to ArgumentParser, which also words what is wrong with it.
    ///
    /// ArgumentParser finds the options of a command by reflection. That costs as much as a third of all checks, and a
    /// monitoring system asks every minute. Both ways say the same: a test holds them against each other.
    static func plain(_ arguments: [String]) -> DoctorOrder? {
        var rest = arguments[...]
        if rest.first == DoctorCommand._commandName { rest.removeFirst() }
        var seen: [String] = []
        var (quiet, verbose, proof) = (false, false, ProofMode.fence)
        var profile: String?
        var formats: [OutputTarget<FormatName>] = []
        while let option = rest.popFirst() {
            // Twice is for ArgumentParser to judge.
            guard !seen.contains(option) else { return nil }
            seen.append(option)
            switch option {
            case "--quiet", "-q": quiet = true
            case "--verbose", "-v": verbose = true
            case "--proof":
                guard let mode = rest.popFirst().flatMap(ProofMode.init(rawValue:)) else { return nil }
                proof = mode
            case "--profile":
                guard let name = rest.popFirst(), !name.isEmpty, !name.hasPrefix("-") else { return nil }
                profile = name
            case "--format":
                guard let format = rest.popFirst().flatMap(FormatName.init(rawValue:)) else { return nil }
                formats = [OutputTarget(format: format, file: nil)]
            default: return nil
            }
        }
        // Every option has to be given a value where no command line gives it one.
        var (selection, output) = (SelectionOptions(), OutputOptions<ReportFormats>())
        (selection.only, selection.skip) = ([], [])
        (output.format, output.quiet, output.verbose) = (formats, quiet, verbose)
        var (redaction, evidence, consent) = (RedactionOptions(), EvidenceOptions(), ConsentOptions())
        redaction.redact = false
        evidence.evidence = nil
        (consent.yes, consent.confirmWithin) = (false, nil)
        return DoctorOrder(
            hostOptions: .live(profile: profile), selection: selection, output: output, redaction: redaction,
            evidence: evidence, proof: proof, autoRemediate: false, consent: consent)
    }
}
