import HostModel

extension Finding {
    static func make(
        _ check: String, _ title: String, _ area: Area, _ verdict: Verdict, severity: Severity = .critical,
        subject: Subject = Subject(kind: .network, name: "lxcbr1"), reason: String? = nil, expected: String? = nil,
        observed: String? = nil, evidence: [Evidence] = [], blockedBy: [String] = [], causes: [String] = []
    ) -> Finding {
        Finding(
            check: check, subject: subject, title: title, area: area, severity: severity, verdict: verdict,
            reason: reason, expected: expected, observed: observed, evidence: evidence, blockedBy: blockedBy,
            causes: causes, durationMilliseconds: 0.25)
    }

    static func bridge() -> [Finding] {
        [
            make("bridge.exists", "lxcbr1 exists and is a bridge", .bridge, .pass, evidence: [.link]),
            make("bridge.up", "lxcbr1 is up", .bridge, .pass, evidence: [.link]),
            make("bridge.address", "lxcbr1 carries 10.5.0.1/16", .bridge, .pass),
            make("forwarding.on", "IPv4 is forwarded from lxcbr1 to the uplink", .forwarding, .pass),
        ]
    }

    static func masquerade(_ verdict: Verdict, reason: String? = nil) -> Finding {
        make(
            "nat.masquerade", "Everything from 10.5.0.0/16 to the outside leaves with the host's address", .nat,
            verdict,
            reason: reason, expected: verdict == .fail ? "translated: all" : nil,
            observed: verdict == .fail ? "none" : nil, evidence: verdict == .fail ? [.noRule] : [],
            causes: verdict == .fail ? ["masq-missing"] : [])
    }

    static func proof(_ verdict: Verdict, reason: String? = nil) -> Finding {
        make(
            "proof.outside", "A container's packet leaves as the host", .nat, verdict, reason: reason,
            expected: verdict == .fail ? "masqueraded" : nil, observed: verdict == .fail ? "leaked" : nil)
    }

    static let rest: [Finding] = [
        make(
            "lxc.installed", "LXC is installed", .host, .pass, severity: .warning,
            subject: Subject(kind: .host, name: "vm7")),
        make(
            "lxc.path", "/var/lib/lxc belongs to root and has 5 GiB of room", .path, .pass, severity: .warning,
            subject: Subject(kind: .host, name: "vm7")),
        make(
            "lxc.makina-job", "The makina job can run on this init system", .bridge, .notApplicable, severity: .warning,
            reason: "lxc-net makes the bridge, and there is no makina job"),
        make(
            "image.present", "The base image is there", .path, .notApplicable, severity: .notice,
            reason: "the profile wants none"),
    ]
}

extension Evidence {
    static let link = Evidence(
        source: "rtnetlink RTM_GETLINK", command: "ip -d link show lxcbr1", value: "lxcbr1 kind bridge up")
    static let noBridge = Evidence(
        source: "rtnetlink RTM_GETLINK", command: "ip -d link show lxcbr1", value: "no link of this name")
    static let noRule = Evidence(
        source: "nf_tables, every base chain of hook postrouting", command: "nft list ruleset",
        value: "no rule translates 10.5.0.0/16; 1 base chain read (ip nat POSTROUTING)")
    static let forwardRule = Evidence(
        source: "nf_tables, table inet filter, chain forward, rule 7", command: "nft -a list chain inet filter forward",
        value: "iifname \"lxcbr1\" drop")
}

extension Cause {
    static let masqueradeMissing = Cause(
        id: "masq-missing", area: .nat, subject: Subject(kind: .network, name: "lxcbr1"), severity: .critical,
        title: "No rule translates 10.5.0.0/16",
        explanation: "Packets of the containers leave with their own addresses. Nobody outside knows a route to "
            + "10.5.0.0/16, so nothing is ever answered.",
        check: "nat.masquerade", evidence: [.noRule], consequences: ["proof.outside"],
        remedy: RemedyAdvice(
            id: "masquerade", automatic: true,
            commands: ["iptables -t nat -A POSTROUTING -s 10.5.0.0/16 ! -d 10.5.0.0/16 -j MASQUERADE"]))

    static let bridgeMissing = Cause(
        id: "bridge-missing", area: .bridge, subject: Subject(kind: .network, name: "lxcbr1"), severity: .critical,
        title: "There is no bridge lxcbr1",
        explanation: "Nothing created the bridge, so containers that link it cannot start.", check: "bridge.exists",
        evidence: [.noBridge], consequences: ["bridge.up", "bridge.address", "dhcp.answers", "proof.outside"],
        remedy: RemedyAdvice(
            id: "bridge", automatic: true,
            commands: [
                "ip link add lxcbr1 type bridge", "ip address add 10.5.0.1/16 dev lxcbr1", "ip link set lxcbr1 up",
            ]))

    static let imageIncomplete = Cause(
        id: "base-image-incomplete", area: .path, subject: Subject(kind: .host, name: "vm7"), severity: .warning,
        title: "The base image is incomplete", explanation: "New containers are cloned from it and will not boot.",
        check: "image.complete",
        evidence: [
            Evidence(
                source: "/var/lib/lxc/makina-states-trusty", command: "ls /var/lib/lxc/makina-states-trusty/rootfs",
                value: "missing: rootfs/sbin/init")
        ])

    static let notPersistent = Cause(
        id: "masq-not-persistent", area: .nat, subject: Subject(kind: .network, name: "lxcbr1"), severity: .warning,
        title: "Nothing translates 10.5.0.0/16 after the next boot",
        explanation: "The rule that works now was added by hand.", check: "nat.next-boot", evidence: [],
        remedy: RemedyAdvice(id: "persist-masquerade", automatic: false, commands: ["netfilter-persistent save"]))
}

