internal import HostAccess
internal import HostModel
internal import Probes

/// Whose rules drop what a throw-away container sends to the outside: the proof's verdict, and the firewall program
/// that owns the chain. Where nothing is dropped, nothing more is read.
struct ForwardDropProbe: Probe {
    static let specification = ProbeSpecification(
        name: "forward-drop", summary: "whether a firewall drops what containers send to the outside, and whose it is",
        parameters: ["network": .string],
        facts: ["dropped": .boolean, "owner": .string, "killer": .string, "verdict": .string])

    var specification: ProbeSpecification { Self.specification }

    /// Nil where the proof is off.
    let report: ProofReport?

    /// The programs that own rules of forwarding.
    enum Owner: String {
        case ufw, shorewall, docker, firewalld, iptables, nftables
        case none = ""
    }

    func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let network = try parameters.string("network")
        let report = try report.made()
        let probes = report.probes.filter { $0.network == network && $0.container == nil && $0.family == .ipv4 }
        guard let worst = probes.min(by: { $0.verdict < $1.verdict }) else {
            throw .notApplicable("no packet was sent on \(network)")
        }
        if worst.verdict == .unknown { throw .unknown(worst.reason ?? "the packet proof could not be made") }
        // What is lost before any rule is not a firewall's doing.
        let killer = worst.killer
        let reachedForward = worst.path.last(where: \.reached)?.hook == "forward"
        let isDropped = worst.verdict == .dropped && (killer?.hook == "forward" || reachedForward)
        let owner: Owner
        do throws(HostError) {
            owner = isDropped ? try Self.owner(killer, host) : .none
        } catch {
            throw .unknown(error.description)
        }
        return Observation(
            facts: [
                "dropped": .boolean(isDropped), "owner": .string(owner.rawValue),
                "killer": .string(killer?.text ?? ""), "verdict": .string(worst.verdict.rawValue),
            ],
            evidence: [
                .packet(
                    worst.protocol, from: worst.from, to: worst.to,
                    worst.verdict.rawValue + (killer.map(\.clause) ?? ""))
            ])
    }

    private static func owner(_ killer: Killer?, _ host: any Host) throws(HostError) -> Owner {
        if let table = killer?.table {
            if table == "firewalld" { return .firewalld }
            if killer?.family != "ip" || table != "filter" { return .nftables }
        }
        var filtering: Owner = .none
        for flavour in IptablesFlavour.allCases {
            guard let listing = try host.iptablesRules(IptablesTable(flavour, "filter")) else { continue }
            let drops =
                listing.policies["FORWARD"] == "DROP"
                || listing.rules(of: "FORWARD").contains { !$0.hasSuffix("-j ACCEPT") }
            guard drops else { continue }
            if listing.policies["ufw-user-forward"] != nil { return .ufw }
            if listing.policies["shorewall"] != nil { return .shorewall }
            if listing.policies["DOCKER-USER"] != nil { return .docker }
            filtering = .iptables
        }
        return filtering == .none ? .nftables : filtering
    }
}
