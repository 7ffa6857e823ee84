import Testing

/// A practice host with something wrong, and what the doctor must say of it.
struct BrokenHost: Sendable, CustomTestStringConvertible {
    /// As `lab run --fault` takes it; nil where only `setup` breaks something.
    var fault: String?
    /// A shell script that breaks more.
    var setup = ""
    /// Further arguments of `lab run`.
    var options: [String] = []
    /// Further arguments of `lxc-doctor`.
    var arguments = ""
    /// The root causes that must be named, and no other.
    var causes: Set<String>
    /// Checks that must fail.
    var checks: [String]
    /// Parts of the causes' evidence, each in some source or value: the file and line, the rule, the link.
    var evidence: [String] = []
    /// What a person does who follows the cause's advice: a shell script, after which the host is healthy.
    var byHand = ""
    /// Whether a cause has an automatic remedy.
    var isRepaired = true
    /// The root causes that stay after the repair.
    var left: Set<String> = []

    var testDescription: String { ([fault ?? setup] + options).joined(separator: " ") }

    init(
        _ fault: String?, _ causes: Set<String>, _ checks: [String], setup: String = "", options: [String] = [],
        arguments: String = "", evidence: [String] = [], byHand: String = "", isRepaired: Bool = true,
        left: Set<String> = []
    ) {
        self.byHand = byHand
        self.evidence = evidence
        self.fault = fault
        self.setup = setup
        self.options = options
        self.arguments = arguments
        self.causes = causes
        self.checks = checks
        self.isRepaired = isRepaired
        self.left = left
    }

    static let all = bridge + forwarding + nat + lxc + images + containers + layers

    static let bridge = [
        BrokenHost("bridge-missing", ["bridge-missing", "masq-missing"], ["bridge.exists", "nat.masquerade"]),
        BrokenHost("bridge-missing=removed", ["bridge-missing"], ["bridge.exists"]),
        BrokenHost(
            nil, ["bridge-missing"], ["bridge.is-bridge"],
            setup: "ip link del lxcbr1; ip link add lxcbr1 type veth peer name other", isRepaired: false),
        BrokenHost("bridge-down", ["bridge-down"], ["bridge.up"]),
        BrokenHost("bridge-wrong-address-or-mask", ["bridge-wrong-address-or-mask"], ["bridge.address"]),
        BrokenHost("bridge-wrong-address-or-mask=address", ["bridge-wrong-address-or-mask"], ["bridge.address"]),
        BrokenHost("bridge-address-lost", ["bridge-address-lost"], ["bridge.address"]),
        BrokenHost(
            nil, ["bridge-wrong-address-or-mask"], ["bridge.only-address"],
            setup: "ip address add 192.0.2.9/24 dev lxcbr1", isRepaired: false),
        BrokenHost("bridge-addr-duplicated", ["bridge-addr-duplicated"], ["bridge.subnet-unique"], isRepaired: false),
        BrokenHost("subnet-overlap", ["subnet-overlap"], ["bridge.subnet-unique"], isRepaired: false),
        BrokenHost(
            nil, ["subnet-overlap"], ["bridge.subnet-unique"],
            setup:
                "ip neighbour add 10.5.200.7 lladdr 00:16:3e:00:00:07 dev lxcbr1; ip route add 10.5.200.0/24 dev up0",
            isRepaired: false),
        BrokenHost("bridge-not-persistent", ["bridge-not-persistent"], ["bridge.persistent"]),
    ]

    static let forwarding = [
        BrokenHost("ip-forward-off", ["ip-forward-off"], ["forwarding.global", "nat.proof"]),
        BrokenHost("per-interface-forwarding-off=bridge", ["per-interface-forwarding-off"], ["forwarding.interfaces"]),
        BrokenHost("per-interface-forwarding-off=uplink", ["per-interface-forwarding-off"], ["forwarding.interfaces"]),
        BrokenHost("ip-forward-reset", ["ip-forward-reset"], ["forwarding.next-boot"]),
        BrokenHost("ip-forward-reset=same-key", ["ip-forward-reset"], ["forwarding.next-boot"]),
        BrokenHost("no-default-route", ["no-default-route"], ["path.uplink"], isRepaired: false),
    ]

    static let nat = [
        BrokenHost("masq-missing", ["masq-missing"], ["nat.masquerade", "nat.proof"]),
        BrokenHost("masq-missing", ["masq-missing"], ["nat.masquerade"], options: ["--backend", "iptables-nft"]),
        BrokenHost("masq-missing", ["masq-missing"], ["nat.masquerade"], options: ["--backend", "iptables-legacy"]),
        BrokenHost("masq-missing", ["masq-missing"], ["nat.masquerade"], options: ["--profile", "lxc-net"]),
        BrokenHost("masq-wrong-subnet", ["masq-wrong-subnet"], ["nat.masquerade", "nat.proof"]),
        BrokenHost("masq-wrong-oif", ["masq-wrong-oif"], ["nat.masquerade", "nat.proof"]),
        BrokenHost("masq-shadowed", ["masq-shadowed"], ["nat.masquerade", "nat.proof"]),
        BrokenHost("snat-dead-source", ["snat-dead-source"], ["nat.masquerade", "nat.proof"], isRepaired: false),
        BrokenHost("nat-notrack", ["nat-notrack"], ["nat.masquerade", "nat.proof"], isRepaired: false),
        BrokenHost("masq-hits-east-west", ["masq-hits-east-west"], ["nat.east-west"], isRepaired: false),
        BrokenHost("masq-not-persistent", ["masq-not-persistent"], ["nat.persistent"]),
        BrokenHost("nftables-flush-ruleset", ["nftables-flush-ruleset"], ["nat.persistent"]),
    ]
}
