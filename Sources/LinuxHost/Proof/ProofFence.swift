internal import CLinux
internal import Glibc
internal import HostAccess
internal import HostModel
internal import WireFormats

/// Our own nftables tables: stations that see the probes pass, and the fence that stops them after source
/// translation, so that none of them leaves and none is remembered.
///
/// The tables have the flag `owner`: nobody else can change them, `nft flush ruleset` passes over them, and the
/// kernel removes them when the socket is closed, by the end of the process at the latest.
/// Source: nft(8), nf_tables.h NFT_TABLE_F_OWNER (Linux 5.12).
final class ProofFence {
    private let posts: [ProofPost]
    private let table: String
    private let log: NflogSocket
    /// Hears which rule drops a probe.
    private let trace: TraceListener?

    private final class TraceListener {
        let socket: NfnetlinkListener

        init() throws(HostError) {
            socket = try NfnetlinkListener(operation: "listen to nftables traces")
            try socket.join(Int32(NFNLGRP_NFTRACE.rawValue))
        }
    }

    /// Holds the tables.
    private let owner: NetlinkSocket
    /// The headers of a traced packet come with the first step of each chain only.
    private var traced: [UInt32: [UInt8]] = [:]

    /// Raises the fence. Throws `unsupported` where the kernel cannot promise what the fence promises.
    ///
    /// `traces`: the kernel is asked to name the rule that drops a probe.
    init(_ orders: [ProbeOrder], traces: Bool) throws(HostError) {
        let log = try Self.opened { () throws(HostError) in try NflogSocket() }
        var owner = try Self.opened { () throws(HostError) in try NetlinkSocket(.netfilter) }
        let trace = try Self.opened { () throws(HostError) in traces ? try TraceListener() : nil }
        let name = ProofNames.tablePrefix + String(UInt32.random(in: 0...UInt32.max), radix: 16)
        let posts = ProofPost.posts(of: orders)
        // One batch for each family: where one is missing, the error says which.
        for family in [NftFamily.ipv4, .ipv6, .bridge] where posts.contains(where: { $0.family == family }) {
            var batch = NftTransaction()
            let table = NftTableName(family, name)
            batch.newTable(table, flags: .owner, exclusive: true)
            for post in posts where post.family == family {
                try post.build(&batch, in: table, orders, group: log.group, traces: traces)
            }
            do {
                try owner.commit(batch, operation: "raise the fence (table \(family.name) \(name))")
            } catch {
                throw Self.explained(error)
            }
        }
        if traces { try Self.traceIngress(of: orders, through: &owner, name, group: log.group) }
        self.posts = posts
        table = name
        self.trace = trace
        self.log = log
        self.owner = owner
    }

    /// Chains at the ingress of a real port come before every hook of the bridge: to name their rules, tracing has to
    /// begin there. Only in an investigation, and where the kernel has that family.
    private static func traceIngress(
        of orders: [ProbeOrder], through owner: inout NetlinkSocket, _ name: String, group: UInt16
    ) throws(HostError) {
        for order in orders {
            guard order.investigation != nil, let resident = order.resident else { continue }
            var batch = NftTransaction()
            let table = NftTableName(.netdev, name)
            batch.newTable(table, flags: .owner, exclusive: true)
            try ProofPost.ingress(of: resident.port).build(&batch, in: table, [order], group: group, traces: true)
            do {
                try owner.commit(batch, operation: "trace at \(resident.port)")
            } catch {
                guard explained(error).code == .unsupported else { throw error }
            }
        }
    }

    /// A refusal that comes of an old kernel or a missing module, in words that help.
    private static func explained(_ error: HostError) -> HostError {
        guard let number = error.errno, [EINVAL, EOPNOTSUPP, EAFNOSUPPORT, EPROTONOSUPPORT, ENOENT].contains(number)
        else { return error }
        return unsupported(error)
    }

    private static func opened<Value: ~Copyable>(
        _ body: () throws(HostError) -> Value
    ) throws(HostError) -> Value {
        do {
            return try body()
        } catch {
            throw error.code == .unsupported ? unsupported(error) : error
        }
    }

    private static func unsupported(_ error: HostError) -> HostError {
        HostError(
            .unsupported, operation: error.operation,
            message: "this kernel has no nftables tables with an owner (Linux 5.12), or lacks a family of them or "
                + "nfnetlink_log; `--proof wire` does without, on weaker evidence",
            errno: error.errno)
    }

    /// For poll(2).
    var descriptors: [Int32] {
        guard let trace = trace?.socket.rawValue else { return [log.rawValue] }
        return [log.rawValue, trace]
    }

    /// What passed and what was stopped, as sightings since `start`. `name` gives the name of an interface.
    func read(since start: Int, name: (UInt32) -> String) throws(HostError) -> [Sighting] {
        let microseconds = (RealTime.now - start) / 1000
        return try log.read().compactMap { packet in
            posts.first { post in
                [true, false].contains { post.prefix(stopping: $0) == packet.prefix }
            }?.sighting(of: packet, microseconds: microseconds, name: name)
        }
    }

    /// Nil where there is no trace, or where messages of it were lost: what is missing is a name, not the verdict.
    private func readTrace() throws(HostError) -> [NetlinkMessage]? {
        do {
            return try trace?.socket.read()
        } catch {
            guard error.code == .limit else { throw error }
            return nil
        }
    }

    /// Rules and policies of others that dropped a traced packet since the last call, and rules that accepted one.
    func readKills() throws(HostError) -> (kills: [RuleKill], passes: [RuleKill]) {
        guard let messages = try readTrace() else { return ([], []) }
        var kills: [RuleKill] = []
        var passes: [RuleKill] = []
        do {
            for message in messages {
                guard let event = try NftTraceEvent(message) else { continue }
                // Somebody else may trace as well: nothing of theirs is kept for long.
                if traced.count > 4096 { traced = [:] }
                if !event.packet.isEmpty { traced[event.identifier] = event.packet }
                guard event.isDrop || event.isAccept, event.table.name != table,
                    let packet = traced[event.identifier]
                else { continue }
                let step = RuleKill(
                    family: event.table.family.name, table: event.table.name, chain: event.chain,
                    handle: event.isPolicy ? nil : event.handle, packet: ByteString(packet))
                if event.isDrop { kills.append(step) } else { passes.append(step) }
            }
        } catch {
            throw HostError(.malformed, operation: "read an nftables trace", message: "\(error)")
        }
        return (kills, passes)
    }
}
