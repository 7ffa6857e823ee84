internal import WireFormats

/// What is no part of the packet, by name and kind.
extension NftSentence {
    static func meta(_ key: NftMetaKey) -> Operand {
        let name = key.rawValue == 21 || key.rawValue == 22 ? String(key.name.dropFirst(5)) : key.name
        let (kind, length, isHostOrder): (NftKind, Int, Bool) =
            switch key.rawValue {
            case 1: (.etherType, 2, false)
            case 2: (.trafficHandle, 4, true)
            case 3: (.mark, 4, true)
            case 4, 5: (.link, 4, true)
            case 6, 7, 17, 18: (.name, 16, true)
            case 26, 27, 34: (.text, 16, true)
            case 8, 9: (.linkType, 2, true)
            case 24: (.number, 4, false)
            case 15: (.family, 1, true)
            case 16: (.transport, 1, true)
            case 19: (.packetType, 1, true)
            case 21, 22: (.group, 4, true)
            case 25: (.boolean, 1, true)
            case 29: (.etherType, 2, false)
            case 30: (.time, 8, true)
            case 31: (.weekday, 1, true)
            case 32: (.hour, 4, true)
            default: (.number, 4, true)
            }
        return Operand(
            field: NftField(name: key.rawValue == 25 ? "meta ipsec" : name, kind: kind), length: length,
            isHostOrder: isHostOrder)
    }

    static func conntrack(_ key: NftConntrackKey, _ direction: UInt8?) -> Operand {
        let (kind, length, isHostOrder): (NftKind, Int, Bool) =
            switch key.rawValue {
            case 0: (.connectionState, 4, true)
            case 1: (.connectionDirection, 1, true)
            case 2: (.connectionStatus, 4, true)
            case 3: (.mark, 4, true)
            case 5: (.milliseconds, 4, true)
            case 6: (.text, 16, true)
            case 7: (.family, 1, true)
            case 8, 9: (.address, 16, false)
            case 10: (.transport, 1, true)
            case 11, 12: (.number, 2, false)
            case 13: (.connectionLabel, 16, true)
            case 14, 15, 16: (.number, 8, true)
            case 17: (.number, 2, true)
            case 19, 20: (.address, 4, false)
            case 21, 22: (.address, 16, false)
            default: (.number, 4, true)
            }
        var words = key.name
        if let direction, ![7, 10].contains(key.rawValue) {
            words = "ct \(direction == 0 ? "original" : "reply") \(key.name.dropFirst(3))"
        }
        return Operand(field: NftField(name: words, kind: kind), length: length, isHostOrder: isHostOrder)
    }

    /// NFTA_FIB_F_*: 1 source, 2 destination, 4 mark, 8 input, 16 output, 32 only whether there is a route.
    static func fib(_ result: NftFibResult, _ flags: UInt32) -> Operand {
        let from = ["saddr", "daddr", "mark", "iif", "oif"].enumerated().filter { flags >> UInt32($0.offset) & 1 != 0 }
        let (name, kind, length): (String, NftKind, Int) =
            switch result {
            case .interfaceIndex: ("oif", .link, 4)
            case .interfaceName: ("oifname", .name, 16)
            default: ("type", .addressType, 4)
            }
        return Operand(
            field: NftField(
                name: "fib \(from.map(\.element).joined(separator: " . ")) \(name)",
                kind: flags & 32 != 0 ? .boolean : kind), length: flags & 32 != 0 ? 1 : length, isHostOrder: true)
    }

