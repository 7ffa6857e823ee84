package import HostAccess
package import HostModel

/// `ipv6 {bridge, uplink, target}`: IPv6 on the bridge and on the uplink: addresses, forwarding, and whether router
/// advertisements are still heard.
///
/// A host that forwards ignores router advertisements unless `accept_ra` is 2.
/// Source: Documentation/networking/ip-sysctl.rst; if_inet6 and ipv6_route as net/ipv6 writes them.
package struct IPv6Probe: Probe {
    package init() {}

    package let specification = ProbeSpecification(
        name: "ipv6", summary: "IPv6 of a bridge and of the uplink: addresses, forwarding, router advertisements",
        parameters: ["bridge": .string, "uplink": .string, "target": .string],
        facts: [
            "bridgeAddresses": .strings, "uplinkName": .string, "uplinkAddresses": .strings, "forwarding": .boolean,
            "bridgeForwarding": .boolean, "uplinkForwarding": .boolean, "acceptRA": .integer, "defaultRoute": .boolean,
            "advertisedRoute": .boolean, "deaf": .boolean,
        ])

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let bridge = try parameters.string("bridge")
        let uplink = try Uplink(
            named: parameters.string("uplink"), target: parameters.address("target"), state: NetworkState(host: host))
        let state = try IPv6State(on: host)
        let inside = state.addresses.filter { $0.link == bridge && $0.isGlobal }
        let outside = state.addresses.filter { $0.link == uplink.name && $0.isGlobal }
        let forwarding = try Self.setting("all", "forwarding", host)
        let bridgeForwarding = try Self.setting(bridge, "forwarding", host)
        let uplinkForwarding = uplink.isFound ? try Self.setting(uplink.name, "forwarding", host) : 0
        let acceptRA = uplink.isFound ? try Self.setting(uplink.name, "accept_ra", host) : 0
        let defaults = state.defaultRoutes.filter { $0.link == uplink.name }
        let isAdvertised = defaults.contains(where: \.isAdvertised)
        // The kernel would take a default route from advertisements, and does not hear them.
        let isDeaf =
            !outside.isEmpty && uplinkForwarding != 0 && acceptRA == 1 && (state.defaultRoutes.isEmpty || isAdvertised)
        return Observation(
            facts: [
                "bridgeAddresses": .strings(inside.map(\.text)), "uplinkName": .string(uplink.name),
                "uplinkAddresses": .strings(outside.map(\.text)), "forwarding": .boolean(forwarding != 0),
                "bridgeForwarding": .boolean(bridgeForwarding != 0),
                "uplinkForwarding": .boolean(uplinkForwarding != 0),
                "acceptRA": .integer(acceptRA), "defaultRoute": .boolean(!state.defaultRoutes.isEmpty),
                "advertisedRoute": .boolean(isAdvertised), "deaf": .boolean(isDeaf),
            ],
            evidence: [
                Evidence(
                    source: "/proc/net/if_inet6, /proc/net/ipv6_route",
                    command: "ip -6 address; ip -6 route show default",
                    value: "\(bridge): \(Self.list(inside)); \(uplink.isFound ? uplink.name : "no uplink"): "
                        + "\(Self.list(outside)); "
                        + (state.defaultRoutes.isEmpty
                            ? "no default route" : isAdvertised ? "an advertised default route" : "a default route")),
                Evidence(
                    source: "/proc/sys/net/ipv6/conf",
                    command: "sysctl net.ipv6.conf.all.forwarding net.ipv6.conf.\(uplink.name).accept_ra",
                    value: "all.forwarding \(forwarding), \(bridge).forwarding \(bridgeForwarding)"
                        + (uplink.isFound
                            ? ", \(uplink.name).forwarding \(uplinkForwarding), \(uplink.name).accept_ra \(acceptRA)"
                            : "")),
            ])
    }

    private static func list(_ addresses: [IPv6State.Address]) -> String {
        addresses.isEmpty ? "no address" : addresses.map(\.text).joined(separator: ", ")
    }

    /// `net.ipv6.conf.NAME.SETTING`; 0 where there is none.
    private static func setting(_ name: String, _ setting: String, _ host: any Host) throws(ObservationFailure) -> Int {
        do {
            let text = try host.readTextIfPresent("/proc/sys/net/ipv6/conf/\(name)/\(setting)", limit: 64)
            return text.flatMap { Int($0.prefix { !$0.isNewline }) } ?? 0
        } catch {
            throw ObservationFailure(error)
        }
    }
}

/// The IPv6 addresses and default routes of the host, from procfs.
package struct IPv6State {
    package struct Address {
        package var link: String
        /// With its prefix length, as RFC 5952 writes it.
        package var text: String
        /// IPV6_ADDR_SCOPE_TYPE: 0 global, 0x20 link, 0x10 host.
        var scope: Int
        /// IFA_F_PERMANENT: it was not given for a time, as router advertisements do.
        package var isPermanent: Bool

        package var isGlobal: Bool { scope == 0 }
    }

    package struct DefaultRoute {
        package var link: String
        /// RTF_ADDRCONF: from a router advertisement.
        package var isAdvertised: Bool
    }

    package private(set) var addresses: [Address] = []
    package private(set) var defaultRoutes: [DefaultRoute] = []

    /// `notApplicable` where the kernel has no IPv6.
    package init(on host: any Host) throws(ObservationFailure) {
        do {
            guard let text = try host.readTextIfPresent("/proc/net/if_inet6", limit: 4 << 20) else {
                throw ObservationFailure.notApplicable("the kernel has no IPv6")
            }
            addresses = Self.addresses(text)
            defaultRoutes = Self.defaultRoutes(
                try host.readTextIfPresent("/proc/net/ipv6_route", limit: 16 << 20) ?? "")
        } catch let failure as ObservationFailure {
            throw failure
        } catch let error as HostError {
            throw ObservationFailure(error)
        } catch {
            throw .unknown("\(error)")
        }
    }

    /// `fd42…0001 03 40 00 80 lxcbr1`: address, index, prefix length, scope, flags (all hexadecimal), name.
    static func addresses(_ text: String) -> [Address] {
        text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count == 6, words[0].utf8.count == 32, let bits = UInt128(words[0], radix: 16),
                let length = Int(words[2], radix: 16), let scope = Int(words[3], radix: 16),
                let flags = Int(words[4], radix: 16)
            else { return nil }
            // IFA_F_PERMANENT is 0x80 (linux/if_addr.h).
            return Address(
                link: String(words[5]), text: "\(IPv6Address(value: bits))/\(length)", scope: scope,
                isPermanent: flags & 0x80 != 0)
        }
    }

    /// Destination and its length, source and its length, gateway, metric, two counts, flags, link.
    static func defaultRoutes(_ text: String) -> [DefaultRoute] {
        text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            // RTF_UP is 1, RTF_REJECT 0x200, RTF_ADDRCONF 0x40000 (linux/ipv6_route.h).
            guard words.count == 10, words[1] == "00", words[0].allSatisfy({ $0 == "0" }), words[9] != "lo",
                let flags = UInt32(words[8], radix: 16), flags & 1 != 0, flags & 0x200 == 0
            else { return nil }
            return DefaultRoute(link: String(words[9]), isAdvertised: flags & 0x40000 != 0)
        }
    }
}
