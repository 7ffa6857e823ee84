import Foundation
import HostModel
import TestSupport
import Testing

/// What is printed beside "by hand", pasted into a shell as it stands: the fault is gone.
@Suite("Typed by hand", .serialized) struct TypedByHandTests {
    static let faults: [(fault: String, backend: String)] = [
        ("bridge-port-isolated", "nft"), ("mtu-blackhole", "nft"), ("mtu-blackhole", "iptables-nft"),
        ("mtu-blackhole", "iptables-legacy"), ("mtu-blackhole=route", "nft"), ("mtu-blackhole=silent", "nft"),
        ("mtu-blackhole=silent", "iptables-nft"), ("container-no-default-route", "nft"),
        ("container-wrong-gateway", "nft"), ("veth-not-in-bridge", "nft"), ("veth-host-side-down", "nft"),
        ("veth-leftover-port-limit", "nft"), ("hosting-point-to-point", "nft"), ("config-legacy-keys", "nft"),
    ]

    @Test(arguments: faults) func repairs(fault: String, backend: String) throws {
        let ended = try Program.lab(
            ["--backend", backend, "--fault", fault],
            """
            lxc-doctor --format json >/tmp/report
            python3 -c '
            import json
            for cause in json.load(open("/tmp/report"))["causes"]:
                print("\\n".join(cause["remedy"]["commands"]))' >/tmp/typed
            sh -x /tmp/typed >&2
            lxc-doctor --format json; echo SPLIT; cat /tmp/report
            """)
        let reports = try ended.output.components(separatedBy: "SPLIT\n").map {
            try JSONDecoder().decode(Report.self, from: Data($0.utf8))
        }
        try #require(reports.count == 2)
        #expect(reports[1].causes.map(\.id) == [String(fault.prefix { $0 != "=" })], "\(reports[1].causes.map(\.id))")
        #expect(reports[0].causes.isEmpty, "\(reports[0].causes.map(\.id)) \(ended.messages)")
        #expect(reports[0].verdict == .healthy)
    }
}
