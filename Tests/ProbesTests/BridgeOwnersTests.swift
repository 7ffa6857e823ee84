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
}
