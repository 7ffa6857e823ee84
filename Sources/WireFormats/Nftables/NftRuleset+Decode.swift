internal import CLinux

/// Reading the dumps. Every message is whole, with its header. Tables first, then chains, rules, sets, elements.
extension NftRuleset {
    /// NFT_MSG_NEWTABLE messages.
    package mutating func addTables(_ messages: [[UInt8]]) throws(WireError) {
        for message in messages {
            let fields = try NftFields(message: message)
            note(message)
            tables.append(
                NftTable(
                    name: NftTableName(family(message), try fields.requiredText(NFTA_TABLE_NAME)),
                    flags: NftTableFlags(rawValue: try fields.network(NFTA_TABLE_FLAGS) ?? 0),
                    handle: try fields.network(NFTA_TABLE_HANDLE) ?? 0))
        }
    }

    /// NFT_MSG_NEWCHAIN messages.
    package mutating func addChains(_ messages: [[UInt8]]) throws(WireError) {
        for message in messages {
            let fields = try NftFields(message: message)
            note(message)
            chains.append(
                NftChain(
                    table: NftTableName(family(message), try fields.requiredText(NFTA_CHAIN_TABLE)),
                    name: try fields.requiredText(NFTA_CHAIN_NAME),
                    handle: try fields.network(NFTA_CHAIN_HANDLE) ?? 0, base: try Self.base(fields)))
        }
    }

    private static func base(_ fields: NftFields) throws(WireError) -> NftBaseChain? {
        guard let hook = try fields.nested(NFTA_CHAIN_HOOK) else { return nil }
        var devices: [String] = []
        if let device = hook.text(NFTA_HOOK_DEV) { devices.append(device) }
        if let range = hook.range(NFTA_HOOK_DEVS) {
            var list = NetlinkAttributes(hook.bytes, range)
            while let device = try list.next() { devices.append(list.text(device)) }
        }
        let policy: UInt32 = try fields.network(NFTA_CHAIN_POLICY) ?? 1
        return NftBaseChain(
            type: fields.text(NFTA_CHAIN_TYPE) ?? "filter",
            hook: NftHook(rawValue: try hook.required(NFTA_HOOK_HOOKNUM)),
            priority: try hook.required(NFTA_HOOK_PRIORITY), policy: policy == 0 ? .drop : .accept, devices: devices)
    }

    private struct ChainKey: Hashable {
        var table: NftTableName
        var chain: String
    }

    /// NFT_MSG_NEWRULE messages.
    package mutating func addRules(_ messages: [[UInt8]]) throws(WireError) {
        var indices: [ChainKey: Int] = [:]
        for (index, chain) in chains.enumerated() {
            indices[ChainKey(table: chain.table, chain: chain.name)] = index
        }
        rules.reserveCapacity(rules.count + messages.count)
        expressions.reserveCapacity(expressions.count + messages.count * 6)
        var previous: (key: [UInt8], index: Int)?
        for message in messages {
            let fields = try NftFields(message: message)
            note(message)
            guard let table = fields.range(NFTA_RULE_TABLE), let chain = fields.range(NFTA_RULE_CHAIN) else {
                throw WireError(.malformed, "NFT_MSG_NEWRULE")
            }
            // Rules of one chain follow each other: compare bytes before making strings.
            let index: Int
            if let previous, Self.same(previous.key, message, table, chain) {
                index = previous.index
            } else {
                let key = ChainKey(
                    table: NftTableName(family(message), try fields.requiredText(NFTA_RULE_TABLE)),
                    chain: try fields.requiredText(NFTA_RULE_CHAIN))
                guard let found = indices[key] else {
                    throw WireError(.malformed, "rule of chain \(key.chain), which is not listed")
                }
                index = found
                previous = ([message[NetlinkHeader.size]] + message[table] + message[chain], found)
            }
            let first = expressions.count
            if let range = fields.range(NFTA_RULE_EXPRESSIONS) {
                var list = NetlinkAttributes(message, range)
                while let element = try list.next() {
                    expressions.append(try NftExpression(decoding: message, element.range))
                }
            }
            rules.append(
                NftRule(
                    chain: index, handle: try fields.network(NFTA_RULE_HANDLE) ?? 0,
                    expressions: first..<expressions.count, userData: fields.data(NFTA_RULE_USERDATA) ?? []))
        }
    }

