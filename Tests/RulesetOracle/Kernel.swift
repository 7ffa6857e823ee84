import CLinux
import Glibc
import HostAccess
import HostModel
import LinuxHost
import OracleSupport
import PacketFilter
import WireFormats

/// The namespaces of the oracle: loads rulesets, sends packets, sees what comes of them.
///
/// Must run in network and mount namespaces of its own, bound to one processor: the fence relies on the order of one
/// processor's queue of received frames.
final class Kernel {
    private let containers: [PacketSocketBox]
    private let outside: [PacketSocketBox]
    private let fenceIn: PacketSocketBox
    private let fenceOut: PacketSocketBox
    private let raw: Descriptor
    private let trace: KernelTrace
    /// Of this host, for rules that look for sockets: on all addresses, at ports 53 and 9999.
    private let listeners: [Listener]
    private var conntrack: NetlinkSocket
    private var variant: HostVariant?
    private var legacyTables: Set<String> = []
    /// Policies of iptables-legacy that drop, by table and chain.
    private var droppingPolicies: Set<String> = []
    private var fences: UInt32 = 0

    final class PacketSocketBox {
        let socket: PacketSocket
        init(_ namespace: String, _ link: String) throws { socket = try PacketSocket(namespace: namespace, link: link) }
    }

    /// A socket to which rules may give packets for any address (IP_TRANSPARENT).
    private final class Listener {
        private let socket: Descriptor

