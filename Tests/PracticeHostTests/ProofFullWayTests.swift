import Foundation
import HostModel
import TestSupport
import Testing

/// `prove --proof wire --to ADDRESS --full-ttl`: packets that may go all the way.
@Suite("The proof all the way", .serialized) struct ProofFullWayTests {
    /// Behind the first router a second one with a narrower way to 192.0.2.99.
    private static let farther = """
        ip netns add far
        ip link add far0 netns internet mtu 700 type veth peer name eth0 netns far mtu 700
        ip -n internet addr add 192.0.2.1/24 dev far0; ip -n internet link set far0 up
        ip -n far addr add 192.0.2.99/24 dev eth0; ip -n far link set eth0 up; ip -n far route add default via 192.0.2.1
        ip netns exec internet sysctl -qw net.ipv4.ip_forward=1

        """
    private static let deaf = "ip netns exec internet iptables-nft -A OUTPUT -p icmp --icmp-type 3/4 -j DROP\n"

    private func prove(_ setup: String, _ options: String) throws -> (ProofReport, Int32) {
        let ended = try Program.lab(
            [], "{ \(Self.farther)\(setup)true; } >&2; lxc-doctor prove --proof wire --format json \(options)")
        return (try JSONDecoder().decode(ProofReport.self, from: Data(ended.output.utf8)), ended.status)
    }

    @Test func aWholeWayIsConfirmed() throws {
        let (report, status) = try prove("", "--to 192.0.2.99 --full-ttl")
        #expect(report.verdict == .masqueraded && status == 0)
        #expect(report.probes.count == 6)
        #expect(
            report.probes.allSatisfy { $0.delivery == .confirmed && $0.to.hasPrefix("192.0.2.99") }, "\(report.probes)")
    }

    /// The narrow router's "fragmentation needed" is lost: long packets vanish, short ones do not.
    @Test func aHoleFartherAwayIsFound() throws {
        let (report, status) = try prove(Self.deaf, "--to 192.0.2.99 --full-ttl")
        #expect(report.verdict == .masqueraded && status == 2)
        let worst = try #require(report.probes.first { $0.delivery == .failed })
        #expect(worst.reason?.contains("gets no answer from 192.0.2.99 where a short one does") == true, "\(worst)")
        #expect(worst.reason?.contains("clamp the MSS") == true, "\(worst)")
    }

    /// With the usual time to live nothing gets as far.
    @Test func withoutItNothingGoesBeyondTheFirstRouter() throws {
        let ended = try Program.lab(
            [],
            """
            { \(Self.farther)\(Self.deaf)
            ip netns exec far tcpdump -Z root --immediate-mode -s 256 -Uni eth0 -w /tmp/far ip 2>/tmp/listening & capture=$!
            until grep -q listening /tmp/listening; do sleep 0.05; done; } >&2
            lxc-doctor prove --proof wire --quiet --to 192.0.2.99; echo "status $?"
            sleep 0.3; kill $capture; wait $capture; tcpdump -Z root -nr /tmp/far 2>/dev/null
            """)
        #expect(ended.output == "status 0\n", "\(ended.output)")
    }

    /// A check over the proof fails as `prove` does when what came back never reached the container.
    @Test func anAnswerThatIsLostIsNoPass() throws {
        let ended = try Program.lab(
            [],
            """
            { iptables-nft -I FORWARD 1 -i up0 -p icmp -j DROP; iptables-nft -I FORWARD 1 -i up0 -j DROP; } >&2
            lxc-doctor prove --proof wire --quiet; echo "$?" >&2
            lxc-doctor --proof wire --format json
            """)
        let report = try JSONDecoder().decode(Report.self, from: Data(ended.output.utf8))
        let finding = try #require(report.findings.first { $0.check == "nat.proof" })
        #expect(finding.verdict == .fail)
        #expect(finding.observed?.contains("an answer came back to up0") == true, "\(finding)")
        #expect(ended.messages.hasSuffix("2\n") && ended.status == 2, "\(ended.messages)")
    }

    @Test func itNeedsConsentAndADestination() throws {
        let wrong = ["--full-ttl", "--full-ttl --to 192.0.2.99", "--full-ttl --proof wire"]
        let ended = try Program.lab([], wrong.map { "lxc-doctor prove \($0); echo $?" }.joined(separator: "\n"))
        #expect(ended.output == "64\n64\n64\n", "\(ended.output)")
    }
}
