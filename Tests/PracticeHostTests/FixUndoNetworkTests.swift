import Foundation
import TestSupport
import Testing

/// `fix undo` of a network that was made again beneath running containers.
@Suite(.serialized) struct FixUndoNetworkTests {
    /// What `state` says, and whom the container reaches, in whose words.
    private static let functions =
        RemedyLoop.functions + #"""

            ports() {
                for name in $(lxc-ls -1 --running); do
                    echo "$name"; process=$(lxc-info -n "$name" -pH)
                    nsenter --net="/proc/$process/ns/net" ip -o -4 addr; nsenter --net="/proc/$process/ns/net" ip route
                done
                bridge link | grep -v lxcdoc | sed -E 's/^[0-9]+: (veth[^@]*).* (master [^ ]*) .*/\1 \2/'
            }
            all() { state; ports; }
            repair() { lxc-doctor --auto-remediate --yes --quiet >&2; echo "repaired $?"; }
            reaches() { lxc-attach -n "$1" -- ping -c 1 -W 2 198.51.100.7 >&2 && echo "$1 reaches"; }
            same() { all | diff "$1" - && echo "as $2"; }

            """#

    private func run(_ faults: [String], _ options: [String] = [], _ script: String) throws -> (
        lines: [String], words: String
    ) {
        let ended = try Program.lab(
            ["--containers", "1"] + faults.flatMap { ["--fault", $0] } + options, Self.functions + script)
        return (
            ended.output.split(separator: "\n").map(String.init), "\(ended.output) \(ended.messages)"
        )
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var faults: [String]
        var backend = "nft"

        var testDescription: String { "\(faults.joined(separator: " ")) \(backend)" }
    }

    static let cases: [Case] = [
        Case(faults: ["bridge-missing"]), Case(faults: ["bridge-missing=removed"]),
        Case(faults: ["bridge-missing=removed"], backend: "iptables-nft"),
        Case(faults: ["lxc-net-stale-network-up=bridge"]),
        // lxc-net's start switches it on, and its stop leaves it on.
        Case(faults: ["bridge-missing", "ip-forward-off"]),
    ]

    /// The bridge goes, rules that were left of it stay, and the container is as unplugged as it was.
    @Test("is as before, and can be repaired again", arguments: cases)
    func exactly(item: Case) throws {
        let ended = try run(
            item.faults, ["--backend", item.backend],
            """
            all >/tmp/before; repair; reaches c1; all >/tmp/repaired
            lxc-doctor fix undo --yes --quiet; echo "undo $?"; same /tmp/before before
            repair; reaches c1; same /tmp/repaired repaired
            """)
        #expect(
            ended.lines == [
                "repaired 0", "c1 reaches", "undo 0", "as before", "repaired 0", "c1 reaches", "as repaired",
            ], "\(ended.words)")
    }

    /// A container that came since would be cut off: nothing is changed, and it is named.
    @Test("is refused while somebody else uses the bridge", arguments: ["bridge-missing", "bridge-missing=removed"])
    func refused(fault: String) throws {
        let ended = try run(
            [fault], [],
            """
            all >/tmp/before; repair
            ip link add vethother type veth peer name other; ip link set vethother master lxcbr1 up; ip link set other up
            all >/tmp/now
            lxc-doctor fix undo --yes >/tmp/words; echo "undo $?"; grep -c 'lxcbr1 has ports of others: vethother' /tmp/words
            same /tmp/now now; reaches c1
            ip link del vethother; lxc-doctor fix undo --yes --quiet; echo "undo $?"; same /tmp/before before
            """)
        #expect(
            ended.lines == ["repaired 0", "undo 2", "1", "as now", "c1 reaches", "undo 0", "as before"],
            "\(ended.words)")
    }

    /// Nobody knows what the start replaced: the plan says so of the container's port as well, which stays with the bridge.
    @Test func whatStaysKeepsItsContainer() throws {
        let ended = try run(
            ["bridge-missing=removed"], [],
            """
            nft add rule inet lxc forward counter
            lxc-doctor fix plan --format json | grep -c '"reversal" : "none"'
            repair; reaches c1; all >/tmp/repaired
            lxc-doctor fix undo --yes >/tmp/words; echo "undo $?"; grep -c 'nothing of it can be taken back: lxc-net' /tmp/words
            same /tmp/repaired repaired; reaches c1
            """)
        #expect(
            ended.lines == ["4", "repaired 0", "c1 reaches", "undo 2", "1", "as repaired", "c1 reaches"],
            "\(ended.words)")
    }
}
