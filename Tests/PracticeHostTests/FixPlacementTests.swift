import HostModel
import TestSupport
import Testing

/// A repair of a firewall opens what its end stopped; what the operator drops on purpose stays dropped: for the model of
/// the ruleset, for the proof, and on the wire.
@Suite("Deliberate drops", .serialized) struct FixPlacementTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var options: [String]
        /// `drop ADDRESS`: drops what comes from there; then what should end everything else.
        var ruleset: String
        /// A list of ports or destinations for the whole network: told as what it is, and nothing to repair.
        var isList = false

        var testDescription: String { name }
    }

    private static let nft = """
        nft 'add table inet filter; add chain inet filter forward { type filter hook forward priority 10; }'
        drop() { nft "add rule inet filter forward ip saddr $1 drop"; }
        nft add rule inet filter forward ip daddr 192.0.2.0/24 reject
        """

    /// lxc-net's own rules are gone; the policy, a rule or a chain drops.
    private static func iptables(_ end: String) -> String {
        """
        iptables -D FORWARD -i lxcbr1 -j ACCEPT; iptables -D FORWARD -o lxcbr1 -j ACCEPT
        drop() { iptables -A FORWARD -s "$1" -j DROP; \(end); }
        iptables -A FORWARD -d 192.0.2.0/24 -j REJECT
        """
    }

    private static let ends = [
        "policy": "iptables -P FORWARD DROP",
        "reject": "iptables -A FORWARD -j REJECT --reject-with icmp-host-prohibited",
        "chain":
            "iptables -N gone; iptables -A gone -m limit --limit 3/min -j LOG; iptables -A gone -j DROP; "
            + "iptables -I FORWARD -d 192.0.2.128/25 -j gone; iptables -A FORWARD -j gone",
    ]

    static let cases: [Case] =
        [
            Case(
                name: "nft, policy", options: ["--backend", "nft"],
                ruleset: nft + "\nnft 'add chain inet filter forward { policy drop; }'"),
            Case(
                name: "nft, rule", options: ["--backend", "nft"],
                ruleset: nft.replacing("drop\"; }", with: "drop\"; nft add rule inet filter forward counter drop; }")),
        ]
        + ["iptables-nft", "iptables-legacy"].flatMap { backend in
            ends.sorted { $0.key < $1.key }.map {
                Case(name: "\(backend), \($0.key)", options: ["--backend", backend], ruleset: iptables($0.value))
            }
        }

    /// c1 is the one that is dropped on purpose, c2 is any other.
    @Test(arguments: cases)
    func stayInForce(item: Case) throws {
        let ended = try Program.lab(
            item.options + ["--containers", "2"],
            """
            bad=$(lxc-info -n c1 -iH); good=$(lxc-info -n c2 -iH)
            { \(item.ruleset)
            drop "$bad"; } >&2
            heard() {
                rm -f /tmp/dump*
                ip netns exec internet tcpdump -lni isp0 --immediate-mode icmp and dst 198.51.100.7 \
                    2>/tmp/dump.err >/tmp/dump & dump=$!
                until grep -q listening /tmp/dump.err; do sleep 0.02; done
                lxc-attach -n "$1" -- ping -c 2 -W 1 198.51.100.7 >/dev/null
                sleep 0.1; kill $dump; wait $dump 2>/dev/null
                grep -c 'echo request' /tmp/dump
            }
            verdict() { python3 -c 'import json, sys; print(json.load(sys.stdin)["verdict"])'; }
            look() {
                lxc-doctor prove --container c1 --format json | verdict
                lxc-doctor prove --container c2 --format json | verdict
                for packet in "$bad:1 > 198.51.100.7:53" "$good:1 > 198.51.100.7:53" "$good:1 > 192.0.2.200:53"; do
                    lxc-doctor verify --packet "udp $packet iif lxcbr1" --format json | verdict
                done
                heard c1; heard c2
            }
            ends() {
                { iptables-save -t filter; iptables-legacy-save -t filter; nft -s list ruleset; } 2>/dev/null |
                    grep -E 'drop|DROP|reject|REJECT' | sed 's/ \\[.*//' | sort
            }
            ends >/tmp/before
            look
            lxc-doctor fix apply --yes --quiet --only firewall.forwarded >&2; echo "fixed $?"
            look
            lxc-doctor fix apply --yes --quiet --only firewall.forwarded >&2; ls /var/lib/lxc-doctor/journal | wc -l
            ends | diff /tmp/before - && echo KEPT
            """)
        let closed = ["dropped", "dropped", "dropped", "dropped", "dropped", "0", "0"]
        let open = ["dropped", "masqueraded", "dropped", "accepted", "dropped", "0", "2"]
        #expect(
            ended.output.split(separator: "\n").map(String.init) == closed + ["fixed 0"] + open + ["1", "KEPT"],
            "\(ended.output) \(ended.messages)")
    }

    private static let ports =
        "\nnft add rule inet filter forward iifname lxcbr1 tcp dport '{ 22, 443 }' accept"
        + "\nnft 'add chain inet filter forward { policy drop; }'"

    /// A list of what may go out whose answers are dropped: they are let in, and nothing more is let out.
    @Test func answersOfAListAreLetIn() throws {
        let ended = try Program.lab(
            ["--backend", "nft"],
            """
            { \(Self.nft + Self.ports); } >&2
            nft -s list table inet filter >/tmp/before
            lxc-doctor --auto-remediate --yes >&2; echo "fixed $?"
            nft -s list table inet filter | diff /tmp/before - | grep '^[<>]' | tr -d '\\t'
            """)
        #expect(
            ended.output == "fixed 1\n> oifname \"lxcbr1\" ct state established,related accept\n",
            "\(ended.output) \(ended.messages)")
    }

    /// Repairs what can be; says whether any rule is another then, and leaves what the report says in a file.
    private static let repairedAlike = """
        rules() {
            { nft -s list ruleset; iptables-legacy-save; cat /etc/shorewall/policy /etc/ufw/user.rules; } 2>/dev/null |
                sed 's/^#.*//; s/ \\[.*//'
        }
        rules >/tmp/before
        lxc-doctor --auto-remediate --yes >/tmp/words; echo "fixed $?"
        rules | diff /tmp/before - && echo same
        """

    /// What containers may do is somebody's decision; a shape for each way to write it.
    static let allowances: [Case] =
        [
            Case(
                name: "nft, ports", options: ["--backend", "nft"],
                ruleset: nft + "\nnft add rule inet filter forward ct state established,related accept"
                    + ports, isList: true),
            Case(
                name: "nft, one set of containers", options: ["--backend", "nft"],
                ruleset: nft + """

                    nft add set inet filter ok '{ type ipv4_addr; elements = { 10.5.92.18 }; }'
                    nft add rule inet filter forward ct state vmap '{ established : accept, related : accept }'
                    nft add rule inet filter forward ip saddr @ok accept; nft add rule inet filter forward drop
                    """),
            Case(
                name: "ufw", options: ["--fault", "ufw-forward-drop=enabled"],
                ruleset: "ufw route allow in on lxcbr1 to any port 443 proto tcp"),
            Case(
                name: "Docker", options: ["--fault", "docker-forward-drop"],
                ruleset: "iptables -I DOCKER-USER -i lxcbr1 -p tcp --dport 443 -j ACCEPT"),
            Case(
                name: "shorewall", options: ["--fault", "shorewall-misconfig=no-policy"],
                ruleset: "echo ACCEPT lxc net tcp 443 >>/etc/shorewall/rules; shorewall restart"),
            Case(
                name: "nft, a set that is filled later", options: ["--backend", "nft"],
                ruleset: nft + """

                    nft add set inet filter ok '{ type ipv4_addr; flags timeout; }'
                    nft add rule inet filter forward ct state established,related accept
                    nft add rule inet filter forward iifname lxcbr1 ip daddr @ok accept
                    nft add rule inet filter forward drop
                    """),
            Case(
                name: "nft, a set of sources that is filled later", options: ["--backend", "nft"],
                ruleset: nft + """

                    nft add set inet filter ok '{ type ipv4_addr; flags timeout; }'
                    nft add rule inet filter forward ip saddr @ok accept
                    nft 'add chain inet filter forward { policy drop; }'
                    """),
            Case(
                name: "nft, everybody but the bridge", options: ["--backend", "nft"],
                ruleset: nft + """

                    nft add rule inet filter forward iifname != '{ "lxcbr1", "other" }' oifname up0 accept
                    nft 'add chain inet filter forward { policy drop; }'
                    """),
            Case(
                name: "legacy, everybody but the network", options: ["--backend", "iptables-legacy"],
                ruleset: iptables("true") + """

                    iptables -A FORWARD ! -s 10.5.0.0/16 -o up0 -j ACCEPT; iptables -P FORWARD DROP
                    """),
            Case(
                name: "nft, IPv6 alone", options: ["--backend", "nft", "--ipv6", "nat66"],
                ruleset: nft + """

                    nft add rule inet filter forward ct state established,related accept
                    nft add rule inet filter forward iifname lxcbr1 meta nfproto ipv6 tcp dport 443 accept
                    nft add rule inet filter forward drop
                    """),
            Case(
                name: "ufw, a private destination", options: ["--fault", "ufw-forward-drop=enabled"],
                ruleset: "ufw route allow from 10.5.0.0/16 to 192.168.10.5 port 5432 proto tcp"),
            Case(
                name: "requests of one container", options: ["--backend", "iptables-nft"],
                ruleset: """
                    iptables -F INPUT; iptables -P INPUT DROP
                    iptables -A INPUT -i lxcbr1 -m mac --mac-source 02:00:00:00:00:01 -p udp --dport 67 -j ACCEPT
                    """),
            Case(
                name: "nobody's requests", options: ["--backend", "iptables-legacy"],
                ruleset: "iptables -F INPUT; iptables -A INPUT -i lxcbr1 -j DROP"),
        ]
        + ["iptables-nft", "iptables-legacy"].flatMap { backend in
            [
                "--dport 443", "-p udp --dport 443", "--dport 22", "-d 192.0.2.0/24", "-s 10.5.92.18/32",
            ].map { (rule: String) in
                let matches = rule.hasPrefix("--") ? "-p tcp " + rule : rule
                return Case(
                    name: "\(backend), \(rule)", options: ["--backend", backend],
                    ruleset: """
                        iptables -D FORWARD -i lxcbr1 -j ACCEPT; iptables -D FORWARD -o lxcbr1 -j ACCEPT
                        iptables -P FORWARD DROP
                        iptables -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
                        iptables -A FORWARD \(rule.hasPrefix("-s") ? "" : "-i lxcbr1") \(matches) -j ACCEPT
                        """,
                    isList: !rule.contains("udp") && !rule.hasPrefix("-s"))
            }
        }

    @Test(arguments: allowances)
    func isNotOpened(item: Case) throws {
        let ended = try Program.lab(
            item.options,
            """
            { \(item.ruleset); } >&2
            \(Self.repairedAlike)
            grep -c 'repair *left to a person' /tmp/words; grep -c 'Next: .*--auto-remediate' /tmp/words
            lxc-doctor fix plan | grep -c 'so that the rest may be dropped on purpose'
            """)
        let expected = item.isList ? "fixed 1\nsame\n0\n0\n0\n" : "fixed 2\nsame\n1\n0\n1\n"
        #expect(ended.output == expected, "\(ended.output) \(ended.messages)")
    }

    /// What hosts have beside a forward chain that drops and that says nothing about these containers.
    @Test(arguments: [
        // A server of a tunnel, which is no client that keeps everybody to it.
        "-i wg0 -j ACCEPT; iptables -A FORWARD -o wg0 -j ACCEPT", "-p udp --dport 33434:33523 -j ACCEPT",
        "-p tcp --syn -m limit --limit 1/s -j ACCEPT", "-i docker0 ! -o docker0 -j ACCEPT",
        "-d 172.17.0.2 -o docker0 -p tcp --dport 80 -j ACCEPT",
    ])
    func isOpened(rule: String) throws {
        let ended = try Program.lab(
            ["--backend", "iptables-nft", "--fault", "forward-policy-drop"],
            """
            { iptables -A FORWARD \(rule); iptables -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT; } >&2
            lxc-doctor --quiet; echo "before $?"
            lxc-doctor fix apply --yes --quiet >&2; echo "fixed $?"
            """)
        #expect(ended.output == "before 2\nfixed 0\n", "\(ended.output) \(ended.messages)")
    }

    /// Whoever drops what containers send, or leaves it untranslated, in words about it, means it.
    static let decisions: [Case] = [
        Case(
            name: "shorewall's policy", options: ["--fault", "shorewall-misconfig=no-policy"],
            ruleset: "sed -i '1i lxc net REJECT info # none' /etc/shorewall/policy; shorewall restart"),
        Case(
            name: "DOCKER-USER", options: ["--fault", "docker-forward-drop"],
            ruleset: "iptables -I DOCKER-USER -i lxcbr1 -j DROP"),
        Case(
            name: "DOCKER-USER, answers", options: ["--fault", "docker-forward-drop"],
            ruleset: "iptables -I DOCKER-USER -i up0 -o lxcbr1 -j DROP"),
        Case(
            name: "iptables, answers", options: ["--backend", "iptables-nft", "--fault", "forward-policy-drop=policy"],
            ruleset: "iptables -A FORWARD -i up0 -o lxcbr1 -j DROP"),
        Case(
            name: "a zone of firewalld", options: ["--fault", "firewalld-zone=default"],
            ruleset: "for how in '' --permanent; do firewall-cmd $how --zone=drop --add-interface=lxcbr1; done"),
        Case(
            name: "everybody but the network, translated", options: ["--backend", "nft"],
            ruleset: """
                nft delete table ip lxc
                nft 'table ip n { chain post { type nat hook postrouting priority 100;
                    ip saddr != 10.5.0.0/16 oifname "up0" masquerade; }; }'
                """),
        Case(
            name: "the same in legacy", options: ["--backend", "iptables-legacy"],
            ruleset:
                "iptables -t nat -F; iptables -t nat -A POSTROUTING ! -s 10.0.0.0/8 -o up0 -j MASQUERADE"),
        Case(
            name: "ufw", options: ["--fault", "ufw-forward-drop=enabled"],
            ruleset: "ufw route reject in on lxcbr1 out on up0"),
        Case(
            name: "a verdict map", options: ["--backend", "nft"],
            ruleset: """
                nft delete table ip lxc
                nft 'table ip n { chain post { type nat hook postrouting priority 100;
                    ip saddr 10.5.0.0/16 ip daddr vmap { 172.20.0.0/16 : accept }; }; }'
                """),
        Case(
            name: "an exemption of iptables", options: ["--backend", "nft"],
            ruleset:
                "nft delete table ip lxc; iptables-nft -t nat -A POSTROUTING -s 10.5.0.0/16 -d 172.20.0.0/16 -j ACCEPT"
        ),
    ]

    @Test(arguments: decisions)
    func isNotOverruled(item: Case) throws {
        let ended = try Program.lab(
            item.options,
            """
            { \(item.ruleset); } >&2
            \(Self.repairedAlike)
            grep -c 'repair *left to a person' /tmp/words; grep -c 'by hand  ' /tmp/words
            """)
        #expect(ended.output == "fixed 2\nsame\n1\n0\n", "\(ended.output) \(ended.messages)")
    }

    /// What was tried and taken back is not promised again.
    @Test func isNotPromisedAfterwards() throws {
        let ended = try Program.lab(
            ["--backend", "nft"],
            """
            nft delete table ip lxc
            lxc-doctor --auto-remediate --yes --confirm-within 1 >/tmp/words; echo "fixed $?"
            grep -c 'ROLLED BACK' /tmp/words; grep -c 'repair *left to a person: tried and taken back: ' /tmp/words
            grep -c -e '--auto-remediate does it' -e 'Next: .* fix plan' /tmp/words
            """)
        #expect(ended.output == "fixed 2\n1\n1\n0\n", "\(ended.output) \(ended.messages)")
    }

    /// A plan that was saved knows nothing of what the operator has allowed since.
    @Test func isNotOpenedByASavedPlan() throws {
        let ended = try Program.lab(
            ["--fault", "forward-policy-drop=policy"],
            """
            lxc-doctor fix plan --format json >/tmp/plan
            nft add rule inet filter forward iifname lxcbr1 tcp dport 443 accept
            nft -s list ruleset >/tmp/before
            lxc-doctor fix apply --plan /tmp/plan --yes >/tmp/words; echo "fixed $?"
            nft -s list ruleset | diff /tmp/before - && echo same
            tr -s ' \n' ' ' </tmp/words | grep -c 'the plan is stale: forward-policy-drop '
            """)
        #expect(ended.output == "fixed 2\nsame\n1\n", "\(ended.output) \(ended.messages)")
    }

    /// The file that is loaded at boot has its own order; the accepts go ahead of what ends everything there.
    @Test(arguments: ["iptables-nft", "iptables-legacy"])
    func stayInForceInSavedRules(backend: String) throws {
        let ended = try Program.lab(
            ["--backend", backend, "--fault", "forward-policy-drop=rules-v4"],
            """
            sed -i 's/^:FORWARD DROP/:FORWARD ACCEPT/; s/^COMMIT/-A FORWARD -s 10.5.0.66\\/32 -j DROP\\n-A FORWARD -j DROP\\nCOMMIT/' \
                /etc/iptables/rules.v4
            systemctl restart netfilter-persistent >&2
            lxc-doctor fix apply --yes --quiet >&2; echo "fixed $?"
            grep '^-A FORWARD' /etc/iptables/rules.v4
            iptables -F FORWARD; systemctl restart netfilter-persistent >&2
            lxc-doctor --quiet; echo "booted $?"
            lxc-doctor verify --quiet --packet 'udp 10.5.0.66:1 > 198.51.100.7:53 iif lxcbr1'; echo "meant $?"
            """)
        #expect(
            ended.output.split(separator: "\n").map(String.init) == [
                "fixed 0", "-A FORWARD -s 192.0.2.0/24 -j ACCEPT", "-A FORWARD -s 10.5.0.66/32 -j DROP",
                "-A FORWARD -o lxcbr1 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
                "-A FORWARD -i lxcbr1 -j ACCEPT", "-A FORWARD -j DROP", "booted 0", "meant 2",
            ], "\(ended.output) \(ended.messages)")
    }

    /// The operator's rules in DOCKER-USER come first, whenever Docker starts.
    @Test func stayInForceInDockersChain() throws {
        let ended = try Program.lab(
            ["--fault", "docker-forward-drop=operators-drops"],
            """
            meant() {
                lxc-doctor verify --quiet --packet 'udp 10.5.0.66:1 > 198.51.100.7:53 iif lxcbr1'; echo "host $?"
                lxc-doctor verify --quiet --packet 'tcp 10.5.0.9:1 > 198.51.100.7:25 iif lxcbr1'; echo "port $?"
                lxc-doctor verify --quiet --packet 'tcp 10.5.0.9:1 > 198.51.100.7:443 iif lxcbr1'; echo "other $?"
            }
            meant
            lxc-doctor fix apply --yes --quiet >&2; echo "fixed $?"
            meant
            iptables -S DOCKER-USER >/tmp/rules
            systemctl restart docker; meant
            iptables -S DOCKER-USER | diff /tmp/rules - && echo same
            """)
        let holds = ["host 2", "port 2", "other 0"]
        #expect(
            ended.output.split(separator: "\n").map(String.init)
                == ["host 2", "port 2", "other 2", "fixed 0"] + holds + holds + ["same"],
            "\(ended.output) \(ended.messages)")
    }
}
