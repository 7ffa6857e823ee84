internal import HostModel

/// One step of bringing a fault about. Words in braces stand for the practice host's own values; see PracticeNetwork.
package enum FaultStep: Sendable, Hashable {
    /// A program that must succeed.
    case run([String])
    /// A program of which it does not matter whether it succeeds.
    case attempt([String])
    /// Commands for nft(8).
    case nft(String)
    /// A file, written anew.
    case write(String, String)
    /// A file or a link that goes.
    case remove(String)
    /// A link: where it lies, what it points at.
    case link(String, to: String)
    /// A sysctl under /proc/sys, by its path below that.
    case sysctl(String, String)
    /// Steps that only these backends need.
    case only([PracticeBackend], [FaultStep])
}

/// One way in which a fault comes about.
package struct FaultVariant: Sendable, Hashable {
    package var name: String
    package var title: String
    /// Where it makes sense.
    package var profiles: [PracticeProfile]
    package var backends: [PracticeBackend]
    /// What the host must have beside the layer `lxc`.
    package var layers: [String]
    /// How many containers must run.
    package var containers: Int
    var steps: [FaultStep]

    init(
        _ name: String, _ title: String, profiles: [PracticeProfile] = PracticeProfile.allCases,
        backends: [PracticeBackend] = PracticeBackend.allCases, layers: [String] = [], containers: Int = 0,
        _ steps: [FaultStep]
    ) {
        self.layers = layers
        self.containers = containers
        self.name = name
        self.title = title
        self.profiles = profiles
        self.backends = backends
        self.steps = steps
    }
}

/// A fault that a practice host can have. Its id is that of the cause which the doctor is to find.
package struct Fault: Sendable, Hashable {
    package var id: String
    package var title: String
    /// The first is taken where none is named.
    package var variants: [FaultVariant]

    init(_ id: String, _ title: String, _ variants: [FaultVariant]) {
        self.id = id
        self.title = title
        self.variants = variants
    }
}

/// Every fault, in the order of the host's parts.
package let faults: [Fault] = merged(
    bridgeFaults + forwardingFaults + natFaults + firewallFaults + firewallProgramFaults + shorewallFaults
        + dockerFaults + lxcNetFaults + persistenceFaults + networkOwnerFaults + makinaJobFaults + lxcPathFaults
        + containerFaults + layerTwoFaults + lxcNetStartFaults + guestFaults + pathFaults + trackingFaults
        + firewallNeighbourFaults + proofFaults + runningContainerFaults + ipv6Faults)

/// A fault that is made by rules and also by a real program stands in two lists: one fault with the variants of both.
private func merged(_ all: [Fault]) -> [Fault] {
    var result: [Fault] = []
    for fault in all {
        if let index = result.firstIndex(where: { $0.id == fault.id }) {
            result[index].variants += fault.variants
        } else {
            result.append(fault)
        }
    }
    return result
}

/// The fault and the variant that are meant.
func resolve(
    _ selection: FaultSelection, profile: PracticeProfile, backend: PracticeBackend
) throws(PracticeHostError) -> FaultVariant {
    guard let fault = faults.first(where: { $0.id == selection.id }) else {
        let near = Suggestion.nearest(to: selection.id, among: faults.map(\.id))
        throw .usage(
            "unknown fault `\(selection.id)`\(near.map { "; did you mean `\($0)`?" } ?? "; see `lxc-doctor list faults`")"
        )
    }
    let fitting = fault.variants.filter { $0.profiles.contains(profile) && $0.backends.contains(backend) }
    if let name = selection.variant {
        guard let variant = fault.variants.first(where: { $0.name == name }) else {
            let names = fault.variants.map(\.name)
            throw .usage("fault `\(fault.id)` has no variant `\(name)`; it has \(names.joined(separator: ", "))")
        }
        guard fitting.contains(variant) else {
            throw .usage("fault `\(selection)` makes no sense with profile \(profile.rawValue) and \(backend.rawValue)")
        }
        return variant
    }
    guard let variant = fitting.first else {
        throw .usage("fault `\(fault.id)` makes no sense with profile \(profile.rawValue) and \(backend.rawValue)")
    }
    return variant
}
