import Testing

@testable import HostAccess

/// Rules as iptables-save prints them, taken apart.
@Suite struct SavedRuleTests {
    /// A comment may hold anything, also what looks like a target.
    private static let line = #"-A FORWARD -m comment --comment "not -j ACCEPT, \" or -g x" -i br0 -j DROP"#

    @Test func aQuotedCommentIsOneWord() {
        let rule = SavedRule(Self.line)
        #expect(rule.chain == "FORWARD" && rule.target == "DROP" && !rule.isGoto)
        #expect(rule.words.count == 10 && rule.words[5] == #""not -j ACCEPT, \" or -g x""#)
        #expect(SavedRule(Self.line.replacing("-j DROP", with: "-g next")).isGoto)
    }

    @Test func aCommentDecidesNothing() {
        let listing = IptablesListing(policies: ["FORWARD": "ACCEPT"], lines: [Self.line])
        #expect(listing.end(of: [.input("br0")], in: "FORWARD") == IptablesEnd(chain: "FORWARD", line: Self.line))
        #expect(listing.end(of: [.input("br1")], in: "FORWARD") == nil)
    }

    @Test(arguments: ["", "-A", "-A FORWARD", "-A FORWARD -j", #"-A FORWARD --comment "open"#])
    func anIncompleteLineHasNoTarget(line: String) {
        #expect(SavedRule(line).target.isEmpty)
    }

    @Test(arguments: [("eth0", "eth0", true), ("eth0", "eth+", true), ("eth0", "+", true), ("eth0", "eth", false)])
    func aPlusStandsForAnyRest(name: String, pattern: String, matches: Bool) {
        #expect(SavedRule.isInterface(name, meantBy: pattern[...]) == matches)
    }
}
