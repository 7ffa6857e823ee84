internal import HostAccess
internal import HostModel

/// Makes the bridge, gives it its address and sets it up: by lxc-net where that is its job and it is not running.
struct BridgeCreate: Remedy {
    let id = "bridge-create"
    /// The check that sees a flag of lxc-net that is left over.
    private static let staleFlag = "host.lxc-net-flag"

    func plan(_ cause: Cause, in draft: inout PlanDraft) throws(LeftToPerson) {
        let network = try draft.network(of: cause)
        let bridge = network.bridge
        guard LinkName.isValid(bridge) else {
            throw LeftToPerson(why: "\(bridge) cannot be the name of a network interface", what: [])
        }
        if let outcome = draft.lxcNetOutcome(network),
            draft.starts(outcome) || draft.facts.state.path(LxcNetFacts.flag) == .absent
        {
            try BridgeAddress.refuseElsewhere(network, in: draft)
            return try draft.start(outcome, back: draft.wayBack(from: outcome), remedy: id, for: cause)
        }
        // Only lxc-net brings its DHCP server, its rules and the bridge's lasting hardware address with it: containers
        // remember that one. What it believes to be up is gone.
        if cause.consequences.contains(Self.staleFlag), !draft.facts.state.exists(link: bridge),
            draft.lxcNetOutcome(network) != nil
        {
            try BridgeAddress.refuseElsewhere(network, in: draft)
            return try NetworkUpFlag().plan(cause, in: &draft)
        }
        if draft.facts.state.exists(link: bridge), !draft.facts.state.isBridge(bridge) {
            throw LeftToPerson(
                why: "\(bridge) exists and is not a bridge; what it is used for is not known",
                what: ["ip -details link show \(Shell.quote(bridge))"])
        }
        try BridgeAddress.refuseElsewhere(network, in: draft)
        try draft.add(
            .createBridge(name: bridge), phase: .runtime, remedy: id,
            risk: "Containers that run already are not attached to the new bridge until they are restarted, "
                + "and a DHCP server of the old bridge stays on the old one until lxc-net is restarted.",
            for: cause)
        let forwarding = SysctlName.forwarding(of: bridge)
        if draft.facts.state.sysctls[SysctlName.ipForward] == "1", draft.facts.state.sysctls[forwarding] == "0" {
            try draft.add(
                .setSysctl(key: forwarding, from: "0", to: "1"), phase: .runtime, remedy: id,
                risk: "Packets that enter by \(bridge) may be forwarded, as the host's global switch says.", for: cause)
        }
        try draft.add(
            .addAddress(link: bridge, address: HeldAddress(network.address)), phase: .runtime, remedy: id,
            risk: "The host routes \(network.cidr) to \(bridge) from now on.", for: cause)
        try draft.add(
            .setLinkUp(name: bridge, up: true), phase: .runtime, remedy: id,
            risk: "None: a bridge without ports sends nothing.", for: cause)
    }
}

/// Names of network interfaces.
enum LinkName {
    /// `dev_valid_name` of the kernel: 1 to 15 bytes, not `.` or `..`, no slash, colon or space.
    static func isValid(_ name: String) -> Bool {
        (1...15).contains(name.utf8.count) && name != "." && name != ".."
            && name.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: ":") }
    }
}
