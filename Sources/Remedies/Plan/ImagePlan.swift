package import HostAccess
package import HostModel

/// What a plan to restore the profile's base image needs to know of a host.
package struct ImageFacts: Codable, Sendable, Hashable {
    /// The directory of containers.
    package var directory: String
    package var target: PathState
    package var freeBytes: Int
    package var hostname: String

    package init(directory: String, target: PathState, freeBytes: Int, hostname: String) {
        self.directory = directory
        self.target = target
        self.freeBytes = freeBytes
        self.hostname = hostname
    }

    package static func read(from host: any Host, profile: Profile, image: BaseImage) throws(HostError) -> ImageFacts {
        let directory = try PlanFacts.containerPath(host, profile)
        return ImageFacts(
            directory: directory, target: try HostState.readPath("\(directory)/\(image.name)", host),
            freeBytes: try host.space(directory).freeBytes, hostname: try host.identity().hostname)
    }
}

/// The plan of `fix apply image`. Pure. `isComplete`: what the check of the image says where it is there.
package func imagePlan(
    for chosen: ChosenProfile, image: BaseImage, source: ImageSource, facts: ImageFacts, isComplete: Bool
) -> Plan {
    let profile = chosen.profile
    let order = ImageRestoration(
        name: image.name, directory: facts.directory, source: source,
        bridge: profile.networks.first?.bridge ?? "", hostname: facts.hostname,
        maximumBytes: image.maximumBytes ?? 32 << 30)
    let change = Change.restoreImage(order)
    let wording = ChangeWording(change)
    let cause = Cause(
        id: "base-image-missing", area: .host, subject: Subject(kind: .host, name: facts.hostname), severity: .warning,
        title: "", explanation: "", check: "host.base-image-complete", evidence: [])
    var refusal: String?
    if facts.target == .absent {
        if facts.freeBytes < profile.minimumFreeBytes {
            refusal =
                "\(facts.directory) has \(megabytes(facts.freeBytes)) free, and the profile wants "
                + "\(megabytes(profile.minimumFreeBytes)) for an image (minimumFreeBytes)"
        }
    } else if facts.target != .directory {
        refusal = "\(order.path) is no directory"
    } else if !isComplete {
        let aside = Shell.quote("\(facts.directory)/.\(image.name).incomplete")
        refusal =
            "\(order.path) is there and incomplete, and what somebody may still need is not removed: "
            + "mv -T \(Shell.quote(order.path)) \(aside)"
    }
    let step = FixStep(
        id: "base-image.1", remedy: "base-image", subject: cause.subject, target: wording.target,
        before: wording.before, after: wording.after, reversal: "none", risk: risk(order, profile),
        command: wording.command)
    let planned = PlannedChange(
        step: step, change: change, undo: [], phase: .persistent, serves: [ServedCause(cause)])
    return Plan(
        profile: profile.name, refusal: refusal, causes: [ServedCause(cause)], changes: [planned], byHand: [])
}

private func risk(_ order: ImageRestoration, _ profile: Profile) -> String {
    var words =
        "It takes \(megabytes(profile.minimumFreeBytes)) of room or more, and a while; it ends complete, or nothing is there."
    if order.source.isRemote { words += " It is fetched from \(order.source.location)." }
    if order.source.checksum.algorithm == .md5 { words += " " + weakSumWarning }
    return words
}

/// Said wherever an image is known by its MD5 alone.
package let weakSumWarning =
    "WARNING: an MD5 tells accidents only; whoever wants to can make another archive with the same one. Give the sha256."

private func megabytes(_ bytes: Int) -> String { "\(bytes >> 20) MiB" }
