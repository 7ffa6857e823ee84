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

    /// NFT_MSG_NEWRULE messages. Their expressions are looked through, and decoded when they are asked for: of a large
    /// ruleset a question meets a few rules.
    package mutating func addRules(_ added: [[UInt8]]) throws(WireError) {
        var indices: [ChainKey: Int] = [:]
        indices.reserveCapacity(chains.count)
        for (index, chain) in chains.enumerated() {
            indices[ChainKey(table: chain.table, chain: chain.name)] = index
        }
        rules.reserveCapacity(rules.count + added.count)
        ruleMessages.reserveCapacity(ruleMessages.count + added.count)
        var previous: (message: [UInt8], place: RuleScan.Place, index: Int)?
        for message in added {
            let scan = try RuleScan(message)
            note(message)
            // Rules of one chain follow each other: compare bytes before making strings.
            let index: Int
            if let previous, RuleScan.same(previous.message, previous.place, message, scan.place) {
                index = previous.index
            } else {
                let key = ChainKey(
                    table: NftTableName(family(message), Self.text(message, scan.place.table)),
                    chain: Self.text(message, scan.place.chain))
                guard let found = indices[key] else {
                    throw WireError(.malformed, "rule of chain \(key.chain), which is not listed")
                }
                index = found
                previous = (message, scan.place, found)
            }
            rules.append(
                NftRule(
                    chain: index, handle: scan.handle, message: ruleMessages.count, expressions: scan.expressions,
                    userData: scan.userData, traits: scan.traits, address: scan.address))
            ruleMessages.append(message)
        }
    }

    private static func text(_ message: [UInt8], _ range: Range<Int>) -> String {
        String(decoding: message[range].prefix { $0 != 0 }, as: UTF8.self)
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

    /// NFT_MSG_NEWFLOWTABLE messages.
    package mutating func addFlowtables(_ messages: [[UInt8]]) throws(WireError) {
        for message in messages {
            let fields = try NftFields(message: message)
            note(message)
            var flowtable = NftFlowtable(
                table: NftTableName(family(message), try fields.requiredText(NFTA_FLOWTABLE_TABLE)),
                name: try fields.requiredText(NFTA_FLOWTABLE_NAME), priority: 0, devices: [])
            if let hook = try fields.nested(NFTA_FLOWTABLE_HOOK) {
                flowtable.priority = try hook.network(NFTA_FLOWTABLE_HOOK_PRIORITY) ?? 0
                if let range = hook.range(NFTA_FLOWTABLE_HOOK_DEVS) {
                    var list = NetlinkAttributes(message, range)
                    while let device = try list.next() { flowtable.devices.append(list.text(device)) }
                }
            }
            flowtables.append(flowtable)
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
