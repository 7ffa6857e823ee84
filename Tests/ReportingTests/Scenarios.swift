import HostModel
import Testing

/// A report as a literal, for the examples in `reports/examples/`.
struct Scenario: Sendable, CustomTestStringConvertible {
    let name: String
    let exit: Int32
    let report: Report
    var testDescription: String { name }

    static let all: [Scenario] = [
        Scenario(name: "healthy", exit: 0, report: .healthy),
        Scenario(name: "masq-missing", exit: 2, report: .masqueradeMissing),
        Scenario(name: "bridge-missing", exit: 2, report: .bridgeMissing),
        Scenario(name: "forward-drop", exit: 2, report: .forwardDrop),
        Scenario(name: "unprivileged", exit: 3, report: .unprivileged),
        Scenario(name: "not-persistent", exit: 1, report: .notPersistent),
        Scenario(name: "repaired", exit: 0, report: .repaired),
        Scenario(name: "rolled-back", exit: 2, report: .rolledBack),
        Scenario(name: "refused", exit: 2, report: .refused),
        Scenario(name: "waived", exit: 1, report: .waived),
        Scenario(name: "hostile", exit: 2, report: .hostile),
    ]
}

extension Report {
    /// The makina network, as every scenario has it.
    static let network: Network = {
        guard let address = IPv4Prefix("10.5.0.1/16") else { fatalError("a literal address") }
        return Network(name: "lxcbr1", bridge: "lxcbr1", address: address)
    }()

    static func scenario(
        causes: [Cause] = [], findings: [Finding], proof: ProofReport? = nil, fixes: FixReport? = nil,
        privileges: [String] = ["root"], otherBridges: [String] = []
    ) -> Report {
        Report(
            startedAt: "2024-05-17T03:12:45Z", durationMilliseconds: 11.5,
            tool: Tool(name: "lxc-doctor", version: "0.1.0"),
            host: HostDescription(
                hostname: "vm7", kernel: "6.1.0-21-amd64", os: "Debian GNU/Linux 12 (bookworm)", privileges: privileges),
            profile: ProfileDescription(
                name: "makina", chosenBecause: "lxcbr1 exists", networks: [network], otherBridges: otherBridges),
            causes: causes, findings: findings, proof: proof, fixes: fixes)
    }

    static let healthy = scenario(
        findings: Finding.bridge() + [.masquerade(.pass), .proof(.pass)] + Finding.rest, proof: .masqueraded)

    static let masqueradeMissing = scenario(
        causes: [.masqueradeMissing],
        findings: Finding.bridge() + [.masquerade(.fail), .proof(.fail)] + Finding.rest, proof: .leaked,
        otherBridges: ["virbr0", "docker0"])

    static let bridgeMissing = scenario(
        causes: [.bridgeMissing, .imageIncomplete],
        findings: [
            .make(
                "bridge.exists", "lxcbr1 exists and is a bridge", .bridge, .fail, expected: "a bridge",
                observed: "absent", evidence: [.noBridge], causes: ["bridge-missing"]),
            .make("bridge.up", "lxcbr1 is up", .bridge, .blocked, blockedBy: ["bridge.exists"]),
            .make("bridge.address", "lxcbr1 carries 10.5.0.1/16", .bridge, .blocked, blockedBy: ["bridge.exists"]),
            .make(
                "dhcp.answers", "A DHCP server listens on lxcbr1", .container, .fail, severity: .warning,
                expected: "listening", observed: "nobody"),
            .make(
                "proof.outside", "A container's packet leaves as the host", .nat, .blocked, blockedBy: ["bridge.exists"]
            ),
            .make(
                "image.complete", "The base image is complete", .path, .fail, severity: .warning,
                causes: ["base-image-incomplete"]),
        ] + Finding.rest,
        proof: ProofReport(mode: .fence, probes: [.noBridge]))

    static let forwardDrop = scenario(
        findings: Finding.bridge() + [
            .masquerade(.pass),
            .make(
                "firewall.forward", "New packets of 10.5.0.0/16 may be forwarded to the outside", .firewall, .fail,
                expected: "accepted", observed: "dropped", evidence: [.forwardRule]),
            .make(
                "container.links", "Every veth is linked to a bridge of the profile", .container, .fail,
                severity: .notice, subject: Subject(kind: .container, name: "c1"), observed: "lxcbr0"),
        ],
        proof: ProofReport(mode: .fence, probes: [.dropped(.udp), .dropped(.icmp), .vanished]))

