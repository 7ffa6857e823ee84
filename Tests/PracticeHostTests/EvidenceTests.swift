import Foundation
import TestSupport
import Testing

/// What `--evidence` leaves behind, judged by tshark.
@Suite("Evidence", .serialized) struct EvidenceTests {
    private static let read =
        "tshark -r /tmp/e/packets.pcapng -T fields -E separator='|' -e frame.interface_name -e ip.src -e frame.comment"
        + " -e frame.time_epoch 2>/dev/null"

    private func packets(_ options: [String], _ command: String, _ setup: String = "") throws -> [[String]] {
        let ended = try Program.lab(options, setup + command + "; " + Self.read)
        return ended.output.split(separator: "\n").map { line in
            line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
        }
    }

    @Test func tsharkReadsTheWayOfAHealthyProbe() throws {
        let began = Date().timeIntervalSince1970
        let packets = try packets([], "lxc-doctor prove --quiet --evidence /tmp/e")
        let port = packets.filter { $0[2] == "as the container sent it" }
        #expect(port.count >= 9)
        #expect(port.allSatisfy { $0[0].hasPrefix("lxcdoc") })
        let stopped = packets.filter { $0[0] == "netfilter ip postrouting" }
        let between = stopped.filter { $0[2].hasSuffix("at the door of the second container") }
        #expect(between.count == 3 && between.allSatisfy { $0[2].hasPrefix("untranslated") })
        let caught = stopped.filter { !$0[2].hasSuffix("at the door of the second container") }
        #expect(caught.count == 6)
        #expect(caught.allSatisfy { $0[1] == "203.0.113.2" && $0[2].contains("after MASQUERADE") })
        #expect(Set(packets.map { $0[0] }).isSuperset(of: ["lxcbr1", "netfilter ip forward.first"]))
        #expect(packets.allSatisfy { (Double($0[3]) ?? 0) >= began - 60 })
    }

    @Test(arguments: ["nft", "iptables-legacy"])
    func theKillerIsWrittenOnTheLastSighting(backend: String) throws {
        let packets = try packets(
            ["--backend", backend, "--fault", "forward-policy-drop"], "lxc-doctor --quiet --evidence /tmp/e")
        let killed = packets.filter { $0[2].contains("killed here by") }
        #expect(killed.count >= 6)
        #expect(killed.contains { $0[2].lowercased().contains("forward") }, "\(killed)")
        #expect(killed.allSatisfy { $0[0].hasPrefix("netfilter ip forward") }, "\(killed)")
    }

    @Test func theFilesBelongToTheirOwnerAlone() throws {
        let ended = try Program.lab(
            ["--fault", "masq-missing"],
            """
            umask 0; lxc-doctor --quiet --evidence /tmp/e; stat -c '%a %n' /tmp/e /tmp/e/*
            lxc-doctor prove --quiet --evidence /tmp/e; ls /tmp/e
            lxc-doctor --replay /tmp/e/recording.json --quiet --proof fence; echo "replay $?"
            mkdir -m 0777 /tmp/open; lxc-doctor prove --quiet --evidence /tmp/open; echo "open $?"
            ln -s /tmp/e /tmp/link; lxc-doctor prove --quiet --evidence /tmp/link; echo "link $?"
            mkdir -m 0700 /tmp/mine; ln -s /etc/passwd /tmp/mine/trace.txt
            lxc-doctor prove --quiet --evidence /tmp/mine; echo "file $?"; tail -c 5 /etc/passwd >/dev/null
            grep -c lxcdoc /etc/passwd
            lxc-doctor prove --quiet --evidence /no/such/place; echo "nowhere $?"
            """)
        let lines = ended.output.split(separator: "\n").map(String.init)
        #expect(
            lines == [
                "700 /tmp/e", "600 /tmp/e/packets.pcapng", "600 /tmp/e/recording.json", "600 /tmp/e/trace.txt",
                "packets.pcapng", "recording.json", "trace.txt", "replay 2", "open 64", "link 64", "file 64", "0",
                "nowhere 64",
            ], "\(ended.output)\(ended.messages)")
        // One line for each refusal.
        #expect(ended.messages.split(separator: "\n").count == 4, "\(ended.messages)")
    }
}