    private static func same(
        _ key: [UInt8], _ message: [UInt8], _ table: Range<Int>, _ chain: Range<Int>
    ) -> Bool {
        key.count == 1 + table.count + chain.count && key[0] == message[NetlinkHeader.size]
            && key[1..<1 + table.count].elementsEqual(message[table])
            && key[(1 + table.count)...].elementsEqual(message[chain])
    }

    /// NFT_MSG_NEWSET messages.
    package mutating func addSets(_ messages: [[UInt8]]) throws(WireError) {
        for message in messages {
            let fields = try NftFields(message: message)
            note(message)
            var lengths: [UInt32] = []
            if let description = try fields.nested(NFTA_SET_DESC), let range = description.range(NFTA_SET_DESC_CONCAT) {
                var list = NetlinkAttributes(message, range)
                while let element = try list.next() {
                    lengths.append(try NftFields(message, element.range).required(NFTA_SET_FIELD_LEN))
                }
            }
            sets.append(
                NftSet(
                    table: NftTableName(family(message), try fields.requiredText(NFTA_SET_TABLE)),
                    name: try fields.requiredText(NFTA_SET_NAME),
                    flags: NftSet.Flags(rawValue: try fields.network(NFTA_SET_FLAGS) ?? 0),
                    keyType: try fields.network(NFTA_SET_KEY_TYPE) ?? 0,
                    keyLength: try fields.network(NFTA_SET_KEY_LEN) ?? 0, fieldLengths: lengths, elements: []))
        }
    }

    /// NFT_MSG_NEWSETELEM messages: the elements of one set, in one message or several.
    package mutating func addElements(_ messages: [[UInt8]], to set: Int) throws(WireError) {
        guard sets.indices.contains(set) else { return }
        for message in messages {
            let fields = try NftFields(message: message)
            note(message)
            guard let range = fields.range(NFTA_SET_ELEM_LIST_ELEMENTS) else { continue }
            var list = NetlinkAttributes(message, range)
            while let element = try list.next() {
                sets[set].elements.append(try NftSetElement(try NftFields(message, element.range)))
            }
        }
    }

    private func family(_ message: [UInt8]) -> NftFamily {
        NftFamily(rawValue: message.count > NetlinkHeader.size ? message[NetlinkHeader.size] : 0)
    }

    /// Keeps the resource id, in which the kernel puts the generation.
    private mutating func note(_ message: [UInt8]) {
        guard let id: UInt16 = message.networkInteger(at: NetlinkHeader.size + 2) else { return }
        generations.insert(id)
    }
}

extension NftSetElement {
    fileprivate init(_ fields: NftFields) throws(WireError) {
        key = Array(try fields.nested(NFTA_SET_ELEM_KEY)?.data(NFTA_DATA_VALUE) ?? [])
        keyEnd = try fields.nested(NFTA_SET_ELEM_KEY_END)?.data(NFTA_DATA_VALUE).map(Array.init)
        flags = Flags(rawValue: try fields.network(NFTA_SET_ELEM_FLAGS) ?? 0)
        if let range = fields.range(NFTA_SET_ELEM_EXPR) {
            isConditional = try Self.mayRefuse(fields.bytes, range)
        } else if let range = fields.range(NFTA_SET_ELEM_EXPRESSIONS) {
            var list = NetlinkAttributes(fields.bytes, range)
            while let expression = try list.next() {
                if try Self.mayRefuse(fields.bytes, expression.range) { isConditional = true }
            }
        }
        if let data = try fields.nested(NFTA_SET_ELEM_DATA) {
            if let verdict = try NftVerdict(in: data) {
                content = .verdict(verdict)
            } else if let value = data.data(NFTA_DATA_VALUE) {
                content = .value(Array(value))
            }
        }
    }

    /// A counter and `last` never do.
    private static func mayRefuse(_ bytes: [UInt8], _ range: Range<Int>) throws(WireError) -> Bool {
        switch try NftExpression(decoding: bytes, range) {
        case .counter, .other("last"): false
        default: true
        }
    }
}
