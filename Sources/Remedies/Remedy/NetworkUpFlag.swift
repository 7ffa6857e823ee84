internal import HostAccess
internal import HostModel

/// Removes `/run/lxc/network_up` where what it speaks of is gone: as long as it is there, lxc-net refuses to start.
/// Where lxc-net makes the profile's network, it is then started, and everything is there again.
struct NetworkUpFlag: Remedy {
    let id = "network-up-flag"

    func plan(_ cause: Cause, in draft: inout PlanDraft) throws(LeftToPerson) {
        let path = LxcNetFacts.flag
        switch draft.facts.state.path(path) {
        case .absent:
            return
        case .file(let content):
            try draft.add(
                .file(path: path, before: content, after: nil), phase: .runtime, remedy: id,
                risk: "None for running containers; lxc-net may be started again afterwards.", for: cause)
            let network = try draft.network(of: cause)
            if let outcome = draft.lxcNetOutcome(network) {
                // Beside its bridge only its server was dead.
                let back = draft.facts.state.exists(link: network.bridge) ? .none : draft.wayBack(from: outcome)
                try draft.start(outcome, back: back, remedy: id, for: cause)
            }
        default:
            throw LeftToPerson(why: "\(path) is not a regular file", what: ["ls -l \(path)"])
        }
    }
}
