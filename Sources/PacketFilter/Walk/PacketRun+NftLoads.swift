internal import HostModel
internal import WireFormats

/// What `meta`, `ct` and `fib` put into registers (nft_meta.c, nft_ct.c, nft_fib_ipv4.c).
extension PacketRun {
    private func name(_ name: String) -> [UInt8] {
        let bytes = Array(name.utf8.prefix(15))
        return bytes + [UInt8](repeating: 0, count: 16 - bytes.count)
    }

    /// False where the expression ends the rule.
    func loadMeta(
        _ key: NftMetaKey, _ into: NftRegister, _ registers: inout NftRegisters, _ place: String, _ hook: NftHook,
        _ table: Int
    ) -> Bool {
        let family = ruleset.tables[table].name.family
        let isBridge = family == .bridge
        switch key {
        case .etherType: registers.store([0x08, 0x00], into: into)
        case .mark: registers.store(state.mark, into: into, name: "mark")
        case .networkProtocol: registers.store([isBridge ? 7 : family == .netdev ? 5 : 2], into: into)
        case .transportProtocol: registers.store([state.transport], into: into)
        case .inputIndex, .inputName:
            if isBridge { return loadInputPort(hook, key == .inputIndex, into, &registers) }
            store(input(at: hook), key == .inputIndex, into, &registers)
        case .outputIndex, .outputName:
            if isBridge { return loadOutputPort(hook, key == .outputIndex, into, &registers) }
            store(output(at: hook), key == .outputIndex, into, &registers)
        case .inputBridgeName where isBridge: registers.store(name(state.input?.name ?? ""), into: into)
        case .outputBridgeName where isBridge: registers.store(name(state.output?.name ?? ""), into: into)
        // What a port sees is for the bridge's hardware address, or for another port's.
        case .packetType where isBridge || state.device != nil:
            registers.storeUnknown(1, into: into, name: key.name)
        case .packetType:
            if let type = packetType {
                registers.store([type], into: into)
            } else {
                registers.storeUnknown(1, into: into, name: key.name)
            }
        default:
            switch key.rawValue {
            // A forwarded packet has no socket: no user, group or control group.
            case 10, 11, 23:
                if state.input != nil { return false }
                let told = key.rawValue == 10 ? state.packet.user : key.rawValue == 11 ? state.packet.group : nil
                registers.store(
                    PartialWord(value: told ?? 0, known: told == nil ? 0 : .max), into: into, name: key.name)
            // What a bridge sees may carry padding.
            case 0 where !isBridge && state.device == nil:
                let told = state.length
                registers.store(
                    PartialWord(value: UInt32(told ?? 0), known: told == nil ? 0 : .max), into: into, name: key.name)
            // No packet here came by IPsec: where a policy exists, nothing is said at all.
            case 25: registers.store([0], into: into)
            case 26, 27:
                let link = key.rawValue == 26 ? state.input : state.output
                registers.store(name(link?.kind ?? ""), into: into)
            case 24: registers.storeUnknown(4, into: into, name: "meta random of \(place)")
            default: registers.storeUnknown(16, into: into, name: key.name)
            }
        }
        return true
    }

    /// PACKET_HOST, PACKET_BROADCAST or PACKET_MULTICAST, as its link-layer address said when it came in. What the host
    /// sends is of the first kind. Nil where br_netfilter may have made it one for the host (br_nf_pre_routing_finish).
    var packetType: UInt8? {
        guard state.packet.inputInterface != nil else { return 0 }
        if state.hasBridgeInfo, state.destination != state.packet.destination { return nil }
        return switch host.addressType(state.packet.destination) {
        case 3: 1
        case 5: 2
        default: 0
        }
    }

    private func store(
        _ link: HostForwarding.Interface?, _ index: Bool, _ into: NftRegister, _ registers: inout NftRegisters
    ) {
        registers.store(index ? NftRegisters.bytes(link?.index ?? 0) : name(link?.name ?? ""), into: into)
    }

    /// What leaves a bridge has no input any more (br_forward.c).
    private func loadInputPort(
        _ hook: NftHook, _ index: Bool, _ into: NftRegister, _ registers: inout NftRegisters
    ) -> Bool {
        if hook == .output || hook == .postrouting {
            store(nil, index, into, &registers)
        } else if let link = state.packet.inputPort.flatMap(host.link) {
            store(link, index, into, &registers)
        } else {
            registers.storeUnknown(index ? 4 : 16, into: into, name: "iifname of a bridge port")
        }
        return true
    }

