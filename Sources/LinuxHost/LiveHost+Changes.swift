internal import CLinux
internal import Glibc
package import HostAccess
internal import HostModel
internal import WireFormats

/// Lasting changes. Each looks first: where the state wanted is there already, nothing is done; where the state is
/// not the one that the change was planned on, it is refused with code `stale`.
extension LiveHost: MutableHost {
    package func begin(run: String, restoring: Bool) {
        self.run = run
        isRestoring = restoring
    }

    package func tidy(after change: Change) throws(HostError) {
        switch change {
        case .file(let path, _, _), .symbolicLink(let path, _, _): try clearLeftover(beside: path)
        case .restoreImage(let order): try ImageRestorer(host: self, order: order).removeStaging()
        default: return
        }
    }

    package func apply(_ change: Change) throws(HostError) {
        CrashPoint.pass()
        dropBegun()
        try make(change)
        CrashPoint.pass()
    }

    private func make(_ change: Change) throws(HostError) {
        switch change {
        case .createBridge(let name): try createBridge(name)
        case .deleteBridge(let name): try deleteBridge(name)
        case .setLinkUp(let name, let up): try setLink(name, up: up)
        case .setMaster(let link, let from, let to): try setMaster(of: link, from: from, to: to)
        case .containerAddress(let interface, let from, let to): try setAddress(of: interface, from: from, to: to)
        case .containerHardwareAddress(let interface, let from, let to):
            try setHardwareAddress(of: interface, from: from, to: to)
        case .addAddress(let link, let address): try addAddress(address, to: link)
        case .removeAddress(let link, let address): try removeAddress(address, from: link)
        case .setSysctl(let key, let from, let to): try setSysctl(key, from: from, to: to)
        case .createTranslationTable(let table): try createTranslationTable(table)
        case .deleteTranslationTable(let table): try deleteTranslationTable(table)
        case .file(let path, let before, let after): try replaceFile(path, before: before, after: after)
        case .symbolicLink(let path, let before, let after): try replaceLink(path, before: before, after: after)
        case .addRule(let rule): try addRule(rule)
        case .removeRule(let rule): try removeRule(rule)
        case .addNftRule(let rule): try addNftRule(rule)
        case .removeNftRule(let rule): try removeNftRule(rule)
        case .forgetFlows(let flows): try forgetFlows(flows)
        case .restoreImage(let order): try ImageRestorer(host: self, order: order).run()
        case .run(let program): try run(program)
        }
    }

    private func createBridge(_ name: String) throws(HostError) {
        let operation = "create bridge \(name)"
        // IFNAMSIZ is 16 with the NUL; the kernel refuses the rest by itself.
        guard !name.isEmpty, name.utf8.count < 16, !name.utf8.contains(0) else {
            throw HostError(.malformed, operation: operation, message: "no link can have this name")
        }
        if let link = try links(operation).first(where: { $0.name == name }) {
            if link.kind == "bridge" { return }
            throw stale(operation, "\(name) exists and is not a bridge")
        }
        do {
            try change(.createBridge(name: name), operation)
        } catch {
            throw error.errno == EEXIST ? stale(operation, "a link \(name) was made meanwhile") : error
        }
    }

    private func deleteBridge(_ name: String) throws(HostError) {
        let operation = "delete bridge \(name)"
        let links = try links(operation)
        guard let link = links.first(where: { $0.name == name }) else { return }
        guard link.kind == "bridge" else { throw stale(operation, "\(name) is not a bridge") }
        if let port = links.first(where: { $0.master == link.index }) {
            throw stale(operation, "\(name) has the port \(port.name)")
        }
        try change(.deleteLink(index: link.index), operation)
    }

    func setLink(_ name: String, up: Bool) throws(HostError) {
        let operation = "set \(name) \(up ? "up" : "down")"
        guard let link = try links(operation).first(where: { $0.name == name }) else {
            throw stale(operation, "there is no link \(name)")
        }
        if link.isUp == up { return }
        try change(.setLink(index: link.index, up: up), operation)
    }

    private func addAddress(_ held: HeldAddress, to name: String) throws(HostError) {
        let operation = "add \(held) to \(name)"
        guard let link = try links(operation).first(where: { $0.name == name }) else {
            throw stale(operation, "there is no link \(name)")
        }
        if try addresses(of: link, operation).contains(where: { $0.address == held.address }) { return }
        do {
            try change(.addAddress(held, link: link.index), operation)
        } catch {
            if error.errno != EEXIST { throw error }
        }
    }

    private func removeAddress(_ held: HeldAddress, from name: String) throws(HostError) {
        let address = held.address
        let operation = "remove \(address) from \(name)"
        guard let link = try links(operation).first(where: { $0.name == name }) else { return }
        let present = try addresses(of: link, operation)
        guard let position = present.firstIndex(where: { $0.address == address }) else { return }
        // The first address of a subnet takes the later ones with it, unless promote_secondaries is set.
        let secondaries = present[(position + 1)...].filter { $0.address.network == address.network }
        let isPrimary = !present[..<position].contains { $0.address.network == address.network }
        if isPrimary, let lost = secondaries.first, try !promotesSecondaries(link.name) {
            throw HostError(
                .other, operation: operation,
                message: "the kernel would remove \(lost.address) with it (promote_secondaries is 0)")
        }
        do {
            try change(.removeAddress(held, link: link.index), operation)
        } catch {
            if error.errno != EADDRNOTAVAIL { throw error }
        }
    }

    private func promotesSecondaries(_ interface: String) throws(HostError) -> Bool {
        for name in [interface, "all"] {
            guard let key = SysctlKey.ipv4(interface: name, "promote_secondaries") else { continue }
            if try readSysctl(key) != "0" { return true }
        }
        return false
    }

    func change(_ change: RouteChange, _ operation: String) throws(HostError) {
        try withSocket(.route) { (socket) throws(HostError) in
            try socket.change(
                type: change.type, flags: change.flags, payload: change.payload, operation: operation)
        }
    }

    func links(_ operation: String) throws(HostError) -> [Link] {
        let messages = try query(.links())
        do {
            return try Link.all(in: messages)
        } catch {
            throw HostError(.malformed, operation: operation, message: error.description)
        }
    }

    private func addresses(of link: Link, _ operation: String) throws(HostError) -> [InterfaceAddress] {
        let messages = try query(.addresses())
        do {
            return try InterfaceAddress.all(in: messages).filter { $0.link == link.index }
        } catch {
            throw HostError(.malformed, operation: operation, message: error.description)
        }
    }

    func stale(_ operation: String, _ message: String) -> HostError {
        HostError(.stale, operation: operation, message: message)
    }
}
