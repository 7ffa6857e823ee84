import Foundation
import HostModel
import TestSupport
import Testing

/// Every repair in the program that owns the setting, with that program itself: broken, named, repaired, taken back,
/// repaired again, booted.
@Suite("A repair", .serialized) struct RemedyLoopTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var fault: String
        var backend = "nft"
        var cause: String
        /// A command of the plan that must be in it.
        var step: String
        /// Whether taking it back leads to the very state before; else what was dead stays alive.
        var isReversible = true

        var testDescription: String { "\(fault) \(backend)" }
    }

    static let cases: [Case] = [
        Case(
            fault: "lxc-net-stale-network-up=bridge", cause: "bridge-missing",
            step: "systemctl restart lxc-net.service", isReversible: false),
        Case(
            fault: "dnsmasq-not-running", cause: "lxc-net-stale-network-up",
            step: "systemctl restart lxc-net.service", isReversible: false),
        Case(
            fault: "bridge-missing", backend: "iptables-legacy", cause: "bridge-missing",
            step: "systemctl restart lxc-net.service"),
        Case(
            fault: "dhcp-range-outside-subnet=running", cause: "dhcp-range-outside-subnet",
            step: "systemctl stop lxc-net.service"),
        Case(
            fault: "lxc-net-config-not-sourced", cause: "lxc-net-config-not-sourced",
            step: "printf '%s\\n' '[ ! -f /etc/default/lxc-net ] || . /etc/default/lxc-net' >> /etc/default/lxc"),
        Case(
            fault: "lxc-net-not-enabled=masked", cause: "bridge-not-persistent",
            step: "systemctl unmask lxc-net.service"),
        Case(
            fault: "lxc-net-not-enabled=switched-off", cause: "bridge-not-persistent",
            step: "sed -i '1c\\USE_LXC_BRIDGE=\"true\"' /etc/default/lxc-net"),
        Case(
            fault: "masq-missing", backend: "iptables-nft", cause: "masq-missing",
            step: "iptables-nft -w 5 -t nat -A POSTROUTING -s 10.5.0.0/16 '!' -d 10.5.0.0/16 -j MASQUERADE"),
        Case(
            fault: "masq-shadowed-saved", backend: "iptables-nft", cause: "masq-shadowed",
            step: "iptables-nft -w 5 -t nat -I POSTROUTING 2 -s 10.5.0.0/16 '!' -d 10.5.0.0/16 -j MASQUERADE"),
        Case(
            fault: "masq-shadowed-saved", backend: "iptables-legacy", cause: "masq-shadowed",
            step: "iptables-legacy-restore --test /etc/iptables/rules.v4"),
        Case(
            fault: "forward-policy-drop-saved", backend: "iptables-nft", cause: "forward-policy-drop",
            step: "iptables-nft-restore --test /etc/iptables/rules.v4"),
        Case(
            fault: "forward-policy-drop-saved", backend: "iptables-legacy", cause: "forward-policy-drop",
            step: "iptables-legacy -w 5 -t filter -I FORWARD 1 -i lxcbr1 -j ACCEPT"),
        Case(
            fault: "ufw-forward-drop=other-rules", cause: "ufw-forward-drop",
            step: "iptables-nft-restore --test /etc/ufw/user.rules"),
        Case(fault: "firewalld-zone=default", cause: "firewalld-zone", step: "firewall-offline-cmd --check-config"),
        Case(
            fault: "config-links-other-bridge=libvirt", cause: "config-links-other-bridge",
            step: "sed -i '4c\\lxc.net.0.link = lxcbr1' /var/lib/lxc/stray/config"),
        Case(
            fault: "config-legacy-keys", cause: "config-legacy-keys", step: "lxc-info -P /var/lib/lxc -n stray -s"),
        Case(
            fault: "docker-forward-drop=started", cause: "docker-forward-drop",
            step: "systemd-analyze verify /etc/systemd/system/lxc-doctor-docker-lxcbr1.service"),
    ]

    private func parts(_ output: String) throws -> [String: String] {
        var parts: [String: String] = [:]
        for part in output.components(separatedBy: "REPORT ").dropFirst() {
            let end = try #require(part.firstIndex(of: "\n"))
            parts[String(part[..<end])] = String(part[part.index(after: end)...])
        }
        return parts
    }

    @Test("is made, taken back and made again, and outlives a boot", arguments: cases)
    func loop(item: Case) throws {
        let ended = try Program.lab(["--backend", item.backend, "--fault", item.fault], RemedyLoop.script)
        let parts = try parts(ended.output)
        func report(_ name: String) throws -> Report {
            let text = try #require(parts[name], "\(ended.messages)")
            return try JSONDecoder().decode(Report.self, from: Data(text.utf8))
        }
        let broken = try report("broken").causes.map(\.id)
        #expect(broken.contains(item.cause), "\(broken)")
        for name in ["repaired", "again"] {
            let after = try report(name)
            let open = after.findings.filter { $0.verdict == .unknown || $0.verdict == .blocked }
            #expect(
                after.verdict == .healthy,
                "\(name): \(after.causes.map(\.id)) \(open.map { "\($0.check): \($0.reason ?? "")" })")
            #expect(after.proof?.verdict == .masqueraded)
            if item.isReversible || name == "repaired" {
                let steps = after.fixes?.steps.map(\.command) ?? []
                #expect(steps.contains(item.step), "\(name): \(steps)")
            }
        }
        if item.isReversible {
            #expect(parts["undo"] == "SAME\n", "\(parts["undo"] ?? "") \(ended.messages)")
            #expect(parts["same"] == "SAME\n", "\(parts["same"] ?? "")")
        }
        let booted = try report("booted")
        #expect(booted.verdict == .healthy, "\(booted.causes.map(\.id)) \(ended.messages)")
        #expect(booted.proof?.verdict == .masqueraded)
    }
}
