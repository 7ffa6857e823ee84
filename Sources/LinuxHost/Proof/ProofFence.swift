internal import Glibc
internal import HostAccess
internal import HostModel
internal import WireFormats

/// What stops the probes after source translation, so that none of them leaves and none is remembered.
///
/// Two nftables tables with the flag `owner`: nobody else can change them, `nft flush ruleset` passes over them, and
/// the kernel removes them when the socket is closed, by the end of the process at the latest. Their chains come
/// last at their hooks, just before conntrack would confirm the connection: no entry is left.
/// Source: nft(8), nf_tables.h NFT_TABLE_F_OWNER (Linux 5.12).
final class ProofFence {
    private let log: NflogSocket
    /// Holds the tables.
    private let owner: NetlinkSocket

    /// Where a probe is stopped. The prefix of the log statement says which one it was.
    private struct Post {
        let family: NftFamily
        let hook: NftHook
        let prefix: String
        let hookName: String
        let familyName: String
    }

    private static let posts = [
        Post(family: .ipv4, hook: .postrouting, prefix: "ip.postrouting", hookName: "postrouting", familyName: "ip"),
        // A redirected probe would reach a real process.
        Post(family: .ipv4, hook: .input, prefix: "ip.input", hookName: "input", familyName: "ip"),
        // What is bridged never passes the hooks of the ip family.
        Post(
            family: .bridge, hook: .postrouting, prefix: "bridge.postrouting", hookName: "postrouting",
            familyName: "bridge"),
    ]

    /// Raises the fence. Throws `unsupported` where the kernel cannot promise what the fence promises.
    init(nonce: [UInt8]) throws(HostError) {
        let log = try NflogSocket()
        var owner = try NetlinkSocket(.netfilter)
        let name = "lxcdoc_\(String(UInt32.random(in: 0...UInt32.max), radix: 16))"
        // One batch for each family: where one is missing, the error says which.
        for family in [NftFamily.ipv4, .bridge] {
            let batch = try Self.batch(family, name, log.group, nonce)
            do {
                try owner.commit(batch, operation: "raise the fence (table \(family.name) \(name))")
            } catch {
                throw Self.explained(error)
            }
        }
        self.log = log
        self.owner = owner
    }

    /// A refusal that comes of an old kernel or a missing module, in words that help.
    private static func explained(_ error: HostError) -> HostError {
        guard let number = error.errno, [EINVAL, EOPNOTSUPP, EAFNOSUPPORT, EPROTONOSUPPORT, ENOENT].contains(number)
        else { return error }
        return HostError(
            .unsupported, operation: error.operation,
            message: "this kernel has no nftables tables with an owner (Linux 5.12), or lacks a family of them",
            errno: number)
    }

    private static func batch(
        _ family: NftFamily, _ name: String, _ group: UInt16, _ nonce: [UInt8]
    ) throws(HostError) -> NftTransaction {
        guard let payload = NftValue(nonce.prefix(8)), payload.count == 8 else {
            throw HostError(.malformed, operation: "raise the fence", message: "the nonce is not eight bytes")
        }
        let table = NftTableName(family, name)
        var batch = NftTransaction()
        batch.newTable(table, flags: .owner, exclusive: true)
        for post in posts where post.family == family {
            let chain = "fence_\(post.hookName)"
            batch.newChain(chain, in: table, base: NftBaseChain(hook: post.hook, priority: Int32.max))
            let stop: [NftExpression] = [
                .log(NftLog(prefix: post.prefix, group: group)), .verdict(.drop),
            ]
            // Behind the eight bytes of a UDP or an ICMP echo header.
            batch.newRule(in: chain, of: table, NftExpression.bytes(.transport, at: 8, equal: payload) + stop)
            // The sequence number of TCP, with SYN and without ACK.
            batch.newRule(
                in: chain, of: table,
                NftExpression.meta(.transportProtocol, equal: NftValue(byte: UInt8(IPPROTO_TCP)))
                    + NftExpression.bytes(.transport, at: 4, equal: NftValue(big32: ProbeMark.sequence(nonce)))
                    + NftExpression.bytes(.transport, at: 13, equal: NftValue(byte: 2)) + stop)
        }
        return batch
    }

    /// For poll(2).
    var descriptor: Int32 { log.rawValue }

    /// What was stopped, as sightings since `start`. `name` gives the name of an interface.
    func read(since start: Int, name: (UInt32) -> String) throws(HostError) -> [Sighting] {
        let now = RealTime.now
        return try log.read().compactMap { packet in
            guard let post = Self.posts.first(where: { $0.prefix == packet.prefix }) else { return nil }
            return Sighting(
                interface: name(post.hook == .input ? packet.input : packet.output), direction: .fenced,
                microseconds: (now - start) / 1000, packet: ByteString(Array(packet.payload)),
                hook: post.hookName, family: post.familyName)
        }
    }
}
