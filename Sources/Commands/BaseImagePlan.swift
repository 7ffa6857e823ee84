internal import ArgumentParser
internal import Diagnosis
internal import HostAccess
internal import HostModel
internal import LinuxHost
internal import Remedies

/// What `fix plan` and `fix apply` can be told to do beside what the causes ask for.
enum FixTarget: String, CaseIterable, ExpressibleByArgument {
    /// The base image: long, and with no way back, so never part of another repair.
    case image
}

/// The plan of `fix apply image`.
enum BaseImagePlan {
    /// Throws `input` where the profile says nothing of where the image is to be had.
    static func make(_ session: Session, _ result: DiagnosisResult) throws(CommandError) -> Plan {
        let profile = session.chosen.profile
        guard let image = profile.image, let source = image.source else {
            throw CommandError(
                .input,
                "the profile \(profile.name) does not say where its base image is to be had: in a profile of your own "
                    + "(/etc/lxc-doctor/profile.yaml), give `image: { name: …, source: /PATH or https://…, sha256: … }`"
            )
        }
        if source.checksum.algorithm == .md5 { Output.message(weakSumWarning) }
        do throws(HostError) {
            let facts = try ImageFacts.read(from: session.host, profile: profile, image: image)
            var plan = imagePlan(
                for: session.chosen, image: image, source: source, facts: facts,
                isComplete: result.findings.contains {
                    $0.check == "host.base-image-complete" && $0.verdict == .pass
                })
            plan.hostname = session.identity.hostname
            return plan
        } catch {
            throw CommandError(.internalError, "what a plan needs could not be read: \(error.description)")
        }
    }
}

/// How far a long change has come, as a bar on the terminal; nothing of it ever reaches a pipe or a file.
struct ProgressBar: Sendable {
    private static let width = 24
    private let line: ProgressLine

    init(quiet: Bool) {
        line = ProgressLine(quiet: quiet)
    }

    func show(_ progress: ChangeProgress) {
        line.show(Self.text(progress))
    }

    /// `unpacking  [######------------------]  25 %  12 of 48 MiB`.
    static func text(_ progress: ChangeProgress) -> String {
        let done = progress.done >> 20
        guard let total = progress.total, total > 0 else { return "\(progress.activity.rawValue)  \(done) MiB" }
        let share = min(1, max(0, Double(progress.done) / Double(total)))
        let filled = Int(share * Double(width))
        let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: width - filled)
        return "\(progress.activity.rawValue)  [\(bar)] \(Int(share * 100)) %  \(done) of \(total >> 20) MiB"
    }
}
