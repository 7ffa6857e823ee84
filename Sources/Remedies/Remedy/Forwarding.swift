internal import HostAccess
internal import HostModel

/// Switches IPv4 forwarding on for the whole host.
struct Forwarding: Remedy {
    let id = "forwarding"

    func plan(_ cause: Cause, in draft: inout PlanDraft) throws(LeftToPerson) {
        let values = draft.facts.state.sysctls
        guard let value = values[SysctlName.ipForward] else {
            throw LeftToPerson(why: "this kernel has no net.ipv4.ip_forward", what: [])
        }
        guard value != "1" else { return }
        try draft.add(
            .setSysctl(key: SysctlName.ipForward, from: value, to: "1"), also: Self.notRestored(by: value, values),
            phase: .runtime, remedy: id,
            risk: "The host then routes between ALL its interfaces, not only the containers': the change resets "
                + "the forwarding of every interface to 1 and stops it from accepting ICMP redirects.",
            for: cause)
        try keepClosed(values, cause, &draft)
    }

    /// Interfaces that were closed and that a file of sysctl.d keeps closed are closed again, now and at every boot.
    private func keepClosed(
        _ before: [String: String], _ cause: Cause, _ draft: inout PlanDraft
    ) throws(LeftToPerson) {
        let closed = ClosedInterface.all(under: .ipForward, in: draft).filter { before[$0.key.description] == "0" }
        for interface in closed {
            try draft.add(
                .setSysctl(key: interface.key.description, from: "1", to: "0"), phase: .runtime, remedy: id,
                risk: "None: \(interface.file) says so, and so it was.", for: cause)
        }
        ForwardingPersistent(forNow: id).keepClosed(closed, cause, &draft)
    }

    /// What writing the old value back does not bring back: writing `ip_forward` sets every interface's own switch
    /// and the reverse of `all.accept_redirects`.
    static func notRestored(by value: String, _ values: [String: String]) -> [Change] {
        var changes: [Change] = []
        for (key, own) in values.sorted(by: { $0.key < $1.key }) {
            let isSwitch =
                key.hasPrefix("net.ipv4.conf.") && key.hasSuffix(".forwarding") && key != SysctlName.allForwarding
            if isSwitch, own != value { changes.append(.setSysctl(key: key, from: value, to: own)) }
        }
        if values[SysctlName.acceptRedirects] == "0" {
            changes.append(.setSysctl(key: SysctlName.acceptRedirects, from: "1", to: "0"))
        }
        return changes
    }
}
