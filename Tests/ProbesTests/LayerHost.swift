import HostAccess
import HostModel
import WireFormats

@testable import Probes

/// A host of literals: a tree of files, and netlink dumps. What is not among them is not there.
final class LayerHost: Host {
    let files: FileTreeHost
    var dumps: [KernelQuery: [[UInt8]]] = [:]
    var kernel = "6.1.0"
    /// Nil: nobody may look into namespaces.
    var residents: BridgeResidents?

    init(_ files: [String: String] = [:]) {
        self.files = FileTreeHost(files)
    }

    func answer(_ request: HostRequest) throws(HostError) -> HostReply {
        switch request {
        case .netlink(let query):
            guard let messages = dumps[query] else {
                throw HostError(.unsupported, operation: query.name, message: "no such subsystem")
            }
            return .messages(NetlinkMessages(messages))
        case .residents:
            guard let residents else {
                throw HostError(.notPermitted, operation: "look into namespaces", message: "refused for the test")
            }
            return .residents(residents)
        case .identity:
            return .identity(
                HostIdentity(
                    hostname: "host", kernel: kernel, effectiveUser: 0, capabilities: [],
                    inInitialNetworkNamespace: true, isPracticeHost: false))
        default: return try files.answer(request)
        }
    }

    /// One link of a dump.
    struct Wire {
        var index: Int32
        var name: String
        var kind = ""
        /// IFF_UP and others.
        var flags: UInt32 = 0x1043
        var mac: [UInt8] = []
        var master: UInt32?
        var peer: Int32?
        /// Whether the peer is in another namespace.
        var isApart = false
        /// IFLA_INFO_DATA and IFLA_INFO_SLAVE_DATA, by type.
        var settings: [(UInt16, [UInt8])] = []
        var port: [(UInt16, [UInt8])] = []

        var message: [UInt8] {
            var header: [UInt8] = [0, 0, 1, 0]
            header.appendHost(index)
            header.appendHost(flags)
            header.appendHost(UInt32(0))
            var payload = NetlinkAttributeBuilder(header: header)
            payload.append(3, text: name)
            payload.append(1, bytes: mac.isEmpty ? [2, 0, 0, 0, 0, UInt8(index)] : mac)
            if let master { payload.append(10, host: master) }
            if let peer { payload.append(5, host: peer) }
            if isApart { payload.append(37, host: UInt32(1)) }
            payload.nest(18, marked: false) { nest in
                if !kind.isEmpty { nest.append(1, text: kind) }
                nest.nest(2, marked: false) { data in
                    for (type, bytes) in settings { data.append(type, bytes: bytes) }
                }
                if !port.isEmpty {
                    nest.append(4, text: "bridge")
                    nest.nest(5, marked: false) { data in for (type, bytes) in port { data.append(type, bytes: bytes) }
                    }
                }
            }
            return NetlinkMessage(type: 16, flags: 2, payload: payload.bytes).bytes
        }
    }

    var links: [Wire] {
        get { [] }
        set { dumps[.links()] = newValue.map(\.message) }
    }

    /// Addresses as RTM_NEWADDR, by the index of the link.
    func addresses(_ list: [(link: UInt32, text: String)]) {
        dumps[.addresses()] = list.compactMap { item in
            guard let prefix = IPv4Prefix(item.text) else { return nil }
            var header: [UInt8] = [2, UInt8(prefix.length), 0, 0]
            header.appendHost(item.link)
            var payload = NetlinkAttributeBuilder(header: header)
            payload.append(1, address: prefix.address)
            payload.append(2, address: prefix.address)
            return NetlinkMessage(type: 20, flags: 2, payload: payload.bytes).bytes
        }
    }
}

/// A number as the kernel writes it.
func wire(_ value: some FixedWidthInteger & BitwiseCopyable) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendHost(value)
    return bytes
}

/// What a probe sees, with its evidence.
func seen(
    _ probe: any Probe, _ parameters: [String: String] = [:], on host: any Host
) throws -> (facts: [String: FactValue], sources: [String], values: [String]) {
    let facts = try facts(probe, parameters, on: host)
    let observation = try probe.observe(ProbeParameters(parameters.mapValues(FactValue.string)), on: host)
    let evidence = observation.evidence(for: Set(facts.keys))
    return (facts, evidence.map(\.source), evidence.map(\.value))
}
