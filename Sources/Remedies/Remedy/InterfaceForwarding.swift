internal import HostAccess
internal import HostModel

/// Switches forwarding on for the bridge and the uplink, where the global switch is on and theirs is not; and for the
/// next boot, where a file would switch it off again.
struct InterfaceForwarding: Remedy {
    let id = "interface-forwarding"

    func plan(_ cause: Cause, in draft: inout PlanDraft) throws(LeftToPerson) {
        let network = try draft.network(of: cause)
        guard draft.facts.state.sysctls[SysctlName.ipForward] == "1" else {
            throw LeftToPerson(
                why: "net.ipv4.ip_forward is off; a single interface's switch does nothing without it",
                what: ["lxc-doctor fix plan"])
        }
        var links = [network.bridge]
        if let uplink = network.uplink ?? draft.facts.uplinks[network.name] { links.append(uplink) }
        for link in links {
            let key = SysctlName.forwarding(of: link)
            if let value = draft.facts.state.sysctls[key], value != "1" {
                try draft.add(
                    .setSysctl(key: key, from: value, to: "1"), phase: .runtime, remedy: id,
                    risk: "Packets that enter by \(link) are forwarded to any other interface, unless a firewall stops "
                        + "them.",
                    for: cause)
            }
            try ForwardingPersistent(link: link, remedy: id)?.keepOn(cause, &draft)
        }
    }
}