extension ProofReport {
    static let masqueraded = ProofReport(
        mode: .fence,
        probes: [ProofProtocol.udp, .tcp, .icmp].map { .sent($0, .masqueraded, sourceAfter: "203.0.113.2") },
        local: LocalProbe.arrived)

    static let leaked = ProofReport(
        mode: .fence, probes: [ProofProtocol.udp, .tcp, .icmp].map { .sent($0, .leaked, sourceAfter: "10.5.255.254") })
}

extension ProofProbe {
    static func sent(_ kind: ProofProtocol, _ verdict: ProofVerdict, sourceAfter: String) -> ProofProbe {
        ProofProbe(
            network: "lxcbr1", protocol: kind, from: kind == .icmp ? "10.5.255.254" : "10.5.255.254:40211",
            to: kind == .icmp ? "198.51.100.7" : "198.51.100.7:33434", verdict: verdict, sourceAfter: sourceAfter,
            uplink: "up0", path: way(to: "uplink"))
    }

    /// Every station, reached as far as the named one.
    static func way(to last: String) -> [PathStep] {
        let stations: [(String, String?)] = [
            ("container", nil), ("port", "lxcdr7f2a"), ("bridge", "lxcbr1"), ("prerouting", nil), ("routing", nil),
            ("forward", nil), ("postrouting", nil), ("uplink", "up0"),
        ]
        let end = stations.firstIndex { $0.0 == last } ?? -1
        return stations.enumerated().map { PathStep(hook: $1.0, link: $1.1, reached: $0 <= end) }
    }

    static func dropped(_ kind: ProofProtocol) -> ProofProbe {
        ProofProbe(
            network: "lxcbr1", protocol: kind, from: "10.5.255.254", to: "198.51.100.7", verdict: .dropped,
            path: way(to: "forward"),
            killer: Killer(
                hook: "forward", family: "inet", table: "filter", chain: "forward", rule: "7",
                text: "iifname \"lxcbr1\" drop"))
    }

    static let vanished = ProofProbe(
        network: "lxcbr1", container: "c1", protocol: .tcp, from: "10.5.0.10:40212", to: "198.51.100.7:33434",
        verdict: .dropped, path: way(to: "routing"))

    static let noBridge = ProofProbe(
        network: "lxcbr1", protocol: .udp, from: "10.5.255.254:40211", to: "198.51.100.7:33434", verdict: .unknown,
        reason: "there is no bridge lxcbr1 to send from")
}

extension LocalProbe {
    static let arrived: [LocalProbe] = [
        local(.dhcp, .udp, .arrived), local(.dns, .udp, .arrived), local(.dns, .tcp, .arrived),
        local(.eastWest, .udp, .arrived), local(.eastWest, .icmp, .arrived),
    ]

    static let dropped: [LocalProbe] = [
        local(
            .dhcp, .udp, .dropped,
            killer: Killer(
                hook: "input", family: "ip", table: "filter", chain: "INPUT", rule: "9",
                text: "-A INPUT -i lxcbr1 -p udp -j DROP")),
        local(.eastWest, .udp, .altered),
    ]

    private static func local(
        _ kind: LocalProbeKind, _ protocol: ProofProtocol, _ arrival: Arrival, killer: Killer? = nil
    ) -> LocalProbe {
        let isPeer = kind == .eastWest
        let end = PathStep(
            hook: isPeer ? "peer" : "input", link: isPeer ? "lxcdr91c0" : nil, reached: arrival != .dropped)
        return LocalProbe(
            network: "lxcbr1", kind: kind, protocol: `protocol`,
            from: kind == .dhcp ? "0.0.0.0:68" : "10.5.255.254:40300",
            to: kind == .dhcp ? "255.255.255.255:67" : isPeer ? "10.5.0.9:33434" : "10.5.0.1:53", arrival: arrival,
            reason: arrival == .altered ? "arrives as 10.5.0.1 instead of 10.5.255.254" : nil,
            sourceAfter: arrival == .altered ? "10.5.0.1" : arrival == .arrived ? "10.5.255.254" : nil,
            path: Array(ProofProbe.way(to: "bridge").prefix(3)) + [end], killer: killer)
    }
}

extension FixStep {
    static func plan(_ state: FixStepState) -> [FixStep] {
        let subject = Subject(kind: .network, name: "lxcbr1")
        return [
            FixStep(
                id: "forwarding.1", remedy: "forwarding", subject: Subject(kind: .host, name: "vm7"),
                target: "/proc/sys/net/ipv4/ip_forward", before: "0", after: "1", reversal: "write 0 again",
                risk: "This host forwards between all its interfaces, as far as its firewall lets it.",
                command: "sysctl -w net.ipv4.ip_forward=1", state: state),
            FixStep(
                id: "masquerade.1", remedy: "masquerade", subject: subject, target: "nftables table ip lxc-doctor",
                before: "",
                after: """
                    table ip lxc-doctor {
                      chain postrouting {
                        type nat hook postrouting priority srcnat; policy accept;
                        ip saddr 10.5.0.0/16 ip daddr != 10.5.0.0/16 masquerade
                      }
                    }
                    """, reversal: "nft delete table ip lxc-doctor", risk: "",
                command:
                    "nft add rule ip lxc-doctor postrouting ip saddr 10.5.0.0/16 ip daddr != 10.5.0.0/16 masquerade",
                state: state),
            FixStep(
                id: "lxc.1", remedy: "install-lxc", subject: Subject(kind: .host, name: "vm7"), target: "package lxc",
                before: "not installed", after: "installed", reversal: "none",
                risk: "The package brings a service that starts.", command: "apt-get install lxc",
                state: state == .applied ? .unchanged : state),
        ]
    }
}
