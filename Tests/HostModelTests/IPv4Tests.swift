import Testing

@testable import HostModel

@Suite struct IPv4Tests {
    @Test(arguments: ["10.5.0.1", "0.0.0.0", "255.255.255.255", "198.51.100.7"])
    func addressRoundTrips(text: String) {
        #expect(IPv4Address(text)?.description == text)
    }

    @Test(arguments: [
        "", "10.5", "10.5.0.1.2", "10.5.0.256", "10.5.0.01", "10.5.0.+1", " 10.5.0.1", "10.5.0.", "a.b.c.d",
    ])
    func addressRefuses(text: String) {
        #expect(IPv4Address(text) == nil)
    }

    @Test func prefixArithmetic() throws {
        let bridge = try #require(IPv4Prefix("10.5.0.1/16"))
        #expect(bridge.network.description == "10.5.0.0/16")
        #expect(bridge.netmask.description == "255.255.0.0")
        #expect(bridge.last.description == "10.5.255.255")
        #expect(bridge.contains(try #require(IPv4Address("10.5.200.7"))))
        #expect(!bridge.contains(try #require(IPv4Address("10.6.0.1"))))
        let half = try #require(IPv4Prefix("10.5.128.0/17"))
        #expect(bridge.contains(half) && !half.contains(bridge) && half.overlaps(bridge))
        #expect(IPv4Prefix("0.0.0.0/0")?.contains(bridge) == true)
    }

    @Test(arguments: ["10.5.0.0/33", "10.5.0.0/", "10.5.0.0/-1", "10.5.0.0/1/2", "/16"])
    func prefixRefuses(text: String) {
        #expect(IPv4Prefix(text) == nil)
    }

    @Test func netmaskWithHolesIsRefused() throws {
        let address = try #require(IPv4Address("10.5.0.1"))
        #expect(IPv4Prefix(address: address, netmask: try #require(IPv4Address("255.255.0.0")))?.length == 16)
        #expect(IPv4Prefix(address: address, netmask: try #require(IPv4Address("255.0.255.0"))) == nil)
    }
}
