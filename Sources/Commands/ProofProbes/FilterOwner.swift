internal import HostAccess
internal import HostModel

/// The programs that own rules of a filter.
enum FilterOwner: String {
    case ufw, shorewall, docker, firewalld, iptables, nftables
    case none = ""

    /// Of what killed a packet, or where it has no name of what stands in that chain of iptables (`FORWARD`).
    init(of killer: Killer?, chain: String, on host: any Host) throws(HostError) {
        if let table = killer?.table, table == "firewalld" || killer?.family != "ip" || table != "filter" {
            self = table == "firewalld" ? .firewalld : .nftables
            return
        }
        var filtering = FilterOwner.none
        for flavour in IptablesFlavour.allCases {
            guard let listing = try host.iptablesRules(IptablesTable(flavour, "filter")) else { continue }
            let drops =
                listing.policies[chain] == "DROP"
                || listing.rules(of: chain).contains { !$0.hasSuffix("-j ACCEPT") }
            guard drops else { continue }
            if let program = Self.program(of: listing.policies) {
                self = program
                return
            }
            filtering = .iptables
        }
        self = filtering == .none ? .nftables : filtering
    }

    private static func program(of policies: [String: String]) -> FilterOwner? {
        if policies["ufw-user-forward"] != nil { return .ufw }
        if policies["shorewall"] != nil { return .shorewall }
        return policies["DOCKER-USER"] != nil ? .docker : nil
    }

    /// The program that drops both what is forwarded and what comes into this host, and opens both with one zone or one set
    /// of rules; none where they are different ones, or where the rule into the host is one that somebody added by hand.
    static func shared(
        forwarded: Killer?, intoHost: Killer?, on host: any Host
    ) throws(HostError) -> FilterOwner {
        guard intoHost?.isAdded(to: "INPUT") != true else { return .none }
        let owner = try FilterOwner(of: intoHost, chain: "INPUT", on: host)
        guard [.ufw, .shorewall, .firewalld].contains(owner) else { return .none }
        return try FilterOwner(of: forwarded, chain: "FORWARD", on: host) == owner ? owner : .none
    }
}
