package import HostAccess
package import HostModel
internal import PacketFilter

/// A rule that lets a network's containers out for some purposes only, where the rest is dropped.
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

    /// Looks for one in the rulesets of a host as they are now; nil: there is none. `unknown`: they cannot be read, or
    /// are too large to follow.
    package static func find(
        for network: Network, uplink: String, on host: any Host
    ) throws(ObservationFailure) -> Allowance? {
        let filter = try NetworkFilter(on: host)
        let questions = filter.questions(
            network: network.cidr, bridge: network.bridge, address: network.address.address, target: network.target)
        do throws(WalkLimit) {
            guard let rule = try questions.allowance(leavingBy: uplink) else { return nil }
            let ruleset = filter.ruleset
            return Allowance(
                place: ruleset.place(ofRule: rule), text: ruleset.text(ofRule: rule),
                listing: ruleset.command(forRule: rule))
        } catch {
            throw .unknown("the ruleset is too large to follow: \(error.reason)")
        }
    }
}
