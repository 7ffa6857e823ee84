import HostModel
import Testing

@testable import Reporting

/// The drawn network accuses the place that is broken, and no other.
struct NetworkDrawingTests {
    /// `name (detail, tone)` of each place, from the bridge up.
    private func places(_ report: Report) throws -> [String] {
        let markup = NetworkDrawing(network: Report.network, report: report).markup(id: "n")
        let way = try #require(markup.firstMatch(of: /the way leads over (.*?)\.<\/desc>/)?.1)
        return way.split(separator: ", then ").map(String.init)
    }

    /// The packet dies in FORWARD: the translation, which it never reached, is not to blame, and nobody has seen the uplink.
    @Test func aDropInForwardIsTheFirewalls() throws {
        let places = try places(.forwardDrop)
        #expect(places.contains("firewall (forwarding, FORWARD, broken)"), "\\(places)")
        #expect(places.contains("masquerade (NAT, fine)"))
        #expect(places.contains { $0.hasPrefix("uplink (not reached, ") })
    }

    @Test func aLeakIsTheTranslations() throws {
        let places = try places(.masqueradeMissing)
        #expect(places.contains("masquerade (NAT, broken)"), "\\(places)")
        #expect(places.contains("firewall (forwarding, FORWARD, fine)"))
        #expect(places.contains { $0.hasPrefix("up0 (uplink, ") })
    }

    /// A proof that failed on its way there says nothing against the rules that were read.
    @Test func aLostPacketIsNoSignAgainstTheTranslation() throws {
        let lost = Report.scenario(
            findings: [
                .masquerade(.pass),
                .make("nat.proof", "A packet really leaves", .nat, .fail, observed: "dropped"),
            ], proof: ProofReport(mode: .fence, probes: [.dropped(.udp)]))
        #expect(try places(lost).contains("masquerade (NAT, fine)"))
    }
}
