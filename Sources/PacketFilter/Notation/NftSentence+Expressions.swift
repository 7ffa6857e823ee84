internal import WireFormats

extension NftSentence {
    mutating func add(_ listed: NftListedExpression) {
        switch listed.expression {
        case .payload(let base, let offset, let length, let into):
            guard offset < 65536, length <= 64 else { return }
            self[into] = NftPacketField.load(base, offset: Int(offset), length: Int(length), self)
        case .meta(let key, let into): self[into] = Self.meta(key)
        case .conntrack(let key, let direction, let into): self[into] = Self.conntrack(key, direction)
        case .immediate(let into, let value):
            self[into] = Operand(
                field: NftField(name: "", kind: .number), length: value.count, constant: value.bytes)
        case .fib(let result, let flags, let into): self[into] = Self.fib(result, flags)
        case .loaded(_, let into), .generated(_, _, _, let into):
            self[into] = loaded(listed.expression, listed.detail)
        case .bitwise(let from, let into, let mask, let xor):
            var operand = self[from]
            operand?.mask = mask.bytes
            operand?.flip = xor.isZero ? nil : xor.bytes
            self[into] = operand
        case .byteOrder(let from, let into, _, _):
            var operand = self[from]
            operand?.isHostOrder = false
            self[into] = operand
        case .shift(let from, let into, let left, let bits):
            var operand = self[from]
            let before = operand.map(expression) ?? ""
            operand?.words = "\(before) \(left ? "<<" : ">>") \(bits)"
            self[into] = operand
        case .compare(let from, let comparison, let value): compare(from, comparison, value.bytes)
        case .range(let from, let inverted, let low, let high): range(from, inverted: inverted, low.bytes, high.bytes)
        case .lookup(let name, let from, let into, let inverted):
            if let into, into != .verdict {
                map(name, from, into)
            } else {
                look(name, from, inverted: inverted, isVerdict: into != nil)
            }
        default: addStatement(listed)
        }
    }

    /// A map gives its value to a register; what is written waits for who reads that.
    private mutating func map(_ name: String, _ from: NftRegister, _ into: NftRegister) {
        let found = set(name)
        let (words, operands) = key(from, length: found.map { Int($0.keyLength) } ?? 4)
        var operand = Operand(field: NftField(name: "", kind: .number), length: 4)
        operand.map = Map(words: words, name: name, operands: operands)
        self[into] = operand
    }

    /// The value that a statement takes, as `nft` writes it; `kinds` are of the parts of a map's data.
    func value(_ register: NftRegister, _ kinds: [NftKind], isHostOrder: Bool = false) -> String {
        guard let operand = self[register] else { return "?" }
        if let constant = operand.constant {
            return NftWords.text(constant, kinds[0], isHostOrder: isHostOrder, links: links)
        }
        if let map = operand.map {
            return "\(map.words) map \(NftSetText(map.operands, self).text(map.name, set(map.name), data: kinds))"
        }
        return expression(operand)
    }

    /// A field with what is done to its bits: `meta mark & 0x000000ff | 0x00000010`.
    private func expression(_ operand: Operand) -> String {
        var words = operand.words ?? operand.field.name
        guard var mask = operand.mask else { return words }
        let flip = operand.flip ?? [UInt8](repeating: 0, count: mask.count)
        guard flip.count == mask.count else { return words }
        // What is cleared and flipped is set; what is only flipped is flipped.
        let or = zip(mask, flip).map { ~$0 & $1 }
        let xor = zip(mask, flip).map { $0 & $1 }
        mask = zip(mask, or).map { $0 | $1 }
        if mask.contains(where: { $0 != 0xff }) { words += " & \(text(mask, operand))" }
        if xor.contains(where: { $0 != 0 }) { words += " ^ \(text(xor, operand))" }
        if or.contains(where: { $0 != 0 }) { words += " | \(text(or, operand))" }
        return words
    }

    // MARK: Statements

    private mutating func addStatement(_ listed: NftListedExpression) {
        switch listed.expression {
        case .verdict(let verdict): say(NftStatement.verdict(verdict))
        case .counter: say("counter")
        case .notrack: say("notrack")
        case .limit(let limit): say(NftStatement.limit(limit))
        case .masquerade(let flags, let ports):
            say("masquerade" + to(ports: ports) + NftStatement.natFlags(flags))
        case .redirect(let flags, let ports): say("redirect" + to(ports: ports) + NftStatement.natFlags(flags))
        case .nat(let nat): say(self.nat(nat))
        case .reject(let type, let code): reject(type, code)
        case .setMeta(let key, let from):
            say("\(Self.meta(key).field.name) set \(value(from, [Self.meta(key).field.kind], isHostOrder: true))")
        case .setConntrack(let key, let from):
            let operand = Self.conntrack(key, nil)
            say("\(operand.field.name) set \(value(from, [operand.field.kind], isHostOrder: operand.isHostOrder))")
        case .setPayload(let base, let offset, let length, let from): setPayload(base, Int(offset), Int(length), from)
        case .match(let xt): say("xt match \"\(xt.name)\"")
        case .target(let xt): say("xt target \"\(xt.name)\"")
        case .log(let log):
            var (level, flags, threshold): (UInt32?, UInt32, UInt16) = (nil, 0, 0)
            if case .log(let seen, let bits, let least)? = listed.detail {
                (level, flags, threshold) = (seen, bits, least)
            }
            say(NftStatement.log(log, level: level, flags: flags, threshold: threshold))
        case .other(let name): say(listed.detail.map { statement($0) } ?? name)
        default: say(listed.expression.kernelName)
        }
        keepDependencies()
    }

