package import HostModel
package import WireFormats

/// rtnetlink: links, addresses, routes, rules, neighbours. Source: rtnetlink(7).
extension KernelQuery {
    /// All links of the namespace.
    package static func links() -> KernelQuery { KernelQuery(.links) }

    /// One link; an error of code `notFound` where there is none.
    package static func link(name: String) -> KernelQuery { KernelQuery(.link(name: name)) }

    /// All addresses of a family.
    package static func addresses(_ family: AddressFamily = .ipv4) -> KernelQuery { KernelQuery(.addresses(family)) }

    /// The routes of all tables.
    package static func routes(_ family: AddressFamily = .ipv4) -> KernelQuery { KernelQuery(.routes(family)) }

    /// All policy rules.
    package static func rules(_ family: AddressFamily = .ipv4) -> KernelQuery { KernelQuery(.rules(family)) }

    /// All neighbours; of family `bridge`, the forwarding databases of all bridges.
    package static func neighbours(_ family: AddressFamily = .ipv4) -> KernelQuery { KernelQuery(.neighbours(family)) }

    /// How a packet would be routed: one of this host, or, with an input interface (by index), one that arrives there.
    /// An error of code `notFound` where there is no route.
    package static func routeLookup<Address: InternetAddress>(
        destination: Address, from source: Address? = nil, inputInterface: Int? = nil, mark: UInt32? = nil
    ) -> KernelQuery {
        KernelQuery(.lookup(destination: destination, from: source, inputInterface: inputInterface, mark: mark))
    }

    /// The queueing disciplines of all links. Source: tc(8).
    package static func queueingDisciplines() -> KernelQuery { KernelQuery(.queueingDisciplines) }

    package static func trafficClasses(link: Int) -> KernelQuery { KernelQuery(.trafficClasses(link: link)) }

    /// The filters of one link (by index) at one place: TC_H_* or a discipline's handle.
    package static func trafficFilters(link: Int, parent: UInt32) -> KernelQuery {
        KernelQuery(.trafficFilters(link: link, parent: parent))
    }

    /// The VLANs of the ports of bridges, and of the bridges. Source: bridge(8).
    package static func bridgeVLANs() -> KernelQuery { KernelQuery(.bridgeVLANs) }

    /// How many IPsec policies there are: one answer. Needs CAP_NET_ADMIN. Source: linux/xfrm.h.
    package static var policyInfo: KernelQuery {
        KernelQuery(
            family: .xfrm, type: RouteMessageType.getPolicyInfo, dump: false, payload: [0xff, 0xff, 0xff, 0xff],
            name: "XFRM_MSG_GETSPDINFO")
    }

    private init(_ request: RouteRequest) {
        self.init(
            family: .route, type: request.type, dump: request.dump, payload: request.payload, name: request.name)
    }
}
