import TestSupport
import Testing

/// What other programs do to rulesets all day long takes no repair away.
@Suite(.serialized) struct FixLastingTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var fault: String
        /// A second fault, which comes after it and is repaired with it.
        var other: String?
        var backend = "nft"
        /// What happens to the ruleset afterwards.
        var disturbance: String

        var testDescription: String { "\(fault) \(other ?? "") \(backend): \(disturbance)" }
    }

    @Test(
        "outlives reloads and restarts",
        arguments: [
            Case(
                fault: "nftables-flush-ruleset=now",
                disturbance: "systemctl reload nftables; nft flush ruleset; nft -f /etc/nftables.conf"),
            Case(
                fault: "nftables-flush-ruleset=now", backend: "iptables-nft",
                disturbance: "systemctl reload nftables"),
            Case(
                fault: "ufw-forward-drop=enabled",
                disturbance: "ufw reload; ufw reload; ufw disable; ufw --force enable"),
            Case(fault: "firewalld-zone=default", disturbance: "firewall-cmd --reload"),
            Case(fault: "firewalld-zone=default", other: "masq-missing", disturbance: "firewall-cmd --reload"),
            Case(fault: "ufw-forward-drop=enabled", other: "masq-missing", disturbance: "ufw reload; ufw reload"),
            Case(
                fault: "docker-forward-drop=started", other: "masq-missing",
                disturbance: "systemctl restart docker"),
            Case(
                fault: "masq-missing", other: "docker-forward-drop=dockerd", backend: "iptables-nft",
                disturbance: "systemctl restart docker; sleep 3"),
            Case(
                fault: "docker-forward-drop=started",
                disturbance: "iptables -F DOCKER-USER; iptables -A DOCKER-USER -j RETURN; systemctl restart docker"),
            Case(
                fault: "docker-forward-drop=dockerd",
                disturbance: "systemctl restart docker; sleep 3; iptables -S DOCKER-USER | grep lxcbr1"),
            Case(fault: "shorewall-misconfig=no-zone", disturbance: "shorewall restart"),
            Case(
                fault: "shorewall-misconfig=no-zone", backend: "iptables-legacy", disturbance: "shorewall restart"),
            Case(
                fault: "masq-shadowed=exempt-conf", disturbance: "nft flush ruleset; systemctl reload nftables"),
            Case(
                fault: "docker-forward-drop=operators-drops",
                disturbance: "iptables -F FORWARD; systemctl restart docker"),
            Case(
                fault: "masq-shadowed=rules-v4", backend: "iptables-nft",
                disturbance: "systemctl restart netfilter-persistent"),
        ])
    func outlives(item: Case) throws {
        let ended = try Program.lab(
            ["--backend", item.backend, "--fault", item.fault] + (item.other.map { ["--fault", $0] } ?? []),
            """
            lxc-doctor --auto-remediate --yes --quiet >&2; echo "repaired $?"
            { \(item.disturbance); } >&2 2>&1 || echo failed
            lxc-doctor --format json >/tmp/report; echo "then $?"
            python3 -c 'import json; print(json.load(open("/tmp/report"))["proof"]["verdict"])'
            """)
        #expect(
            ended.output.split(separator: "\n") == ["repaired 0", "then 0", "masqueraded"],
            "\(ended.output) \(ended.messages)")
    }

    struct Site: Sendable, CustomTestStringConvertible {
        var fault: String
        var backend = "nft"
        /// What loads the rules once more.
        var reload: String
        /// Sites that know the way back to the containers.
        var sites = ["192.168.77.5"]

        var testDescription: String { "\(fault) \(backend)" }
    }

    /// A site behind a tunnel knows the way back: what goes there keeps its address, by design, before and after; on the
    /// wire, and for the model of the ruleset.
    @Test(arguments: [
        Site(
            fault: "masq-shadowed=rules-v4", backend: "iptables-nft", reload: "systemctl restart netfilter-persistent"),
        Site(
            fault: "masq-shadowed=rules-v4", backend: "iptables-legacy",
            reload: "systemctl restart netfilter-persistent"),
        Site(fault: "masq-shadowed=exempt", reload: "true", sites: ["192.168.77.5", "192.168.78.5"]),
        Site(
            fault: "masq-shadowed=exempt-conf", reload: "systemctl restart nftables",
            sites: ["192.168.77.5", "192.168.78.5"]),
    ])
    func aSiteThatIsExemptStaysSo(item: Site) throws {
        let ended = try Program.lab(
            ["--backend", item.backend, "--containers", "1", "--fault", item.fault],
            """
            for site in \(item.sites.joined(separator: " ")); do
                ip netns exec internet ip address add $site/32 dev isp0
            done
            ip netns exec internet ip route add 10.5.0.0/16 via 203.0.113.2
            heard() {
                rm -f /tmp/dump*
                ip netns exec internet tcpdump -lni isp0 --immediate-mode -c 1 icmp and dst "$1" \
                    2>/tmp/dump.err >/tmp/dump &
                until grep -q listening /tmp/dump.err; do sleep 0.02; done
                lxc-attach -n c1 -- ping -c 1 -W 2 "$1" >/dev/null
                wait
                sed -E 's/.*IP ([0-9.]+) > .*/\\1/' /tmp/dump
            }
            own=$(lxc-info -n c1 -iH)
            for address in \(item.sites.joined(separator: " ")) 198.51.100.7; do
                [ "$(heard $address)" = "$own" ] && echo untranslated
            done
            # The flows of these pings are older than the repair: what of them should be translated is forgotten.
            lxc-doctor --auto-remediate --yes --quiet >&2 && echo repaired
            \(item.reload)
            for site in \(item.sites.joined(separator: " ")); do
                [ "$(heard $site)" = "$own" ] && echo exempt
                lxc-doctor verify --packet "udp $own:1 > $site:53 iif lxcbr1" | grep -o "as $own"
            done
            heard 198.51.100.7
            lxc-doctor verify --packet "udp $own:1 > 198.51.100.7:53 iif lxcbr1" | grep -o "as 203.0.113.2"
            """)
        let own = ended.output.split(separator: "\n").first { $0.hasPrefix("as 10.5.") } ?? "as ?"
        #expect(
            ended.output.split(separator: "\n")
                == Array(repeating: "untranslated", count: item.sites.count + 1) + ["repaired"]
                + item.sites.flatMap { _ in ["exempt", own] } + ["203.0.113.2", "as 203.0.113.2"],
            "\(ended.output) \(ended.messages)")
    }
}