        init(_ kind: Int32, _ port: UInt16) throws {
            socket = try Descriptor(
                clinux_socket_in_netns(-1, AF_INET, kind | Int32(SOCK_CLOEXEC.rawValue), 0),
                operation: "listening socket")
            var isOn: Int32 = 1
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            let length = socklen_t(MemoryLayout<sockaddr_in>.size)
            guard
                setsockopt(socket.rawValue, Int32(IPPROTO_IP), 19, &isOn, socklen_t(MemoryLayout<Int32>.size)) == 0,
                withUnsafePointer(
                    to: &address,
                    { pointer in
                        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                            bind(socket.rawValue, $0, length) == 0
                        }
                    }), kind == Int32(SOCK_DGRAM.rawValue) || listen(socket.rawValue, 8) == 0
            else { throw OracleError("listening socket: errno \(errno)") }
        }
    }

    init() throws {
        try Tool.run(["sh"], input: Ground.setup)
        containers = try ["c1", "c2", "c3"].map { try PacketSocketBox($0, "eth0") }
        outside = try ["far0", "far1"].map { try PacketSocketBox("far", $0) }
        fenceOut = try PacketSocketBox("far", "fence0")
        fenceIn = try PacketSocketBox("far", "fence1")
        raw = try Descriptor(
            clinux_socket_in_netns(
                -1, AF_INET, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), Int32(IPPROTO_RAW)),
            operation: "raw socket")
        conntrack = try NetlinkSocket(.netfilter)
        trace = try KernelTrace()
        listeners = try [SOCK_DGRAM, SOCK_STREAM].flatMap { kind in
            try [53, 9999].map { try Listener(Int32(kind.rawValue), $0) }
        }
    }

    /// Loads the rules and sends nothing. Sets and links that rules name are made by the first.
    static func load(alone ruleset: GeneratedRuleset) throws {
        if access("/run/netns/far", F_OK) != 0 { try Tool.run(["sh"], input: Ground.setup) }
        let nft = ruleset.tables(.nft).map(\.nftText).joined(separator: "\n")
        try Tool.run(["nft", "-f", "-"], input: "flush ruleset\n" + nft + "\n")
        for (backend, program) in [
            (GeneratedTable.Backend.iptablesNft, "iptables-nft-restore"), (.iptablesLegacy, "iptables-legacy-restore"),
        ] {
            let text = ruleset.tables(backend).map(\.restoreText).joined(separator: "\n")
            if !text.isEmpty { try Tool.run([program], input: text + "\n") }
        }
    }

    func load(_ ruleset: GeneratedRuleset) throws {
        try apply(ruleset.variant)
        let nft = ruleset.tables(.nft).map(\.nftText).joined(separator: "\n")
        try Tool.run(["nft", "-f", "-"], input: "flush ruleset\n" + KernelTrace.rules(ruleset) + nft + "\n")
        let compat = ruleset.tables(.iptablesNft).map(\.restoreText).joined(separator: "\n")
        if !compat.isEmpty { try Tool.run(["iptables-nft-restore"], input: compat + "\n") }
        let legacy = ruleset.tables(.iptablesLegacy)
        // A table that was made once stays: it is emptied.
        let left = legacyTables.subtracting(legacy.map(\.name)).sorted().map(IptablesGenerator.emptyTable)
        let texts = (legacy + left).map(\.restoreText)
        if !texts.isEmpty { try Tool.run(["iptables-legacy-restore"], input: texts.joined(separator: "\n") + "\n") }
        legacyTables.formUnion(legacy.map(\.name))
        droppingPolicies = Set(
            legacy.flatMap { table in table.chains.filter(\.policyDrops).map { "\(table.name) \($0.name)" } })
    }

    private func apply(_ wanted: HostVariant) throws {
        guard wanted != variant else { return }
        try Tool.write(wanted.bridgeNetfilter ? "1" : "0", to: "/proc/sys/net/bridge/bridge-nf-call-iptables")
        try Tool.write("\(wanted.reversePathFilter)", to: "/proc/sys/net/ipv4/conf/all/rp_filter")
        if wanted.policyRouting != (variant?.policyRouting ?? false) {
            let verb = wanted.policyRouting ? "add" : "del"
            try Tool.run(
                ["ip", "-batch", "-"],
                input:
                    "rule \(verb) pref 100 from 10.5.1.0/24 lookup 100\nrule \(verb) pref 101 fwmark 0x7 lookup 100\n")
        }
        variant = wanted
    }

    /// Sends one packet, with no flow known but its own, and waits until it has come out wherever it does. Gives the
    /// packet that was judged in the end: where no flow comes about, that is the opening packet.
    func send(
        _ packet: TestPacket, _ effects: (RuleReference) -> GeneratedRule?
    ) throws -> (outcome: KernelOutcome, packet: TestPacket) {
        try forgetFlows()
        drain()
        let packet = packet.described
        guard packet.stage != .opening else { return (try judge(packet, effects), packet) }
        var opening = packet
        opening.stage = .opening
        if let judged = try followUp(opening, packet.stage) { return (try judge(judged, effects), judged) }
        try forgetFlows()
        drain()
        return (try judge(opening, effects), opening)
    }

    /// Opens the flow, and gives the packet of that stage; nil where nobody answers.
    private func followUp(_ opening: TestPacket, _ stage: TestPacket.Stage) throws -> TestPacket? {
        guard let seen = try exchange(opening), let flow = try flow(opening, seen) else { return nil }
        if stage == .error {
            var error = opening.error(about: seen)
            error?.sample.connectionMark = flow.mark
            return error?.described
        }
        guard var answer = opening.answer(to: seen) else { return nil }
        answer.sample.connectionMark = flow.mark
        if stage == .answer { return answer.described }
        // Conntrack knows both directions once the answer has arrived.
        guard let back = try exchange(answer), back.destination == opening.sample.source,
            let flow = try self.flow(opening, seen), flow.hasSeenReply
        else { return nil }
        var next = opening.again(after: seen)
        next.sample.connectionMark = flow.mark
        return next.described
    }

    /// The flow as it was seen: there is none where a rule kept it from being tracked, or wrote into the packet.
    private func flow(_ opening: TestPacket, _ seen: TestPacket.Sighting) throws -> ConntrackFlow? {
        let messages = try conntrack.request(
            type: UInt16(NFNL_SUBSYS_CTNETLINK) << 8 | 1, flags: UInt16(NLM_F_ROOT | NLM_F_MATCH),
            payload: [2, 0, 0, 0], operation: "list flows")
        return try ConntrackFlow.all(in: messages).first { flow in
            flow.original.source == opening.sample.source && flow.original.destination == opening.sample.destination
                && flow.reply.source == seen.destination && flow.reply.destination == seen.source
        }
    }

    /// Sends a packet that is not judged, and sees where it comes out.
    private func exchange(_ packet: TestPacket) throws -> TestPacket.Sighting? {
        try transmit(packet)
        for _ in 0..<3 { try fence() }
        _ = try trace.read { _ in false }
        let seen = sighting()
        drain()
        return seen
    }

    private func judge(
        _ packet: TestPacket, _ effects: (RuleReference) -> GeneratedRule?
    ) throws -> KernelOutcome {
        try transmit(packet)
        // Three fences: a frame may be queued twice on its way, and each fence goes behind what is queued then.
        for _ in 0..<3 { try fence() }
        let steps = try trace.read { effects($0) != nil }
        var outcome = KernelOutcome(fate: .dropped)
        outcome.applied = steps.applied
        outcome.translator = steps.applied.last { effects($0)?.effect == .sourceTranslation }
        if let seen = sighting() {
            outcome.fate = .left
            outcome.link = seen.link
            outcome.source = seen.source
            outcome.destination = seen.destination
        } else if steps.arrived {
            outcome.fate = .local
        } else if let drop = steps.drop {
            outcome.killer = drop
        } else if let queued = steps.applied.last(where: { !$0.isLegacy && effects($0)?.effect == .drop }) {
            // The trace does not tell what becomes of a packet that is queued for nobody.
            outcome.killer = queued
        } else if let last = steps.lastLegacy {
            let drops =
                last.rule == nil
                ? droppingPolicies.contains("\(last.table) \(last.chain)") : effects(last)?.effect == .drop
            if drops { outcome.killer = last }
        }
        return outcome
    }

    private func forgetFlows() throws {
        // IPCTNL_MSG_CT_DELETE without a tuple: every flow of this namespace.
        try conntrack.change(
            type: UInt16(NFNL_SUBSYS_CTNETLINK) << 8 | 2, payload: [0, 0, 0, 0], operation: "forget flows")
    }

    private func transmit(_ packet: TestPacket) throws {
        let bytes = Frames.packet(packet.sample, quoting: packet.quoted)
        switch packet.sender {
        case .container(let index, let other):
            let to =
                switch packet.sample.destination.value {
                case .max: Ground.everybody
                case 0xe000_0001: Ground.group
                default: other.map { "c\($0 + 1)" } ?? "lxcbr1"
                }
            try containers[index].socket.send(Frames.frame(to: to, from: "c\(index + 1)", bytes))
        case .outside(let index):
            try outside[index].socket.send(Frames.frame(to: "up\(index)", from: "far\(index)", bytes))
        case .host:
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = packet.sample.destination.value.bigEndian
            var mark = packet.sample.mark
            guard
                setsockopt(raw.rawValue, SOL_SOCKET, SO_MARK, &mark, socklen_t(MemoryLayout<UInt32>.size)) == 0
            else { throw OracleError("SO_MARK: errno \(errno)") }
            let sent = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    sendto(raw.rawValue, bytes, bytes.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            // EPERM: a rule dropped it. EINVAL, ENETUNREACH and the like: no way there.
            if sent < 0, ![EPERM, EINVAL, ENETUNREACH, EHOSTUNREACH, EACCES].contains(errno) {
                throw OracleError("send from the host: errno \(errno)")
            }
        }
    }

    private func fence() throws {
        fences &+= 1
        let frame = Frames.fence(fences)
        try fenceOut.socket.send(frame)
        while let seen = fenceIn.socket.receive(milliseconds: 2000) {
            if seen == frame { return }
        }
        throw OracleError("the fence did not come back")
    }

    private func sighting() -> TestPacket.Sighting? {
        let places =
            outside.enumerated().map { ("up\($0)", $0, $1) } + containers.enumerated().map { (Ground.bridge, $0, $1) }
        for (link, receiver, box) in places {
            while let frame = box.socket.receive() {
                guard let packet = Frames.ours(frame), let source = packet.source.v4,
                    let destination = packet.destination.v4
                else { continue }
                return TestPacket.Sighting(
                    link: link, receiver: receiver, source: source, destination: destination, packet: packet)
            }
        }
        return nil
    }

    private func drain() {
        for box in outside + containers + [fenceIn, fenceOut] { box.socket.drain() }
    }
}
