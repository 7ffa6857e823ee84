import Foundation
import HostModel
import TestSupport
import Testing

/// A kernel without nf_tables: the proof falls back to what captures, routing and the kernel's drop reasons say, with
/// consent, and says that this is weaker.
@Suite("The proof on an old kernel", .serialized) struct ProofOldKernelTests {
    /// `without PROGRAM …` runs a program to which the kernel answers as one without nfnetlink does: sockets of
    /// NETLINK_NETFILTER are EPROTONOSUPPORT. Source: seccomp(2), socket(2).
    private static let without = """
        cat >/root/without.py <<'END'
        import ctypes, os, struct, sys
        number, kind = {"x86_64": (41, 0xc000003e), "aarch64": (198, 0xc00000b7)}[os.uname().machine]
        def op(code, jt, jf, k): return struct.pack("<HBBI", code, jt, jf, k)
        load, equal, give = 0x20, 0x15, 0x06
        code = b"".join([
            op(load, 0, 0, 4), op(equal, 0, 6, kind), op(load, 0, 0, 0), op(equal, 0, 4, number),
            op(load, 0, 0, 16), op(equal, 0, 2, 16), op(load, 0, 0, 32), op(equal, 1, 0, 12),
            op(give, 0, 0, 0x7fff0000), op(give, 0, 0, 0x00050000 | 93)])
        buffer = ctypes.create_string_buffer(code)
        program = ctypes.create_string_buffer(struct.pack("<HxxxxxxQ", len(code) // 8, ctypes.addressof(buffer)))
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(22, 2, program, 0, 0) < 0: sys.exit("seccomp: " + os.strerror(ctypes.get_errno()))
        os.execvp(sys.argv[1], sys.argv[1:])
        END
        without() { python3 /root/without.py "$@"; }

        """

    private func prove(_ options: String, _ setup: String = "true", backend: String = "iptables-legacy") throws
        -> ProofReport
    {
        let ended = try Program.lab(
            ["--backend", backend],
            Self.without + "{ \(setup); } >&2; without lxc-doctor prove --format json \(options)")
        return try JSONDecoder().decode(ProofReport.self, from: Data(ended.output.utf8))
    }

    @Test func withoutConsentNothingIsSent() throws {
        let report = try prove("--proof fence")
        #expect(report.verdict == .unknown)
        let reason = report.probes.first?.reason ?? ""
        #expect(reason.contains("no nftables tables with an owner"), "\(reason)")
        #expect(reason.contains("`--proof wire` does without, on weaker evidence"), "\(reason)")
    }

    @Test func aHealthyHostIsHealthyOnWeakerEvidence() throws {
        let report = try prove("--proof wire")
        #expect(report.verdict == .masqueraded)
        #expect(report.probes.count == 6)
        for probe in report.probes {
            #expect(probe.sourceAfter == "203.0.113.2" && probe.uplink == "up0" && probe.delivery == .confirmed)
            #expect(probe.reason?.contains("weaker evidence, from captures alone") == true, "\(probe)")
        }
        // Nothing would keep those from a server, and what bridges between containers is seen by the capture.
        let local = report.local ?? []
        #expect(local.filter { $0.kind != .eastWest }.allSatisfy { $0.arrival == .unknown })
        #expect(local.filter { $0.kind == .eastWest }.map(\.arrival) == [.arrived, .arrived, .arrived])
    }

    @Test(arguments: [
        ("iptables-legacy -t nat -F", ProofVerdict.leaked, "untranslated", ""),
        ("sysctl -qw net.ipv4.ip_forward=0", .dropped, "", "net.ipv4.ip_forward = 0"),
        ("iptables-legacy -I FORWARD -j DROP", .dropped, "", "a rule of netfilter"),
        ("ip route del default", .dropped, "", "there is no route"),
        ("ip -n internet link set isp0 arp off; ip neigh flush dev up0", .dropped, "", "nobody answers ARP"),
    ])
    func whatIsBrokenIsSeen(setup: String, verdict: ProofVerdict, reason: String, killer: String) throws {
        let report = try prove("--proof wire", setup)
        let worst = try #require(report.probes.min { $0.verdict < $1.verdict })
        #expect(worst.verdict == verdict, "\(worst)")
        if !reason.isEmpty { #expect(worst.reason?.contains(reason) == true, "\(worst)") }
        if !killer.isEmpty { #expect(worst.killer?.text.contains(killer) == true, "\(worst)") }
        #expect(worst.reason?.contains("weaker evidence") == true, "\(worst)")
    }
}
