import Foundation
import TestSupport
import Testing

/// Every remedy, killed at every instant that it comes to, on a practice host. What is compared, and what of it is
/// normalised away, stands in `Tests/Tools/crash-points`, which runs there.
enum CrashPoints {
    struct Case: Sendable, CustomTestStringConvertible {
        /// One, or several in their order with blanks between them.
        var remedy: String
        var fault: String
        /// A second fault, which the first one is to be repaired beside.
        var other: String?
        /// One, or several with blanks between them.
        var check: String
        var options: [String] = []
        /// Whether undo and recovery are killed, too.
        var deep = false
        /// For a repair that nothing takes back: the shell command that makes the fault once more.
        var reset: String?
        /// Whether the check judges by the packet proof.
        var fence = false

        var testDescription: String { "\(remedy): \(fault) \(other ?? "") \(options.joined(separator: " "))" }
    }

    struct Result: Decodable {
        var remedies: [String]
        var steps: Int
        var points: Int
        var before: Int
        var after: Int
        var undoPoints: Int?
        var recoveryPoints: Int?
    }

    static let tool = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Tools/crash-points")

    static func check(_ item: Case) throws {
        let script = try String(contentsOf: tool, encoding: .utf8)
        let ended = try Program.run(
            Program.path,
            ["lab", "run", "--fault", item.fault] + (item.other.map { ["--fault", $0] } ?? []) + item.options + [
                "--", "python3", "-c", script,
            ]
                + (item.reset.map { ["--reset=\($0)", "--replan"] } ?? []) + (item.deep ? ["--deep"] : [])
                + (item.fence ? ["--fence"] : []) + item.check.split(separator: " ").map(String.init))
        #expect(ended.status == 0, "\(ended.messages)")
        let result = try JSONDecoder().decode(Result.self, from: Data(ended.output.utf8))
        #expect(result.remedies == item.remedy.split(separator: " ").map(String.init))
        // Five instants in each write of the journal, of which there are two around every change, one before the
        // first and one after the last; one around each change at the least.
        #expect(result.points >= 10 + 12 * result.steps, "\(result)")
        #expect(result.before + result.after == result.points)
        // What nothing takes back is completed once it has begun.
        if item.reset == nil { #expect(result.before > result.after) }
        if item.deep {
            #expect((result.undoPoints ?? 0) > 10 && (result.recoveryPoints ?? 0) > 10, "\(result)")
        }
        TestResults.note(.killed, result.remedies)
    }
}

/// Remedies of links and addresses.
@Suite(.serialized) struct FixCrashLinkTests {
    @Test(arguments: [
        CrashPoints.Case(
            remedy: "bridge-create", fault: "bridge-missing=removed", other: "lxc-net-not-enabled=masked",
            check: "bridge.exists"),
        CrashPoints.Case(remedy: "bridge-create", fault: "bridge-missing", check: "bridge.exists"),
        CrashPoints.Case(remedy: "bridge-up", fault: "bridge-down", check: "bridge.up"),
        CrashPoints.Case(remedy: "bridge-address", fault: "bridge-wrong-address-or-mask", check: "bridge.address"),
        CrashPoints.Case(remedy: "forwarding", fault: "ip-forward-off", check: "forwarding.global"),
        CrashPoints.Case(
            remedy: "interface-forwarding", fault: "per-interface-forwarding-off", check: "forwarding.interfaces"),
        // Beside the switch itself, the files that would put it back.
        CrashPoints.Case(
            remedy: "interface-forwarding", fault: "per-interface-forwarding-off=hardened",
            check: "forwarding.interfaces"),
        CrashPoints.Case(
            remedy: "ipv6-forwarding", fault: "ipv6-forward-off", check: "forwarding.ipv6",
            options: ["--ipv6", "nat66"]),
        CrashPoints.Case(remedy: "ipv6-forwarding", fault: "ipv6-forward-off", check: "forwarding.ipv6", deep: true),
        CrashPoints.Case(
            remedy: "router-advertisements", fault: "ipv6-accept-ra-lost", check: "path.ipv6-advertisements"),
    ])
    func leavesNoThirdState(item: CrashPoints.Case) throws {
        try CrashPoints.check(item)
    }
}

/// Remedies of rules and files.
@Suite(.serialized) struct FixCrashFileTests {
    private static let rule = "POSTROUTING -s 10.5.0.0/16 ! -d 10.5.0.0/16 -j MASQUERADE"
    private static let forgottenAgain =
        "iptables -w -t nat -D \(rule); sh /root/old-flows; iptables -w -t nat -A \(rule)"

