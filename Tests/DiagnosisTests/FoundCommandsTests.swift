import CheckCatalog
import HostModel
import Testing

@testable import Diagnosis

/// Commands with what was found in them.
struct FoundCommandsTests {
    private let found = FoundCommands(
        variables: Variables(["network.bridge": .string("lxcbr1")]),
        facts: [
            ["down": .strings(["c1: eth0", "/run/netns/other: eth 1"]), "none": .strings([])],
            [
                "none": .strings(["veth2"]), "directory": .string("/srv/it's"),
                "fix": .string("nft delete rule ip a b handle 2"),
            ],
        ])

    @Test func eachThatWasFoundHasACommandOfItsOwn() {
        #expect(
            found.rendered(["{{inside.down}} ip link set {{detail.down}} up"]) == [
                "lxc-attach -n c1 -- ip link set eth0 up",
                "nsenter --net=/run/netns/other ip link set 'eth 1' up",
            ])
    }

    /// Another finding of the same cause may know it; nobody's word becomes a command of the shell.
    @Test func anyFindingMayKnow() {
        #expect(
            found.rendered(["ip link set {{found.none}} master {{network.bridge}}"]) == [
                "ip link set veth2 master lxcbr1"
            ])
        #expect(
            found.rendered(["ls {{found.directory}}", "{{command.fix}}"]) == [
                "ls '/srv/it'\\''s'", "nft delete rule ip a b handle 2",
            ])
    }

    @Test func whatNobodyKnowsIsLeftOut() {
        #expect(
            found.rendered(["ip link del {{found.leftovers}}", "lxc-info -n {{container.name}}", "bridge link"]) == [
                "bridge link"
            ])
    }

    @Test func nobodyTypesAHundred() {
        let many = FoundCommands(variables: Variables(), facts: [["a": .strings((1...100).map { "v\($0)" })]])
        #expect(many.rendered(["x {{found.a}}"]).count == 8)
    }
}
