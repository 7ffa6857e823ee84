internal import CLinux
package import HostModel

/// An IPv4 policy routing rule.
package typealias RouteRule = InternetRule<IPv4Address>

/// A policy routing rule, as RTM_NEWRULE describes it. Source: ip-rule(8), linux/fib_rules.h.
package struct InternetRule<Address: InternetAddress>: Hashable, Sendable {
    package var priority: UInt32
    /// FR_ACT_*: 1 look into `table`, 2 go to another rule, 6 blackhole, 7 unreachable, 8 prohibit.
    package var action: UInt8
    package var table: UInt32
    package var source: Address.Prefix?
    package var destination: Address.Prefix?
    package var inputInterface: String?
    package var outputInterface: String?
    package var mark: UInt32?
    /// FRA_FWMASK.
    package var markMask: UInt32?
    /// FIB_RULE_INVERT: the rule applies where its match does not.
    package var isInverted: Bool
    /// FRA_SUPPRESS_PREFIXLEN: routes of this length or a shorter one do not count.
    package var suppressedPrefixLength: Int?
    /// FRA_GOTO: the priority of the rule to go to.
    package var target: UInt32?
    /// FRA_PROTOCOL, RTPROT_*: who made it (2 kernel, 3 boot, 4 static); nil where the kernel does not say.
    package var maker: UInt8?
    /// A match of another kind (ports, user, tunnel, TOS, suppressed group): the rule is not wholly described
    /// by the other fields.
    package var hasOtherMatch: Bool

    /// Reads one RTM_NEWRULE message of the family.
    @specialized(where Address == IPv4Address)
    package init(_ message: NetlinkMessage) throws(WireError) {
        guard message.header.type == RouteMessageType.newRule else { throw WireError(.malformed, "RTM_NEWRULE") }
        var attributes = try message.attributes(after: MemoryLayout<fib_rule_hdr>.size)
        let bytes = message.bytes
        let start = NetlinkHeader.size
        // struct fib_rule_hdr, 8 bits each: family, dst_len, src_len, tos, table, res1, res2, action; flags (32).
        guard bytes[start] == AddressFamily.of(Address.self).rawValue,
            let flags: UInt32 = bytes.hostInteger(at: start + 8)
        else {
            throw WireError(.malformed, "fib_rule_hdr")
        }
        priority = 0
        table = UInt32(bytes[start + 4])
        action = bytes[start + 7]
        isInverted = flags & UInt32(FIB_RULE_INVERT) != 0
        hasOtherMatch = bytes[start + 3] != 0
        var from: Address?
        var to: Address?
        while let attribute = try attributes.next() {
            switch Int(attribute.type) {
            case Int(FRA_DST): to = try attributes.address(attribute)
            case Int(FRA_SRC): from = try attributes.address(attribute)
            case Int(FRA_IIFNAME): inputInterface = attributes.text(attribute)
            case Int(FRA_OIFNAME): outputInterface = attributes.text(attribute)
            case Int(FRA_PRIORITY): priority = try attributes.host(attribute)
            case Int(FRA_FWMARK): mark = try attributes.host(attribute)
            case Int(FRA_FWMASK): markMask = try attributes.host(attribute)
            case Int(FRA_PROTOCOL): maker = try attributes.host(attribute)
            case Int(FRA_TABLE): table = try attributes.host(attribute)
            case Int(FRA_GOTO): target = try attributes.host(attribute)
            case Int(FRA_SUPPRESS_PREFIXLEN):
                // -1 is "none", which the kernel always says.
                let length: Int32 = try attributes.host(attribute)
                suppressedPrefixLength = length >= 0 ? Int(length) : nil
            case Int(FRA_SUPPRESS_IFGROUP):
                if try attributes.host(attribute, as: Int32.self) != -1 { hasOtherMatch = true }
            case Int(FRA_TUN_ID), Int(FRA_L3MDEV), Int(FRA_UID_RANGE), Int(FRA_IP_PROTO), Int(FRA_SPORT_RANGE),
                Int(FRA_DPORT_RANGE):
                hasOtherMatch = true
            default: break
            }
        }
        source = try Self.prefix(from, bytes[start + 2])
        destination = try Self.prefix(to, bytes[start + 1])
    }

    /// Every rule of a dump, in its order, which is that of their priorities.
    package static func all(in messages: [[UInt8]]) throws(WireError) -> [Self] {
        try decodeAll(messages, RouteMessageType.newRule) { (message) throws(WireError) in try Self(message) }
    }

    private static func prefix(_ address: Address?, _ length: UInt8) throws(WireError) -> Address.Prefix? {
        guard length > 0 else { return nil }
        guard let address, let prefix = Address.Prefix(address: address, length: Int(length)) else {
            throw WireError(.malformed, "FRA_SRC, FRA_DST")
        }
        return prefix
    }
}
