import HostAccess
import HostModel
import WireFormats

@testable import Remedies

/// A host in memory that answers like a live one and can be changed: links, addresses, sysctls, files, nft tables.
final class OverlayHost: MutableHost {
    var state: HostState
    let faults: Faults
    var boot = "boot-1"
    var identity = HostIdentity(
        hostname: "test", kernel: "6.1", effectiveUser: 0, capabilities: ["net_admin"],
        inInitialNetworkNamespace: true, isPracticeHost: false)
    /// What programs print when they are asked for a version.
    var versions: [ProgramName: String] = [:]
    /// The link of the default route.
    var uplink: String? = "eth0"
    /// nftables as it is beside the tables of `state`.
    var otherRules: [NftTransaction] = []
    var hasNftables = true
    /// Every change that was made, in order.
    private(set) var made: [Change] = []

    init(_ state: HostState, faults: Faults = Faults()) {
        self.state = state
        self.faults = faults
    }

    func apply(_ change: Change) throws(HostError) {
        switch state.standing(of: change) {
        case .after: return
        case .other(let words): throw HostError(.stale, operation: "apply", message: words)
        case .before:
            try faults.event {
                if case .removeAddress(let link, let address) = change { removeSecondaries(of: address, link) }
                state.apply(change)
                if case .run(.shorewallReload(let reach, let isOpen)) = change { load(reach, isOpen) }
                made.append(change)
            }
        }
    }

    /// What shorewall loads: everything for the bridge, or nothing.
    private func load(_ reach: ShorewallReach, _ isOpen: Bool) {
        state.rules[IptablesTable(.nft, "filter")] = IptablesListing(
            policies: ["INPUT": "DROP", "FORWARD": "DROP", "shorewall": "-"],
            lines: isOpen ? ["INPUT", "FORWARD"].map { "-A \($0) -i \(reach.bridge) -j ACCEPT" } : [])
    }

    /// The kernel removes the secondaries of a primary address with it, unless told to promote them.
    private func removeSecondaries(of removed: HeldAddress, _ link: String) {
        let promotes = [link, "all"].contains { state.sysctls[SysctlName.promoteSecondaries(of: $0)] == "1" }
        let family = state.addresses[link, default: []].map(\.address).filter {
            $0.network == removed.address.network
        }
        guard !promotes, family.first == removed.address else { return }
        state.addresses[link, default: []].removeAll { family.contains($0.address) && $0.address != removed.address }
    }

    private func paragraph(with line: [UInt8], in path: String) throws(HostError) -> [UInt8] {
        let bytes = try read(path)
        return TextParagraph.range(around: line, in: bytes).map { Array(bytes[$0]) } ?? []
    }

    func answer(_ request: HostRequest) throws(HostError) -> HostReply {
        switch request {
        case .read(let path, _, _): .bytes(ByteString(try read(path)))
        case .paragraph(let path, let line, _): .bytes(ByteString(try paragraph(with: Array(line.utf8), in: path)))
        case .list(let path, _, _): .names(try list(path))
        case .status(let path, _, _): .status(try status(path))
        case .netlink(let query): .messages(NetlinkMessages(try messages(query)))
        case .residents: .residents(residents)
        case .identity: .identity(identity)
        case .iptablesRules(let table): .text(state.rules[table]?.text ?? "")
        case .programVersion(let program):
            if let version = versions[program] {
                .text(version)
            } else {
                throw HostError(.notFound, operation: program.rawValue, message: "not installed")
            }
        case .space, .legacyTable, .packetPrograms, .packetProgramsOf:
            throw HostError(.unsupported, operation: "overlay", message: "not on this host")
        }
    }

    private var residents: BridgeResidents {
        BridgeResidents(
            residents: state.containers.sorted { $0.value.port < $1.value.port }.map { inside, container in
                Resident(
                    name: inside.container, namespace: "/proc/7/ns/net", port: container.port,
                    interface: inside.interface, interfaceIndex: 2, hardwareAddress: container.hardwareAddress,
                    isUp: true, addresses: container.addresses.map(\.address), gateways: [], hasDefaultRoute: true,
                    heldAddresses: container.addresses)
            }, unknownPorts: [])
    }

    private func missing(_ path: String) -> HostError {
        HostError(.notFound, operation: path, message: "there is no such file")
    }

