import CLinux
import HostAccess
import LinuxHost
import OracleSupport
import WireFormats

/// What the kernel tells about a packet on its way: nftrace for nft and iptables-nft, and, because the same mark on the
/// packet makes iptables-legacy trace as well, log lines by NFLOG group 0 for that.
struct KernelTrace: ~Copyable {
    private let events: NfnetlinkListener
    private let lines: NfnetlinkListener
    /// The chains that turn tracing on, and show that a packet came to the host itself.
    static let table = "oracle"

    /// At devices only where the ruleset has chains there: those are looked at apart.
    static func rules(_ ruleset: GeneratedRuleset) -> String {
        ruleset.tables.contains { $0.family == "netdev" || $0.chains.contains { $0.declaration.contains("ingress") } }
            ? rules + atDevices : rules
    }

    private static let atDevices = """
        table netdev oracle {
            chain in {
                type filter hook ingress devices = { lxcbr1, vc1, vc2, vc3, up0, up1 } priority -2147483000; policy accept;
                meta nftrace set 1;
            }
        }

        """

    private static let rules = """
        table bridge oracle {
            chain in { type filter hook prerouting priority -2147483000; policy accept; meta nftrace set 1; }
        }
        table ip oracle {
            chain in4 { type filter hook prerouting priority -2147483000; policy accept; meta nftrace set 1; }
            chain out4 { type filter hook output priority -2147483000; policy accept; meta nftrace set 1; }
            chain arrived { type filter hook input priority 2147480000; policy accept; }
        }

        """

    init() throws {
        let events = try NfnetlinkListener(operation: "nftrace")
        try events.join(9)  // NFNLGRP_NFTRACE
        let lines = try NfnetlinkListener(operation: "NFLOG group 0")
        let failure = try lines.ask(
            type: UInt16(NFNL_SUBSYS_ULOG) << 8 | UInt16(NFULNL_MSG_CONFIG.rawValue), sequence: 1,
            payload: NflogPacket.binding(group: 0, copyBytes: 64))
        guard failure == 0 else { throw OracleError("NFLOG group 0: errno \(failure)") }
        self.events = events
        self.lines = lines
    }

    struct Steps {
        var applied: [RuleReference] = []
        var drop: RuleReference?
        /// The last thing that iptables-legacy said.
        var lastLegacy: RuleReference?
        var arrived = false
    }

    /// Everything that was said since the last time.
    borrowing func read(_ isRule: (RuleReference) -> Bool) throws -> Steps {
        var steps = Steps()
        // What the host itself answers (an ICMP error) is traced as well: another identification.
        var isOurs: [UInt32: Bool] = [:]
        for message in try events.read() {
            guard let event = try NftTraceEvent(message) else { continue }
            if let packet = IPPacket(event.packet[...]) {
                isOurs[event.identifier] = packet.identification == Frames.identification
            }
            guard isOurs[event.identifier] == true else { continue }
            if event.table.name == Self.table {
                if event.chain == "arrived" { steps.arrived = true }
                continue
            }
            let family = event.table.family.name
            let place = RuleReference(
                family: family, table: event.table.name, chain: event.chain, rule: event.handle.map { "\($0)" },
                isLegacy: false)
            if event.handle != nil { steps.applied.append(place) }
            if event.isDrop { steps.drop = place }
        }
        for message in try lines.read() {
            guard let packet = try NflogPacket(message), packet.prefix.hasPrefix("TRACE: "),
                IPPacket(packet.payload)?.identification == Frames.identification
            else { continue }
            // TRACE: table:chain:kind:number
            let words = packet.prefix.dropFirst(7).split(separator: ":")
            guard words.count >= 4, let number = words[words.count - 1].split(separator: " ").first else { continue }
            let chain = words[1..<words.count - 2].joined(separator: ":")
            var place = RuleReference(
                family: "ip", table: String(words[0]), chain: chain, rule: String(number), isLegacy: true)
            // An unconditional verdict is called `policy` or `return` too: it is a rule where the chain has that many.
            if isRule(place) {
                steps.applied.append(place)
            } else {
                if words[words.count - 2] != "policy" { continue }
                place.rule = nil
            }
            steps.lastLegacy = place
        }
        return steps
    }
}
