/// The far side of a practice host's uplink: a network namespace that answers at one address and knows no route back to
/// the containers, so that only translated packets get an answer.
enum StubInternet {
    /// As `ip netns exec` knows it.
    static let namespace = "internet"
    static let uplink = "up0"
    static let farEnd = "isp0"
    static let address = "203.0.113.2"
    static let gateway = "203.0.113.1"
    /// Documentation space (RFC 5737), as are the others.
    static let target = "198.51.100.7"

    /// The same for IPv6 (RFC 3849).
    static let address6 = "2001:db8:ff::2"
    static let gateway6 = "2001:db8:ff::1"
    static let target6 = "2001:db8:c633:6407::7"

    /// Makes the uplink with iproute2, in the network namespace of this process.
    static func connect(_ ipv6: PracticeIPv6?) throws(PracticeHostError) {
        try runOrFail(["ip", "netns", "add", namespace])
        try runOrFail(
            ["ip", "-batch", "-"],
            input: """
                link set lo up
                link add \(uplink) type veth peer name \(farEnd) netns \(namespace)
                addr add \(address)/24 dev \(uplink)
                link set \(uplink) up
                route add default via \(gateway)

                """)
        try runOrFail(
            ["ip", "-n", namespace, "-batch", "-"],
            input: """
                link set lo up
                addr add \(target)/32 dev lo
                addr add \(gateway)/24 dev \(farEnd)
                link set \(farEnd) up

                """)
        if let ipv6 { try connect6(ipv6) }
    }

    private static func connect6(_ ipv6: PracticeIPv6) throws(PracticeHostError) {
        try runOrFail(
            ["ip", "-6", "-batch", "-"],
            input: """
                addr add \(address6)/64 dev \(uplink) nodad
                route add default via \(gateway6)

                """)
        try runOrFail(
            ["ip", "-6", "-n", namespace, "-batch", "-"],
            input: """
                addr add \(target6)/128 dev lo nodad
                addr add \(gateway6)/64 dev \(farEnd) nodad
                \(ipv6 == .routed ? "route add \(ipv6.network) via \(address6)" : "")

                """)
    }
}