    private func read(_ path: String) throws(HostError) -> [UInt8] {
        if path == "/proc/sys/kernel/random/boot_id" { return Array("\(boot)\n".utf8) }
        if let key = state.sysctls.keys.first(where: { SysctlName.path($0) == path }), let value = state.sysctls[key] {
            return Array("\(value)\n".utf8)
        }
        switch state.path(path) {
        case .file(let content): return content.bytes.bytes
        case .symbolicLink(let target):
            let base = target.hasPrefix("/") ? "" : HostState.directory(of: path) + "/"
            return try read(base.isEmpty ? target : resolve(base + target))
        default: throw missing(path)
        }
    }

    private func resolve(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") {
            if part == ".." { parts = Array(parts.dropLast()) } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    private func list(_ path: String) throws(HostError) -> [String] {
        if path == "/proc/sys/net/ipv4/conf" {
            return state.sysctls.keys.filter { $0.hasPrefix("net.ipv4.") && $0.hasSuffix(".forwarding") }
                .compactMap { $0.split(separator: ".").dropLast().last.map(String.init) }.sorted()
        }
        if path == "/proc/sys/net/ipv6/conf" {
            let keys = state.sysctls.keys.filter { $0.hasPrefix("net.ipv6.conf.") }
            return Set(keys.compactMap { $0.split(separator: ".").dropLast().last.map(String.init) }).sorted()
        }
        guard state.path(path) == .directory else { throw missing(path) }
        return state.paths.filter { $0.value != .absent && HostState.directory(of: $0.key) == path }
            .map { String($0.key.split(separator: "/").last ?? "") }.sorted()
    }

    private func status(_ path: String) throws(HostError) -> FileStatus {
        switch state.path(path) {
        case .absent: throw missing(path)
        case .directory: FileStatus(kind: .directory, mode: 0o755, owner: 0, group: 0, size: 0)
        case .other: FileStatus(kind: .other, mode: 0o644, owner: 0, group: 0, size: 0)
        case .symbolicLink(let target):
            FileStatus(kind: .link, mode: 0o777, owner: 0, group: 0, size: 0, target: target)
        case .file(let content):
            FileStatus(
                kind: .file, mode: content.mode, owner: content.owner, group: content.group,
                size: content.bytes.bytes.count)
        }
    }

    // MARK: Netlink

    private var order: [String] { state.links.keys.sorted() }

    private func messages(_ query: KernelQuery) throws(HostError) -> [[UInt8]] {
        if query == .links() { return order.enumerated().map { link($1, $0 + 1) } }
        if query == .addresses() {
            return order.enumerated().flatMap { index, name in
                state.addresses[name, default: []].map { Self.message($0, index + 1, name) }
            }
        }
        if query == .routes(), uplink == nil { return [] }
        if query == .routes(.ipv6) { return [] }
        if query == .routes() || query.name.hasPrefix("RTM_GETROUTE ") {
            guard let uplink, let index = order.firstIndex(of: uplink) else { throw missing(query.name) }
            var body = NetlinkAttributeBuilder(header: [2, 0, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0])
            body.append(4, host: UInt32(index + 1))
            return [NetlinkMessage(type: RouteMessageType.newRoute, flags: 0, payload: body.bytes).bytes]
        }
        if query == .untranslatedFlows {
            return state.flows.sorted { $0.id < $1.id }.map { Self.message(port: $0.original.sourcePort, id: $0.id) }
        }
        guard query.family == .netfilter, hasNftables else {
            throw HostError(.unsupported, operation: query.name, message: "this kernel has no nf_tables")
        }
        let all = try nftMessages()
        // NFT_MSG_NEWTABLE, NEWCHAIN and NEWRULE are one below the GET that asks for them.
        return all.filter { $0.header.type == query.type - 1 }.map(\.bytes)
    }

    /// UDP 10.5.0.9:PORT > 198.51.100.7:514, untranslated.
    static func flow(port: Int, id: UInt32) throws(WireError) -> ConntrackFlow {
        let flows = try ConntrackFlow.all(in: [message(port: UInt16(port), id: id)])
        guard let flow = flows.first else { throw WireError(.malformed, "flow") }
        return flow
    }

    private static func message(port: UInt16, id: UInt32) -> [UInt8] {
        let container: [UInt8] = [10, 5, 0, 9]
        let target: [UInt8] = [198, 51, 100, 7]
        var payload = NetlinkAttributeBuilder(header: [2, 0, 0, 0])
        let ways =
            [(1, container, target, port, 514), (2, target, container, 514, port)]
            as [(
                UInt16, [UInt8], [UInt8], UInt16, UInt16
            )]
        for (type, source, destination, sourcePort, destinationPort) in ways {
            payload.nest(type) { tuple in
                tuple.nest(1) {
                    $0.append(1, bytes: source)
                    $0.append(2, bytes: destination)
                }
                tuple.nest(2) {
                    $0.append(1, bytes: [17])
                    $0.append(2, network: sourcePort)
                    $0.append(3, network: destinationPort)
                }
            }
        }
        payload.append(3, network: UInt32(8))
        payload.append(12, network: id)
        return NetlinkMessage(type: 256, flags: 2, payload: payload.bytes).bytes
    }

    private func nftMessages() throws(HostError) -> [NetlinkMessage] {
        var transactions = otherRules
        for (name, table) in state.tables.sorted(by: { $0.key < $1.key }) {
            switch table {
            case .absent: continue
            case .translation(let network): transactions.append(.translationTable(name, network: network))
            case .other:
                var other = NftTransaction()
                other.newTable(NftTableName(.ipv4, name))
                transactions.append(other)
            }
        }
        for (place, listing) in state.chains { transactions.append(Self.chain(place, listing)) }
        do throws(WireError) {
            var messages: [NetlinkMessage] = []
            for transaction in transactions { messages += try NetlinkMessage.split(transaction.encoded()) }
            return messages
        } catch {
            throw HostError(.malformed, operation: "nft", message: error.description)
        }
    }

    /// A base chain of its own table, with the policy accept and a rule for each entry.
    private static func chain(_ place: NftChainPlace, _ listing: NftChainListing) -> NftTransaction {
        var transaction = NftTransaction()
        transaction.newTable(place.tableName)
        transaction.newChain(
            place.chain, in: place.tableName,
            base: NftBaseChain(hook: place.chain == "input" ? .input : .forward, priority: 0, policy: .drop))
        let matches: [[IptablesRule.Match]] =
            [[.input("lxcbr1")], [.output("lxcbr1"), .established]]
            + FirewallAccept.requested.map { [.input("lxcbr1"), $0] }
        let known = matches.compactMap { NftChainRule(place, $0).expressions }
        for entry in listing.entries {
            let expressions = known.first { entry == .rule(ByteString(NftExpression.encoded($0))) }
            transaction.newRule(in: place.chain, of: place.tableName, expressions ?? [.verdict(.drop)])
        }
        return transaction
    }

    private func link(_ name: String, _ index: Int) -> [UInt8] {
        guard case .present(let kind, let up, _) = state.link(name) else { return [] }
        var header: [UInt8] = [0, 0, 1, 0]
        header += withUnsafeBytes(of: UInt32(index)) { Array($0) }
        header += withUnsafeBytes(of: UInt32(up ? 1 : 0)) { Array($0) }
        header += [0, 0, 0, 0]
        var body = NetlinkAttributeBuilder(header: header)
        body.append(3, text: name)
        if let master = state.masters[name].flatMap({ order.firstIndex(of: $0) }) {
            body.append(10, host: UInt32(master + 1))
        }
        if !kind.isEmpty { body.nest(18, marked: false) { $0.append(1, text: kind) } }
        return NetlinkMessage(type: RouteMessageType.newLink, flags: 0, payload: body.bytes).bytes
    }

    private static func message(_ held: HeldAddress, _ index: Int, _ name: String) -> [UInt8] {
        let header =
            [2, UInt8(held.address.length), 0, held.scope ?? 0] + withUnsafeBytes(of: UInt32(index)) { Array($0) }
        var body = NetlinkAttributeBuilder(header: header)
        body.append(1, address: held.peer ?? held.address.address)
        body.append(2, address: held.address.address)
        body.append(3, text: held.label ?? name)
        if let broadcast = held.broadcast { body.append(4, address: broadcast) }
        if let flags = held.flags { body.append(8, host: flags) }
        if let metric = held.metric { body.append(9, host: metric) }
        return NetlinkMessage(type: RouteMessageType.newAddress, flags: 0, payload: body.bytes).bytes
    }
}
