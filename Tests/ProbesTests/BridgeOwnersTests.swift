import HostModel
import Testing

@testable import Probes

/// What other programs leave behind, as text.
@Suite struct BridgeOwnersTests {
    @Test(arguments: [
        ("<bridge name='virbr0' stp='on'/>", "virbr0"), ("<bridge stp=\"on\" name=\"virbr1\"/>", "virbr1"),
        ("<network>\n  <bridge  name='x'/>", "x"), ("<bridge stp='on'/><other name='no'/>", nil), ("<bridge", nil),
        ("<bridge name=''/>", nil), ("", nil),
    ])
    func attributesOfLibvirt(text: String, name: String?) {
        #expect(BridgeOwners.attribute("name", of: "bridge", in: text) == name)
    }

    @Test(arguments: [
        ("fd42:0005:0::1/64", "fd42:5::1/64", true), ("::1/128", "0:0:0:0:0:0:0:1/128", true),
        ("fd42::1/64", "fd42::1/65", false), ("fd42::1/64", "fd42::2/64", false),
    ])
    func notationsOfIPv6(left: String, right: String, same: Bool) {
        let first: IPv6Notation? = IPv6Notation(left)
        let second: IPv6Notation? = IPv6Notation(right)
        #expect(first != nil && second != nil)
        #expect((first == second) == same)
    }

    @Test(arguments: [
        "", "::", "fd42::1", "fd42:::1/64", "1::2::3/64", "fd42:12345::/64", "1:2:3:4:5:6:7/64", ":1::/64", "x::/64",
    ])
    func badNotationsAreRefused(text: String) {
        #expect(IPv6Notation(text) == nil)
    }
}