    static let unprivileged = scenario(
        findings: Finding.bridge() + [
            .masquerade(.unknown, reason: "reading the ruleset needs CAP_NET_ADMIN"),
            .make(
                "firewall.forward", "New packets of 10.5.0.0/16 may be forwarded to the outside", .firewall, .unknown,
                reason: "reading the ruleset needs CAP_NET_ADMIN"),
            .proof(.unknown, reason: "opening a capture needs CAP_NET_RAW"),
            .make(
                "bridge.mtu", "lxcbr1 passes what the uplink passes", .bridge, .waived,
                reason: "jumbo frames are wanted here, until 2030-01-01"),
        ],
        proof: ProofReport(mode: .fence, probes: []), privileges: [])

    static let notPersistent = scenario(
        causes: [.notPersistent],
        findings: Finding.bridge() + [
            .masquerade(.pass),
            .make(
                "nat.next-boot", "Something translates 10.5.0.0/16 after the next boot", .nat, .fail,
                severity: .warning, causes: ["masq-not-persistent"]),
        ],
        proof: ProofReport(mode: .off, probes: []))

    static let repaired = scenario(
        findings: Finding.bridge() + [.masquerade(.pass), .proof(.pass)] + Finding.rest, proof: .masqueraded,
        fixes: FixReport(
            outcome: .applied, steps: FixStep.plan(.applied),
            journal: "/var/lib/lxc-doctor/journal/2024-05-17T03:12:46Z.json"))

    static let rolledBack = scenario(
        causes: [.masqueradeMissing],
        findings: Finding.bridge() + [.masquerade(.fail), .proof(.fail)], proof: .leaked,
        fixes: FixReport(
            outcome: .rolledBack,
            reason: "nat.masquerade still fails after masquerade.1: another table translates first",
            steps: FixStep.plan(.rolledBack), journal: "/var/lib/lxc-doctor/journal/2024-05-17T03:12:46Z.json"))

    static let refused = scenario(
        causes: [.masqueradeMissing], findings: [.masquerade(.fail)],
        fixes: FixReport(
            outcome: .refused, reason: "the plan is stale: net.ipv4.ip_forward is 1 and was 0 when it was made",
            steps: FixStep.plan(.refused)))

    /// One waiver that holds, one that ran out, one that is needed no more.
    static let waived: Report = {
        var report = scenario(
            causes: [.notPersistent],
            findings: Finding.bridge() + [
                .masquerade(.pass),
                .make(
                    "nat.next-boot", "Something translates 10.5.0.0/16 after the next boot", .nat, .fail,
                    severity: .warning, reason: "its waiver expired on 2024-05-01", observed: "nothing",
                    causes: ["masq-not-persistent"]),
                .make(
                    "bridge.mtu", "lxcbr1 passes what the uplink passes", .bridge, .waived, severity: .warning,
                    reason: "jumbo frames are wanted here, until 2030-01-01 (else fail)", expected: "1500",
                    observed: "9000"),
            ], proof: .masqueraded)
        report.proof?.durationMilliseconds = 31.25
        report.waivers = [
            WaiverUse(
                id: "masq-not-persistent", subject: "lxcbr1", reason: "the host is reinstalled every week",
                expires: "2024-05-01", state: .expired, findings: ["nat.next-boot"]),
            WaiverUse(
                id: "bridge.mtu", reason: "jumbo frames are wanted here", expires: "2030-01-01", state: .active,
                findings: ["bridge.mtu"]),
            WaiverUse(id: "lxc.path", reason: "a small disk", expires: "2030-01-01", state: .unused),
        ]
        return report
    }()

    /// Names and content that try to write on the terminal by themselves.
    static let hostile = scenario(
        causes: [
            Cause(
                id: "container-other-bridge", area: .container,
                subject: Subject(kind: .container, name: "c\u{1b}[2J\u{9b}31m"), severity: .critical,
                title: "Container c\u{1b}]0;owned\u{7} links another bridge",
                explanation: "Line one\nOK       everything is fine\r\u{202e}desrever \u{200b}hidden",
                check: "container.links",
                evidence: [
                    Evidence(
                        source: "/var/lib/lxc/c\n/config:3", command: "cat '/var/lib/lxc/c\n/config'",
                        value: String(repeating: "lxcbr9 ", count: 120) + String(repeating: "x", count: 500)),
                    Evidence(source: "file", command: "", value: "Z\u{300}\u{301}\u{302}\u{303}\u{304}\u{305}"),
                ])
        ],
        findings: [
            .make(
                "container.links", "Container \u{1b}[31m links a bridge of the profile", .container, .fail,
                subject: Subject(kind: .container, name: "c\u{1b}[2J\u{9b}31m"), causes: ["container-other-bridge"]),
            .make(
                "container.rootfs", "A rootfs is there", .container, .pass,
                subject: Subject(
                    kind: .container, name: "\u{5bb9}\u{5668}\u{1b}[5m" + String(repeating: "\u{754c}", count: 60))),
        ])
}