    private mutating func statement(_ detail: NftDetail) -> String {
        switch detail {
        case .quota(let bytes, let isOver): return "quota \(isOver ? "over " : "")\(NftStatement.size(bytes))"
        case .connections(let count, let isOver): return "ct count \(isOver ? "over " : "")\(count)"
        case .object(let type, let name): return NftStatement.object(type: type, name: name)
        case .objectMap(let name, let from):
            let (words, operands) = key(from, length: set(name).map { Int($0.keyLength) } ?? 4)
            return "\(words) map \(NftSetText(operands, self).text(name, set(name), data: nil))"
        case .setExtensionHeader(let type, let offset, let length, let from):
            let name = Self.tcpOption(type, offset, length).name
            return "\(name) set \(value(from, [.number]))"
        case .setChange(let name, let operation, let key, let data, let timeout, let expressions):
            return setChange(name, operation, key, data, timeout, expressions)
        case .duplicate(let address, let device):
            let to = [address.map { value($0, [.address]) }, device.map { value($0, [.link], isHostOrder: true) }]
            return "dup to " + to.compactMap { $0 }.joined(separator: " device ")
        case .forward(let device): return "fwd to " + (device.map { value($0, [.link], isHostOrder: true) } ?? "?")
        case .queue(let first, let count, let flags):
            return NftStatement.queue(first: first, count: count, flags: flags)
        case .synproxy(let maximumSegment, let scale, let flags):
            return NftStatement.synproxy(maximumSegment: maximumSegment, scale: scale, flags: flags)
        case .transparentProxy(let version, let address, let port):
            // AF_INET and AF_INET6.
            let word = family != .inet ? "" : version == 2 ? "ip " : version == 10 ? "ip6 " : ""
            let place = [address.map { value($0, [.address]) }, port.map { ":" + value($0, [.number]) }]
            return "tproxy \(word)to " + place.compactMap { $0 }.joined()
        default: return "?"
        }
    }

    private mutating func setChange(
        _ name: String, _ operation: UInt32, _ register: NftRegister, _ data: NftRegister?, _ timeout: UInt64?,
        _ expressions: [NftListedExpression]
    ) -> String {
        let verb = operation == 0 ? "add" : operation == 1 ? "update" : "delete"
        var words = key(register, length: set(name).map { Int($0.keyLength) } ?? 4).words
        if let timeout, timeout > 0 { words += " timeout \(NftWords.duration(timeout / 1000))" }
        for inner in expressions {
            var sentence = NftSentence(family, links: links, set: set)
            sentence.add(inner)
            words += " \(sentence.text)"
        }
        if let data { words += " : \(value(data, [.number]))" }
        return "\(verb) @\(name) { \(words) }"
    }

    private func to(ports: NftRegisterPair?) -> String {
        ports.map { " to :" + pair($0, .number) } ?? ""
    }

    private func pair(_ pair: NftRegisterPair, _ kind: NftKind) -> String {
        let low = value(pair.low, [kind])
        let high = value(pair.high, [kind])
        return low == high ? low : "\(low)-\(high)"
    }

    private func nat(_ nat: NftNat) -> String {
        let verb = nat.kind == .source ? "snat" : "dnat"
        var words = verb
        let map = nat.addresses.flatMap { self[$0.low]?.map }
        // A map that gives address and port fills both registers.
        let isBoth =
            map != nil && nat.ports != nil
            && nat.ports.map { self[$0.low]?.map == nil && self[$0.low]?.constant == nil } == true
        let isPrefix = nat.flags & 0x40 != 0
        if family != .ipv4 && family != .ipv6 && nat.addresses != nil || isBoth || isPrefix {
            words += nat.family == .ipv6 ? " ip6" : " ip"
        }
        if isPrefix { words += " prefix" }
        guard nat.addresses != nil || nat.ports != nil else { return words + NftStatement.natFlags(nat.flags) }
        words += " to "
        if let addresses = nat.addresses {
            if map != nil {
                words += value(addresses.low, isBoth ? [.address, .number] : [.address])
            } else {
                let isSix = nat.family == .ipv6 && nat.ports != nil
                let text = pair(addresses, .address)
                words += isSix ? "[\(text.replacingDash())]" : text
            }
        }
        if let ports = nat.ports, !isBoth { words += ":" + pair(ports, .number) }
        return words + NftStatement.natFlags(nat.flags)
    }

    private mutating func reject(_ type: UInt32, _ code: UInt8) {
        let isPlain = family == .ipv4 || family == .ipv6
        if isPlain {
            if type == 1 { forget(.transport) }
        } else if type != 2 {
            forget(.network)
        }
        say(
            NftStatement.reject(
                type: type, code: code, isIP6: family == .ipv6 || !isPlain && network == .ip6, isPlainFamily: isPlain))
    }

    private mutating func setPayload(_ base: NftPayloadBase, _ offset: Int, _ length: Int, _ from: NftRegister) {
        guard offset < 65536, length <= 64 else { return say("payload set") }
        var target = NftPacketField.load(base, offset: offset, length: length, self)
        guard let source = self[from] else { return say("\(target.field.name) set ?") }
        if let mask = source.mask, source.base == base, source.firstBit == offset * 8 {
            // The bits that are not kept are those of the field.
            let changed = mask.map { ~$0 }
            let whole = source.flip ?? [UInt8](repeating: 0, count: mask.count)
            if let found = NftPacketField.field(in: target, mask: changed, self) {
                target.field = found.field
                use(target)
                return say("\(target.field.name) set \(text(NftPacketField.extract(whole, found.bits), target))")
            }
        }
        use(target)
        say("\(target.field.name) set \(value(from, [target.field.kind]))")
    }
}

extension String {
    /// Two addresses of IPv6 with ports behind them stand in brackets of their own.
    fileprivate func replacingDash() -> String {
        split(separator: "-").joined(separator: "]-[")
    }
}