    @Test(arguments: [
        CrashPoints.Case(remedy: "masquerade", fault: "masq-missing", check: "nat.masquerade", deep: true),
        CrashPoints.Case(
            remedy: "masquerade", fault: "masq-missing", check: "nat.masquerade",
            options: ["--backend", "iptables-legacy"]),
        CrashPoints.Case(
            remedy: "masquerade", fault: "masq-shadowed=rules-v4", check: "nat.masquerade",
            options: ["--backend", "iptables-nft"]),
        CrashPoints.Case(remedy: "masquerade", fault: "masq-shadowed=exempt-conf", check: "nat.masquerade"),
        CrashPoints.Case(
            remedy: "firewall-accept", fault: "forward-policy-drop=rules-v4", check: "firewall.forward",
            options: ["--backend", "iptables-nft"], fence: true),
        CrashPoints.Case(
            remedy: "firewall-accept", fault: "forward-policy-drop=nftables-conf", check: "firewall.forwarded"),
        CrashPoints.Case(
            remedy: "lxc-net-configure", fault: "bridge-not-persistent", check: "bridge.persistent", deep: true),
        CrashPoints.Case(
            remedy: "lxc-net-configure", fault: "bridge-wrong-address-or-mask=settings", check: "bridge.address",
            deep: true),
        CrashPoints.Case(
            remedy: "lxc-net-configure", fault: "bridge-wrong-address-or-mask=settings", check: "bridge.address",
            options: ["--backend", "iptables-nft"]),
        CrashPoints.Case(
            remedy: "masquerade-persistent", fault: "masq-not-persistent=networkd", check: "nat.persistent", deep: true),
        CrashPoints.Case(
            remedy: "bridge-persistent", fault: "bridge-not-persistent=networkd-mask", check: "bridge.persistent"),
        CrashPoints.Case(
            remedy: "bridge-persistent", fault: "bridge-not-persistent=netplan-mask", check: "bridge.persistent"),
        CrashPoints.Case(
            remedy: "bridge-persistent", fault: "bridge-not-persistent=ifupdown-not-auto", check: "bridge.persistent"),
        CrashPoints.Case(
            remedy: "bridge-persistent", fault: "bridge-not-persistent=networkmanager-mask",
            check: "bridge.persistent"),
        CrashPoints.Case(
            remedy: "container-config", fault: "config-legacy-keys", check: "container.config-keys"),
        CrashPoints.Case(
            remedy: "makina-job", fault: "makina-shares-network-up", check: "host.makina-job-flag"),
        CrashPoints.Case(
            remedy: "makina-job", fault: "makina-job-guard=upstart", check: "bridge.persistent host.makina-job-guard"),
        CrashPoints.Case(
            remedy: "masquerade-persistent", fault: "nftables-flush-ruleset", check: "nat.persistent"),
        CrashPoints.Case(
            remedy: "forwarding-persistent", fault: "ip-forward-reset", check: "forwarding.next-boot"),
        CrashPoints.Case(
            remedy: "stale-flows", fault: "stale-conntrack=several", check: "nat.flows-current",
            reset: "nft flush chain ip lxc postrouting; sh /root/old-flows; "
                + "nft add rule ip lxc postrouting ip saddr 10.5.0.0/16 ip daddr != 10.5.0.0/16 counter masquerade"),
        CrashPoints.Case(
            remedy: "stale-flows", fault: "stale-conntrack=several", check: "nat.flows-current",
            options: ["--backend", "iptables-nft"], reset: forgottenAgain),
        CrashPoints.Case(
            remedy: "stale-flows", fault: "stale-conntrack=several", check: "nat.flows-current",
            options: ["--backend", "iptables-legacy"], reset: forgottenAgain),
        CrashPoints.Case(remedy: "network-up-flag", fault: "dnsmasq-not-running", check: "host.lxc-net-flag"),
    ])
    func leavesNoThirdState(item: CrashPoints.Case) throws {
        try CrashPoints.check(item)
    }
}

/// A repair that a power cut ends between lxc-net's stop and its start: it boots with the new settings, and the next start
/// of the doctor takes back what it made of them as well.
@Suite struct FixPowerCutTests {
    @Test(arguments: ["nft", "iptables-nft"])
    func whatABootInBetweenMadeIsTakenBackToo(backend: String) throws {
        let ended = try Program.lab(
            ["--fault", "bridge-wrong-address-or-mask=settings", "--backend", backend],
            RemedyLoop.functions + #"""

                only="--only bridge.address --proof off --quiet"
                settings() { grep -oE 'MASK=.*|NETWORK=.*' /etc/default/lxc-net | tr '\n' ' '; }
                rules() { nft list ruleset | grep -o 'saddr 10.5.0.0/[0-9]*' | sort -u | tr '\n' ' '; }
                lxc-doctor fix plan --format json=/tmp/plan $only
                before="$(settings)"; n=10
                while [ $n -lt 60 ]; do
                    LXC_DOCTOR_CRASH_AT=$n lxc-doctor fix apply --plan /tmp/plan --yes $only >/dev/null 2>&1
                    [ "$(settings)" != "$before" ] && [ ! -e /run/lxc/network_up ] && break
                    lxc-doctor fix history --quiet >/dev/null 2>&1
                    n=$((n + 1))
                done
                reboot >&2; rules; echo "$(ip -o -4 addr show lxcbr1 | awk '{print $4}')"
                lxc-doctor fix history --quiet >&2
                rules; echo "$(ip -o -4 addr show lxcbr1 | awk '{print $4}')"
                [ "$(settings)" = "$before" ] && pgrep -c -x dnsmasq
                """#)
        #expect(
            ended.output.split(separator: "\n") == [
                "saddr 10.5.0.0/16 10.5.0.1/16", "saddr 10.5.0.0/24 10.5.0.1/24", "1",
            ], "\(ended.output) \(ended.messages)")
    }
}

/// Remedies in the programs of others.
@Suite(.serialized) struct FixCrashProgramTests {
    @Test(arguments: [
        CrashPoints.Case(
            remedy: "firewall-accept", fault: "ufw-forward-drop=other-rules", check: "firewall.forwarded"),
        CrashPoints.Case(
            remedy: "firewall-accept", fault: "docker-forward-drop=started", check: "firewall.forwarded"),
        CrashPoints.Case(
            remedy: "firewalld-zone", fault: "firewalld-zone=default", check: "firewall.forward", fence: true),
        CrashPoints.Case(
            remedy: "shorewall-zone", fault: "shorewall-misconfig=recipe", check: "firewall.forwarded"),
    ])
    func leavesNoThirdState(item: CrashPoints.Case) throws {
        try CrashPoints.check(item)
    }
}
