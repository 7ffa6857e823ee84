import Foundation
import HostModel
import Testing

struct IPv6Tests {
    @Test(arguments: [
        ("fd42:0005:0::1/64", "fd42:5::1/64", true), ("::1/128", "0:0:0:0:0:0:0:1/128", true),
        ("FD42::A/64", "fd42::a/64", true), ("fd42::1/64", "fd42::1/65", false), ("fd42::1/64", "fd42::2/64", false),
    ])
    func notations(left: String, right: String, same: Bool) {
        let first: IPv6Prefix? = IPv6Prefix(left)
        let second: IPv6Prefix? = IPv6Prefix(right)
        #expect(first != nil && second != nil)
        #expect((first == second) == same)
    }

    @Test(arguments: [
        "", "::", "fd42::1", "fd42:::1/64", "1::2::3/64", "fd42:12345::/64", "1:2:3:4:5:6:7/64", ":1::/64", "x::/64",
        "1:2:3:4:5:6:7:8:9/64", "fd42::1/129", "fd42::1/-1", "fd42::+1/64", "fd42::1%eth0/64", "::ffff:1.2.3.4/96",
        "1:2:3:4::5:6:7:8/64",
    ])
    func badNotationsAreRefused(text: String) {
        #expect(IPv6Prefix(text) == nil)
    }

    /// RFC 5952 §4, §5.
    @Test(arguments: [
        ("2001:0db8::0001", "2001:db8::1"), ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("0:0:0:0:0:0:0:0", "::"), ("1:0:0:0:0:0:0:0", "1::"), ("0:0:0:0:0:0:0:1", "::1"),
    ])
    func writtenAsOthersDo(text: String, wanted: String) throws {
        #expect(try #require(IPv6Address(text)).description == wanted)
    }

    @Test func octetsGoBothWays() throws {
        let address = try #require(IPv6Address("2001:db8:1:2:3:4:5:ff06"))
        #expect(address.octets == [0x20, 1, 0xd, 0xb8, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0xff, 6])
        #expect(IPv6Address(octets: address.octets) == address)
        #expect(IPv6Address(octets: [1, 2, 3]) == nil)
    }

    @Test(arguments: [
        ("10.5.0.1/16", "10.5.0.0", "10.5.255.255", "10.5.9.9", "10.6.0.0"),
        ("fd42:5::1/64", "fd42:5::", "fd42:5::ffff:ffff:ffff:ffff", "fd42:5::9", "fd42:5:0:1::"),
        ("fd42:5::1/128", "fd42:5::1", "fd42:5::1", "fd42:5::1", "fd42:5::2"),
        ("::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fd42::1", "10.5.0.1"),
        ("0.0.0.0/0", "0.0.0.0", "255.255.255.255", "10.5.0.1", "::1"),
    ])
    func prefixes(text: String, first: String, last: String, inside: String, outside: String) throws {
        let prefix = try #require(IPPrefix(text))
        #expect("\(prefix.first) \(prefix.last)" == "\(first) \(last)")
        #expect(prefix.contains(try #require(IPAddress(inside))))
        #expect(!prefix.contains(try #require(IPAddress(outside))))
        #expect(try JSONDecoder().decode([IPPrefix].self, from: JSONEncoder().encode([prefix])) == [prefix])
    }

    @Test(arguments: [
        ("10.5.0.9:53", "10.5.0.9"), ("10.5.0.9", "10.5.0.9"), ("[fd42::9]:53", "fd42::9"), ("fd42::9", "fd42::9"),
        ("fd42::", "fd42::"),
    ])
    func endpoints(text: String, address: String) throws {
        #expect(IPAddress.text(ofEndpoint: text) == address)
        let read = try #require(IPAddress(address))
        #expect(IPAddress.text(ofEndpoint: read.description(port: 53)) == address)
    }
}
