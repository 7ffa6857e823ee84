import HostModel
import Testing

@testable import Reporting

/// `--redact`: other addresses in place of the real ones, and always the same ones.
struct RedactionTests {
    private static let key = [UInt8](0..<16)
    private let redaction = Redaction(key: key)

    /// The vectors of the paper's appendix.
    @Test(
        arguments: [(0, 0x726f_db47_dd0e_0e31), (8, 0x93f5_f579_9a93_2462), (15, 0xa129_ca61_49be_45e5)]
            as [(Int, UInt64)])
    func siphash(length: Int, value: UInt64) {
        #expect(SipHash(key: Self.key)([UInt8](0..<UInt8(length))) == value)
    }

    @Test(arguments: [
        ("fd42:5::1", "fd42:5::1"), ("::", "::"), ("::1", "::1"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("::ffff:10.5.0.1", "::ffff:a05:1"), ("fe80::216:3eff:fe00:1", "fe80::216:3eff:fe00:1"),
        ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
    ])
    func ipv6(text: String, written: String) throws {
        #expect(try #require(IPv6Text(text)).description == written)
    }

    @Test(arguments: [
        "", ":", "1", "1:2", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "g::", "1.2.3.4",
        "10.5.0.1::", "1:2:3:4:5:6:7:8::", "20:24:12", "::10.5.0.256",
    ])
    func noIPv6(text: String) {
        #expect(IPv6Text(text) == nil)
    }

    @Test func redactionKeepsEqualityAndNearness() throws {
        func mapped(_ text: String) throws -> IPv4Address { try #require(IPv4Address(redaction.text(text))) }
        let (one, same, near, far) = try (
            mapped("10.5.0.15"), mapped("10.5.0.15"), mapped("10.5.0.16"), mapped("10.99.0.15")
        )
        #expect(one == same && one != near && one != IPv4Address("10.5.0.15"))
        func shared(_ left: IPv4Address, _ right: IPv4Address) -> Int { (left.value ^ right.value).leadingZeroBitCount }
        #expect(shared(one, near) == 27 && shared(one, far) == 9)
        // Private ranges stay private, public addresses land where no host is.
        for (text, range) in [
            ("10.5.0.15", "10.0.0.0/8"), ("172.20.1.1", "172.16.0.0/12"), ("192.168.7.8", "192.168.0.0/16"),
            ("203.0.113.2", "240.0.0.0/4"), ("8.8.8.8", "240.0.0.0/4"),
        ] {
            let range = try #require(IPv4Prefix(range))
            let address = try mapped(text)
            #expect(IPv4Prefix(address: address, length: range.length)?.network == range, "\(text) \(address)")
        }
        #expect(Redaction(key: [UInt8](repeating: 9, count: 16)).text("10.5.0.15") != redaction.text("10.5.0.15"))
    }

    /// An address and the network that holds it.
    @Test(arguments: [("10.5.0.1", "10.5.0.0/16"), ("203.0.113.2", "203.0.113.0/24")])
    func anAddressStaysInItsNetwork(address: String, network: String) throws {
        let network = try #require(IPv4Prefix(redaction.text(network)))
        let inside = try #require(IPv4Address(redaction.text(address)))
        #expect(network.address == network.network.address)
        #expect(IPv4Prefix(address: inside, length: network.length)?.network == network)
        // The same address with its length is still that address.
        #expect(redaction.text("\(address)/16") == "\(inside.description)/16")
    }

    /// Wherever it stands in a text, an address does not get through, and what is around it does.
    @Test(arguments: [
        ("udp ", "10.5.0.15", ":25650 > "), ("leaves as ", "10.5.0.15", "."), ("", "fd42:5::1", ": unreachable"),
        ("[", "fd42:5::1", "]:53"), ("addr:", "fe80::216:3eff:fe12:3456", "%up0"), ("(", "10.5.0.15", ")"),
        ("lladdr ", "00:16:3e:12:34:56", " REACHABLE"), ("/var/lib/x/", "10.5.0.15", ".conf"), ("a", "10.5.0.15", ""),
        ("", "10.0.3.2", "-x"), ("01:", "00:16:3e:12:34:56", ""), ("", "::ffff:203.0.113.9", ""),
        ("", "2001:4860:4860::8888", ",1"), ("\\n", "10.5.0.15", "\n"), ("-d ", "192.168.7.8", "/32"),
    ])
    func inAText(before: String, address: String, after: String) {
        let result = redaction.text(before + address + after)
        #expect(result.hasPrefix(before) && result.hasSuffix(after) && !result.contains(address), "\(result)")
        #expect(result == before + redaction.text(address) + after)
    }

    /// What says nothing of a host, and what is no address at all.
    @Test(arguments: [
        "127.0.0.1", "0.0.0.0/0", "255.255.0.0", "224.0.0.251", "::1", "::/0", "ff:ff:ff:ff:ff:ff", "1.2.3.4.5",
        "20:24:12",
        "2024-05-17T03:12:45Z", "[12:3456]", "lxcdoc60b0e3", "1:65535", "6.1.0-21-amd64", "nat.masquerade", "256.1.1.1",
    ])
    func staysAsItIs(text: String) {
        #expect(redaction.text(text) == text)
    }

    /// In no format does an address of a report get through.
    @Test(arguments: Scenario.all, FormatName.allCases)
    func noFormatShowsOne(scenario: Scenario, format: FormatName) throws {
        let report = try redaction.applied(to: scenario.report)
        #expect(report.exitCode == scenario.exit && report.durationMilliseconds == scenario.report.durationMilliseconds)
        let text = render(report, as: format)
        for address in ["10.5.0.", "10.5.255.", "203.0.113.", "198.51.100."] {
            #expect(!text.contains(address), "\(address)")
        }
        #expect(try redaction.applied(to: scenario.report) == report)
    }
}
