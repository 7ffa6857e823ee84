internal import Glibc
internal import HostAccess
internal import HostModel
internal import WireFormats

/// Ports of bridges, and interfaces of running containers from outside: by a socket that is opened in the container's
/// network namespace. Nothing in the container takes part in it. Source: rtnetlink(7), network_namespaces(7).
extension LiveHost {
    func setMaster(of name: String, from before: String?, to after: String?) throws(HostError) {
        let operation = "plug \(name) into \(after ?? "no bridge")"
        let links = try links(operation)
        guard let link = links.first(where: { $0.name == name }) else {
            throw stale(operation, "there is no link \(name)")
        }
        let now = links.first { $0.index == link.master }?.name
        if now == after { return }
        guard now == before else { throw stale(operation, "it is a port of \(now ?? "no bridge")") }
        var index = 0
        if let after {
            guard let bridge = links.first(where: { $0.name == after && $0.kind == "bridge" }) else {
                throw stale(operation, "there is no bridge \(after)")
            }
            index = bridge.index
        }
        try change(.setMaster(index: link.index, master: index), operation)
    }

    func setAddress(
        of inside: ContainerInterface, from before: HeldAddress, to after: HeldAddress
    ) throws(HostError) {
        let operation = "change \(before) of \(inside.interface) in \(inside.container) to \(after)"
        try enter(inside, operation) { (resident, socket) throws(HostError) in
            let index = resident.interfaceIndex
            if !resident.addresses.contains(after.address) {
                guard resident.addresses.contains(before.address) else {
                    throw stale(operation, "it has neither of them")
                }
                try Self.change(.addAddress(after, link: index), &socket, operation)
                CrashPoint.pass()
            }
            guard resident.addresses.contains(before.address) else { return }
            try Self.change(.removeAddress(before, link: index), &socket, operation)
        }
    }

    func setHardwareAddress(
        of inside: ContainerInterface, from before: MACAddress, to after: MACAddress
    ) throws(HostError) {
        let operation = "set the hardware address of \(inside.interface) in \(inside.container)"
        try enter(inside, operation) { (resident, socket) throws(HostError) in
            if resident.hardwareAddress == after { return }
            guard resident.hardwareAddress == before else { throw stale(operation, "it has another one by now") }
            try Self.change(.setHardwareAddress(after, index: resident.interfaceIndex), &socket, operation)
        }
    }

    /// Lends the interface as it is now, and a socket in its namespace.
    private func enter(
        _ inside: ContainerInterface, _ operation: String,
        _ body: (Resident, inout NetlinkSocket) throws(HostError) -> Void
    ) throws(HostError) {
        let found = try ResidentReader(self).read().residents.first { resident in
            resident.name == inside.container && resident.interface == inside.interface
        }
        guard let found, let port = try links(operation).first(where: { $0.name == found.port }) else {
            throw stale(operation, "\(inside.container) does not run, or has no \(inside.interface) behind a veth")
        }
        var search = try NamespaceSearch()
        let namespace = try search.open(found.namespace, identifier: port.lowerNamespace)
        var socket = try NetlinkSocket(.route, namespace: namespace.rawValue)
        try body(found, &socket)
    }

    private static func change(
        _ change: RouteChange, _ socket: inout NetlinkSocket, _ operation: String
    ) throws(HostError) {
        try socket.change(type: change.type, flags: change.flags, payload: change.payload, operation: operation)
    }
}
