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
        try addChains(NetlinkMessages(messages))
    }

    package mutating func addChains(_ messages: NetlinkMessages) throws(WireError) {
        chains.reserveCapacity(chains.count + messages.count)
        var table: NftTableName?
        for place in messages.places {
            let fields = try NftFields(message: messages.chunks[Int(place.chunk)], place.range)
            note(fields.bytes, place.range.lowerBound)
            let family = family(fields.bytes, place.range.lowerBound)
            // Chains of one table follow each other, and their names are then one text in memory.
            let text = try fields.requiredText(NFTA_CHAIN_TABLE)
            if table?.name != text || table?.family != family { table = NftTableName(family, text) }
            chains.append(
                NftChain(
                    table: table ?? NftTableName(family, text),
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

    /// NFT_MSG_NEWRULE messages. Their expressions are looked through, and decoded when they are asked for: of a large
    /// ruleset a question meets a few rules.
    package mutating func addRules(_ added: NetlinkMessages) throws(WireError) {
        let first = chunks.count
        chunks += added.chunks
        rules.reserveCapacity(rules.count + added.count)
        var chains = ChainFinder(chains)
        // The messages of a chunk follow each other.
        var rest = added.places[...]
        while let chunk = rest.first?.chunk {
            let places = rest.prefix { $0.chunk == chunk }
            rest = rest.dropFirst(places.count)
            let index = UInt32(clamping: first + Int(chunk))
            let failure = added.chunks[Int(chunk)].withUnsafeBytes { bytes in
                add(places, of: bytes, chunk: index, &chains)
            }
            if let failure { throw failure }
        }
    }

    /// Messages that are there one by one.
    package mutating func addRules(_ added: [[UInt8]]) throws(WireError) {
        try addRules(NetlinkMessages(added))
    }

    private mutating func add(
        _ places: ArraySlice<NetlinkMessages.Place>, of bytes: UnsafeRawBufferPointer, chunk: UInt32,
        _ chains: inout ChainFinder
    ) -> WireError? {
        do throws(WireError) {
            for place in places {
                let scan = try RuleScan(bytes, place.range)
                note(generation: scan.generation)
                traits.formUnion(scan.traits)
                rules.append(
                    NftRule(
                        chain: try chains.index(of: scan.place, bytes), handle: scan.handle, traits: scan.traits,
                        address: scan.address, chunk: chunk, expressions: NftRule.Span(scan.expressions),
                        userData: NftRule.Span(scan.userData)))
            }
            return nil
        } catch {
            return error
        }
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

    /// Drops sets whose elements are not known: a rule that looks into one of them then depends on a set that is not there,
    /// and not on an empty one.
    package mutating func forgetSets(_ indices: [Int]) {
        for index in indices.sorted(by: >) { sets.remove(at: index) }
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

    private func family(_ bytes: [UInt8], _ start: Int = 0) -> NftFamily {
        let index = start + NetlinkHeader.size
        return NftFamily(rawValue: index < bytes.count ? bytes[index] : 0)
    }

    /// The answer to NFT_MSG_GETGEN.
    package mutating func addGeneration(_ messages: [[UInt8]]) {
        for message in messages { note(message) }
    }

    /// The lower half of the generation at which a message was made: its resource id.
    package static func generation(of message: [UInt8]) -> UInt16? { generation(message, 0) }

    private static func generation(_ bytes: [UInt8], _ start: Int) -> UInt16? {
        bytes.networkInteger(at: start + NetlinkHeader.size + 2)
    }

    private mutating func note(_ bytes: [UInt8], _ start: Int = 0) {
        guard let id = Self.generation(bytes, start) else { return }
        note(generation: id)
    }

    private mutating func note(generation: UInt16) {
        // Nearly always the same one.
        if generations.count == 1, generations.first == generation { return }
        generations.insert(generation)
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
