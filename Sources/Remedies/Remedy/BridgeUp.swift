internal import HostAccess
internal import HostModel

/// Sets the bridge administratively up.
struct BridgeUp: Remedy {
    let id = "bridge-up"
    let isForNetwork = false

    func plan(_ cause: Cause, in draft: inout PlanDraft) throws(LeftToPerson) {
        let bridge = try draft.network(of: cause).bridge
        try draft.add(
            .setLinkUp(name: bridge, up: true), phase: .runtime, remedy: id,
            risk: "None for others; the containers of \(bridge) get their link back.", for: cause)
    }
}