    /// By which port it leaves is not known.
    private func loadOutputPort(
        _ hook: NftHook, _ index: Bool, _ into: NftRegister, _ registers: inout NftRegisters
    ) -> Bool {
        if hook == .prerouting || hook == .input {
            store(nil, index, into, &registers)
        } else {
            registers.storeUnknown(index ? 4 : 16, into: into, name: "oifname of a bridge port")
        }
        return true
    }

    static let bridgeTracking = "whether the kernel tracks what a bridge carries (nf_conntrack_bridge)"

    /// A rule of the family bridge that asks conntrack has the kernel track what bridges carry, where it can.
    func trackOnBridge() {
        guard state.tracking == .unseen, ask("bridge conntrack", Self.bridgeTracking) else { return }
        track()
    }

    /// False where the packet is in no connection.
    func loadConntrack(
        _ key: NftConntrackKey, _ direction: UInt8?, _ into: NftRegister, _ registers: inout NftRegisters
    ) -> Bool {
        if key == .state {
            let bit: UInt32 = state.stateBit ?? (state.tracking == .untracked ? 64 : 1)
            registers.store(NftRegisters.bytes(bit), into: into)
            return true
        }
        if key == .zone, state.tracking == .unseen {
            registers.store([UInt8(state.zone & 0xff), UInt8(state.zone >> 8)], into: into)
            return true
        }
        if key == .mark, state.hasConnection {
            registers.store(state.seenConnectionMark, into: into, name: key.name)
            return true
        }
        guard state.tracking == .tracked else { return false }
        let tuple = direction == 1 ? state.currentReply : state.original
        switch key {
        case .direction: registers.store([state.isReply ? 1 : 0], into: into)
        case .status: registers.store(state.status, into: into, name: key.name)
        case .zone: registers.store([UInt8(state.zone & 0xff), UInt8(state.zone >> 8)], into: into)
        default:
            switch key.rawValue {
            case 6:
                if state.isNew {
                    registers.store([UInt8](repeating: 0, count: 16), into: into)
                } else {
                    registers.storeUnknown(16, into: into, name: key.name)
                }
            case 7: registers.store([2], into: into)
            case 8...12 where state.isError, 19...20 where state.isError:
                registers.storeUnknown(16, into: into, name: key.name)
            case 8, 19: registers.store(tuple.source.octets, into: into)
            case 9, 20: registers.store(tuple.destination.octets, into: into)
            case 10: registers.store([state.transport], into: into)
            case 11 where state.hasPorts:
                registers.store(NftValue(big16: tuple.sourcePort).bytes, into: into)
            case 12 where state.hasPorts:
                registers.store(NftValue(big16: tuple.destinationPort).bytes, into: into)
            default: registers.storeUnknown(16, into: into, name: key.name)
            }
        }
        return true
    }

    func loadFib(
        _ result: NftFibResult, _ flags: UInt32, _ into: NftRegister, _ registers: inout NftRegisters, _ hook: NftHook
    ) {
        // NFTA_FIB_F_*: 1 source, 2 destination, 4 mark, 8 input, 16 output, 32 only whether there is one.
        let wantsDestination = flags & 2 != 0
        let limit: HostForwarding.Interface? = flags & 8 != 0 ? state.input : flags & 16 != 0 ? state.output : nil
        if result == .addressType {
            let address = wantsDestination ? state.destination : state.source
            registers.store(NftRegisters.bytes(host.addressType(address, on: limit?.index)), into: into)
            return
        }
        var found: HostForwarding.Interface?
        if hook == .prerouting && state.input?.isLoopback == true || state.asksWithoutAddress {
            found = state.input
        } else {
            let isBack = !wantsDestination
            let flow = HostForwarding.Flow(
                source: isBack ? state.destination : state.source,
                destination: isBack ? state.source : state.destination,
                input: isBack && hook == .forward && flags & 8 != 0 ? state.output?.name ?? "lo" : "lo",
                mark: flags & 4 != 0 ? state.mark.value : 0)
            if let way = host.lookup(flow, ask: { ask($0, $0) }), way.kind != .local, way.route != nil {
                if let limit {
                    if way.uses(limit.index) { found = limit }
                } else {
                    found = way.hops.first.flatMap { host.link($0.link) }
                }
            }
        }
        if flags & 32 != 0 {
            registers.store([found == nil ? 0 : 1], into: into)
        } else {
            store(found, result == .interfaceIndex, into, &registers)
        }
    }
}

extension WalkState {
    /// The reply as it would come now, with what was translated so far.
    var currentReply: FlowTuple {
        guard isNew else { return reply }
        return FlowTuple(
            source: isDestinationTranslated ? destination : reply.source,
            destination: isSourceTranslated ? source : reply.destination,
            sourcePort: isDestinationTranslated ? destinationPort : reply.sourcePort,
            destinationPort: reply.destinationPort)
    }
}
