import Testing

@testable import HostModel

@Suite struct SysctlKeyTests {
    @Test(arguments: [
        ("net.ipv4.ip_forward", "/proc/sys/net/ipv4/ip_forward", "net.ipv4.ip_forward"),
        ("net/ipv4/ip_forward", "/proc/sys/net/ipv4/ip_forward", "net.ipv4.ip_forward"),
        (
            "net/ipv4/conf/eth0.100/forwarding", "/proc/sys/net/ipv4/conf/eth0.100/forwarding",
            "net.ipv4.conf.eth0/100.forwarding"
        ),
        (
            "net.ipv4.conf.eth0/100.forwarding", "/proc/sys/net/ipv4/conf/eth0.100/forwarding",
            "net.ipv4.conf.eth0/100.forwarding"
        ),
    ])
    func namesParameters(_ text: String, _ path: String, _ name: String) throws {
        let key = try #require(SysctlKey(text))
        #expect(key.path == path)
        #expect(key.description == name)
    }

    @Test(arguments: ["", ".", "net..ipv4", "net/../kernel", "net.//.kernel", "/net/ipv4", "net.ipv4."])
    func refusesParametersThatNameOtherFiles(_ text: String) {
        #expect(SysctlKey(text) == nil)
    }

    @Test(arguments: [
        ("net.ipv4.ip_forward", "net.ipv4.ip_forward"), ("net/ipv4/ip_forward", "net.ipv4.ip_forward"),
        ("/net/ipv4//ip_forward/", "net.ipv4.ip_forward"), ("a..b", "a.b"), ("", nil), ("..", nil),
        ("net/../kernel", nil),
    ])
    func readsLinesAsTheProgramsThatApplyThem(_ text: String, _ name: String?) {
        #expect(SysctlKey(line: text)?.description == name)
    }

    @Test func ipForwardAndAllForwardingAreAliases() throws {
        #expect(SysctlKey("net.ipv4.ip_forward") == .ipForward)
        #expect(SysctlKey("net/ipv4/conf/all/forwarding") == .allForwarding)
        #expect(SysctlKey.allForwarding.aliases == [.allForwarding, .ipForward])
        let other = try #require(SysctlKey("net.ipv4.conf.default.forwarding"))
        #expect(other.aliases == [other])
    }
}
