package import HostAccess
package import HostModel
internal import PacketFilter

/// A rule by which somebody has decided what a network's containers may do.
package struct Allowance: Codable, Sendable, Hashable {
    /// `inet filter forward, rule 2 (handle 5)`.
    package var place: String
    package var text: String
    /// The command that lists its chain.
    package var listing: String

    package init(place: String, text: String, listing: String) {
        self.place = place
        self.text = text
        self.listing = listing
    }
}

/// What the rules of a host allow a network while they drop the rest; nil: no rule does.
package struct Allowances: Codable, Sendable, Hashable {
    /// Some of what is sent to the outside.
    package var forwarding: Allowance?
    /// Answers to some containers.
    package var answers: Allowance?
    /// Some containers' requests for addresses and names, or nobody's.
    package var requests: Allowance?

    package init(forwarding: Allowance? = nil, answers: Allowance? = nil, requests: Allowance? = nil) {
        self.forwarding = forwarding
        self.answers = answers
        self.requests = requests
    }

    /// Looks for them in the rulesets of a host as they are now. `unknown`: they cannot be read, or are too large to
    /// follow.
    package static func find(
        for network: Network, uplink: String, on host: any Host
    ) throws(ObservationFailure) -> Allowances {
        let filter = try NetworkFilter(on: host)
        let questions = filter.questions(
            network: network.cidr, bridge: network.bridge, address: network.address.address, target: network.target)
        func described(_ rule: Int?) -> Allowance? {
            rule.map { rule in
                Allowance(
                    place: filter.ruleset.place(ofRule: rule), text: filter.ruleset.text(ofRule: rule),
                    listing: filter.ruleset.command(forRule: rule))
            }
        }
        do throws(WalkLimit) {
            return Allowances(
                forwarding: described(try questions.allowance(leavingBy: uplink)),
                answers: described(try questions.answersAllowance(comingBy: uplink)),
                requests: described(try questions.requestsDecision()))
        } catch {
            throw .unknown("the ruleset is too large to follow: \(error.reason)")
        }
    }
}