    mutating func loaded(_ expression: NftExpression, _ detail: NftDetail?) -> Operand {
        func operand(_ name: String, _ kind: NftKind, _ length: Int, isHostOrder: Bool = false) -> Operand {
            Operand(field: NftField(name: name, kind: kind), length: length, isHostOrder: isHostOrder)
        }
        switch detail {
        case .extensionHeader(let operation, let type, let offset, let length, let isPresence):
            return Self.extensionHeader(operation, type, offset, length, isPresence)
        case .route(let key):
            switch key {
            case 0: return operand("rt classid", .realm, 4, isHostOrder: true)
            case 1: return operand("rt ip nexthop", .address, 4)
            case 2: return operand("rt ip6 nexthop", .address, 16)
            case 3: return operand("rt mtu", .number, 2, isHostOrder: true)
            default: return operand("rt ipsec", .boolean, 1, isHostOrder: true)
            }
        case .socket(let key):
            let names = ["transparent", "mark", "wildcard", "cgroupv2"]
            let name = Int(key) < names.count ? names[Int(key)] : "\(key)"
            return operand("socket \(name)", key == 1 ? .mark : .number, key == 1 ? 4 : 1, isHostOrder: true)
        case .transform(let key, let direction, let number):
            let names = ["?", "ip daddr", "ip6 daddr", "ip saddr", "ip6 saddr", "reqid", "spi"]
            let name = Int(key) < names.count ? names[Int(key)] : "\(key)"
            let place = "ipsec \(direction == 0 ? "in" : "out") \(number == 0 ? "" : "spnum \(number) ")"
            return operand(
                place + name, key < 5 ? .address : .number, key == 2 || key == 4 ? 16 : 4, isHostOrder: key == 5)
        case .fingerprint(let timeToLive, let flags):
            let ttl = timeToLive == 1 ? "ttl loose " : timeToLive == 2 ? "ttl skip " : ""
            return operand("osf \(ttl)\(flags & 1 != 0 ? "version" : "name")", .text, 16, isHostOrder: true)
        case .numberGenerator(let isRandom):
            guard case .generated(_, let modulus, let offset, _) = expression else { break }
            let name = "numgen \(isRandom ? "random" : "inc") mod \(modulus)" + (offset > 0 ? " offset \(offset)" : "")
            return operand(name, .number, 4, isHostOrder: true)
        case .hash(let from, let length, let seed):
            guard case .generated(_, let modulus, let offset, _) = expression else { break }
            var name = from.map { "jhash \(key($0, length: Int(min(length, 64))).words)" } ?? "symhash"
            name += " mod \(modulus)"
            if let seed, from != nil { name += " seed 0x" + String(seed, radix: 16) }
            if offset > 0 { name += " offset \(offset)" }
            return operand(name, .number, 4, isHostOrder: true)
        default: break
        }
        return operand(expression.kernelName, .hexadecimal, 4)
    }

    // MARK: Options and extension headers

    private static func extensionHeader(
        _ operation: UInt32, _ type: UInt8, _ offset: UInt32, _ length: UInt32, _ isPresence: Bool
    ) -> Operand {
        var field: NftField
        switch operation {
        case 1: field = tcpOption(type, isPresence ? 0 : offset, isPresence ? 0 : length)
        case 2:
            let names: [UInt8: String] = [7: "rr", 131: "lsrr", 137: "ssrr", 148: "ra"]
            field = NftField(name: "ip option \(names[type] ?? "\(type)")", kind: .number)
        case 3: field = NftField(name: "sctp chunk \(type)", kind: .number)
        default:
            let names: [UInt8: String] = [0: "hbh", 43: "rt", 44: "frag", 60: "dst", 135: "mh"]
            let name = names[type] ?? "\(type)"
            field =
                isPresence
                ? NftField(name: "exthdr \(name)", kind: .boolean) : headerField(name, offset: offset, length: length)
        }
        if isPresence { field.kind = .boolean }
        var operand = Operand(field: field, length: Int(min(length, 64)), isHostOrder: isPresence)
        operand.header = operation == 1 || operation == 3 ? .transport : .network
        return operand
    }

    private static func headerField(_ name: String, offset: UInt32, length: UInt32) -> NftField {
        switch (name, offset, length) {
        case (_, 0, 1): NftField(name: "\(name) nexthdr", kind: .transport)
        case ("mh", 2, 1): NftField(name: "mh type", kind: .mobility)
        case ("rt", 2, 1): NftField(name: "rt type", kind: .number)
        case ("rt", 3, 1): NftField(name: "rt seg-left", kind: .number)
        case (_, 1, 1): NftField(name: "\(name) hdrlength", kind: .number)
        case ("frag", 4, 4): NftField(name: "frag id", kind: .number)
        case ("rt", 8..., 16): NftField(name: "srh sid[\((offset - 8) / 16 + 1)]", kind: .address)
        default: NftField(name: "\(name) @\(offset &* 8),\(length &* 8)", kind: .hexadecimal)
        }
    }

    static func tcpOption(_ type: UInt8, _ offset: UInt32, _ length: UInt32) -> NftField {
        let names: [UInt8: String] = [
            0: "eol", 1: "nop", 2: "maxseg", 3: "window", 4: "sack-perm", 5: "sack", 8: "timestamp", 19: "md5sig",
            30: "mptcp", 34: "fastopen",
        ]
        let name = "tcp option \(names[type] ?? "@\(type)")"
        let part: String? =
            switch (type, offset, length) {
            case (_, 0, 0): nil
            case (2, 2, 2): "size"
            case (3, 2, 1): "count"
            case (5, 2, 4): "left"
            case (5, 6, 4): "right"
            case (8, 2, 4): "tsval"
            case (8, 6, 4): "tsecr"
            case (_, 0, 1): "kind"
            case (_, 1, 1): "length"
            default: "@\(offset &* 8),\(length &* 8)"
            }
        return NftField(name: part.map { "\(name) \($0)" } ?? name, kind: .number)
    }
}
