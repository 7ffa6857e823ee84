internal import CLinux
internal import HostModel

/// The dump of every set: IPSET_CMD_LIST.
package enum IPSetRequest {
    /// `nlmsg_type` with the subsystem.
    package static let type = UInt16(NFNL_SUBSYS_IPSET) << 8 | UInt16(IPSET_CMD_LIST.rawValue)
    package static let name = "IPSET_CMD_LIST"

    /// `struct nfgenmsg` of IPv4 and IPSET_ATTR_PROTOCOL: since 7 (Linux 4.20) the dump gives the index of a set, without
    /// which no rule can be read.
    package static var payload: [UInt8] {
        var builder = NetlinkAttributeBuilder(header: [NftFamily.ipv4.rawValue, 0, 0, 0])
        builder.append(number(IPSET_ATTR_PROTOCOL), host: UInt8(7))
        return builder.bytes
    }

    /// The attributes are numbers of enumerations without a name.
    fileprivate static func number(_ attribute: Int) -> UInt16 { UInt16(truncatingIfNeeded: attribute) }
}

extension IPSet {
    /// More members of one set are left out.
    private static let mostMembers = 262_144

    /// Reads the messages of the dump; a large set comes in several.
    package static func all(in messages: [[UInt8]]) throws(WireError) -> [IPSet] {
        var sets: [IPSet] = []
        for message in messages {
            var header = try NetlinkMessage(message).attributes(after: 4)
            var (name, type): (String?, String?)
            var (index, family): (UInt16?, UInt8?)
            var data: NetlinkAttribute?
            var members: NetlinkAttribute?
            while let attribute = try header.next() {
                switch attribute.type {
                case number(IPSET_ATTR_SETNAME): name = header.text(attribute)
                case number(IPSET_ATTR_TYPENAME): type = header.text(attribute)
                case number(IPSET_ATTR_FAMILY): family = try header.host(attribute)
                case number(IPSET_ATTR_INDEX): index = try header.network(attribute)
                case number(IPSET_ATTR_DATA): data = attribute
                case number(IPSET_ATTR_ADT): members = attribute
                default: continue
                }
            }
            guard let name else { throw WireError(.malformed, "IPSET_ATTR_SETNAME") }
            if let type {
                guard let index else { throw WireError(.malformed, "IPSET_ATTR_INDEX") }
                var set = IPSet(name: name, index: index, type: type, family: family ?? 0, members: [])
                if let data {
                    set.maskLength = try maskLength(header.nested(data))
                    set.bitmask = try bitmask(header.nested(data))
                }
                sets.append(set)
            }
            guard let members else { continue }
            // What goes on belongs to the set before.
            guard sets.last?.name == name else { throw WireError(.malformed, "IPSET_ATTR_ADT") }
            var list = header.nested(members)
            while let member = try list.next() {
                guard member.type == number(IPSET_ATTR_DATA) else { continue }
                guard sets[sets.count - 1].members.count < mostMembers else {
                    sets[sets.count - 1].isCut = true
                    break
                }
                sets[sets.count - 1].members.append(try Member(list.nested(member)))
            }
        }
        return sets
    }

    fileprivate static func number(_ attribute: Int) -> UInt16 { IPSetRequest.number(attribute) }

    private static func maskLength(_ fields: NetlinkAttributes) throws(WireError) -> UInt8? {
        guard let mask = try fields.first(number(IPSET_ATTR_NETMASK)) else { return nil }
        return try fields.host(mask)
    }

    /// IPSET_ATTR_BITMASK (Linux 6.2), which takes the place of the netmask; older headers do not name it.
    private static func bitmask(_ fields: NetlinkAttributes) throws(WireError) -> UInt32? {
        guard let mask = try fields.first(12) else { return nil }
        return try Member.address(fields, mask)
    }
}

extension IPSet.Member {
    fileprivate init(_ attributes: NetlinkAttributes) throws(WireError) {
        var fields = attributes
        var first: UInt32?
        var (firstEnd, firstLength): (UInt32?, UInt8?)
        var (second, secondEnd): (UInt32?, UInt32?)
        var secondLength: UInt8?
        var low: UInt16?
        var high: UInt16?
        while let field = try fields.next() {
            switch field.type {
            case IPSet.number(IPSET_ATTR_IP): first = try Self.address(fields, field)
            case IPSet.number(IPSET_ATTR_IP_TO): firstEnd = try Self.address(fields, field)
            case IPSet.number(IPSET_ATTR_CIDR): firstLength = try fields.host(field)
            case IPSet.number(IPSET_ATTR_IP2): second = try Self.address(fields, field)
            case IPSet.number(IPSET_ATTR_IP2_TO): secondEnd = try Self.address(fields, field)
            case IPSet.number(IPSET_ATTR_CIDR2): secondLength = try fields.host(field)
            case IPSet.number(IPSET_ATTR_PORT): low = try fields.network(field)
            case IPSet.number(IPSET_ATTR_PORT_TO): high = try fields.network(field)
            case IPSet.number(IPSET_ATTR_PROTO): transport = try fields.host(field)
            case IPSet.number(IPSET_ATTR_IFACE): interface = fields.text(field)
            case IPSet.number(IPSET_ATTR_NAME): name = fields.text(field)
            case IPSet.number(IPSET_ATTR_CADT_FLAGS):
                let flags: UInt32 = try fields.network(field)
                isPhysical = flags & 2 != 0
                isException = flags & 4 != 0
                isWildcard = flags & 0x80 != 0
            default: continue
            }
        }
        for (address, end, length) in [(first, firstEnd, firstLength), (second, secondEnd, secondLength)] {
            guard let address else { continue }
            addresses.append(try Self.range(address, end, length))
        }
        if let low {
            guard low <= high ?? low else { throw WireError(.malformed, "IPSET_ATTR_PORT_TO") }
            ports = low...(high ?? low)
        }
    }

    private static func range(
        _ address: UInt32, _ end: UInt32?, _ length: UInt8?
    ) throws(WireError) -> ClosedRange<UInt32> {
        if let end {
            guard address <= end else { throw WireError(.malformed, "IPSET_ATTR_IP_TO") }
            return address...end
        }
        guard let length else { return address...address }
        guard let prefix = IPv4Prefix(address: IPv4Address(value: address), length: Int(length)) else {
            throw WireError(.malformed, "IPSET_ATTR_CIDR")
        }
        return prefix.first.value...prefix.last.value
    }

    /// Nil: not of IPv4.
    fileprivate static func address(_ fields: NetlinkAttributes, _ field: NetlinkAttribute) throws(WireError) -> UInt32?
    {
        let nested = fields.nested(field)
        guard let address = try nested.first(IPSet.number(IPSET_ATTR_IPADDR_IPV4)) else { return nil }
        return try nested.network(address)
    }
}
