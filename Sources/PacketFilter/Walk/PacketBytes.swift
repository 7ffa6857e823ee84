internal import HostModel
internal import WireFormats

/// The packet as bytes, with the bits that are known: an IPv4 header without options, and what of the transport
/// header the sample tells.
extension PacketRun {
    /// Value and known bits of one byte.
    private func byte(_ base: NftPayloadBase, _ position: Int) -> (UInt8, UInt8) {
        func octet(_ value: UInt32, _ index: Int) -> (UInt8, UInt8) {
            (UInt8(truncatingIfNeeded: value >> UInt32(24 - 8 * index)), 0xff)
        }
        func half(_ value: UInt16, _ index: Int) -> (UInt8, UInt8) {
            (UInt8(truncatingIfNeeded: index == 0 ? value >> 8 : value), 0xff)
        }
        if base == .network {
            if let byte = state.written[position] { return (byte.value, byte.known) }
            switch position {
            case 0: return (0x45, 0xff)
            // The type of service: a plain packet has none.
            case 1: return (0, 0xff)
            case 2, 3: return state.length.map { half($0, position - 2) } ?? (0, 0)
            // Flags: only "more fragments" and the offset are told. A further fragment stands for all of them: the
            // second, 1,480 bytes in.
            case 6: return state.packet.fragment ? (0, 0x1f) : (0, 0xbf)
            case 7: return state.packet.fragment ? (185, 0xff) : (0, 0xff)
            case 9: return (state.transport, 0xff)
            case 12...15: return octet(state.source.value, position - 12)
            case 16...19: return octet(state.destination.value, position - 16)
            case 20...: return byte(.transport, position - 20)
            default: return (0, 0)
            }
        }
        // ETH_P_IP.
        if base == .link, 12...13 ~= position { return (position == 12 ? 0x08 : 0, 0xff) }
        guard base == .transport, !state.packet.fragment else { return (0, 0) }
        switch (state.packet.protocol, position) {
        case (.tcp, 0...1), (.udp, 0...1): return half(state.sourcePort, position)
        case (.tcp, 2...3), (.udp, 2...3): return half(state.destinationPort, position - 2)
        case (.udp, 4...5):
            // The whole without an IP header of 20 bytes.
            return state.length.map { half($0 &- 20, position - 4) } ?? (0, 0)
        case (.tcp, 13): return (state.packet.tcpFlags, 0xff)
        case (.icmp, 0): return (UInt8(truncatingIfNeeded: state.packet.sourcePort), 0xff)
        case (.icmp, 1): return (UInt8(truncatingIfNeeded: state.packet.destinationPort), 0xff)
        default: return (0, 0)
        }
    }

    func bytes(_ base: NftPayloadBase, _ offset: Int, _ length: Int) -> (value: [UInt8], known: [UInt8]) {
        var value: [UInt8] = []
        var known: [UInt8] = []
        for position in offset..<offset + min(max(0, length), 64) {
            let (bits, mask) = byte(base, position)
            value.append(bits)
            known.append(mask)
        }
        return (value, known)
    }

    /// A rule wrote into the packet: addresses, ports and the first bytes of the IP header are kept.
    func write(_ base: NftPayloadBase, _ offset: Int, _ value: ArraySlice<UInt8>, known: ArraySlice<UInt8>) {
        for (index, (byte, bits)) in zip(value, known).enumerated() {
            let position = offset &+ index
            func octet(_ old: UInt32, _ place: Int) -> UInt32 {
                let shift = UInt32(24 - 8 * place)
                return old & ~(0xff << shift) | UInt32(byte) << shift
            }
            func half(_ old: UInt16, _ place: Int) -> UInt16 {
                place == 0 ? old & 0xff | UInt16(byte) << 8 : old & 0xff00 | UInt16(byte)
            }
            switch (base, position) {
            case (.network, 12...15): state.source = IPv4Address(value: octet(state.source.value, position - 12))
            case (.network, 16...19):
                state.destination = IPv4Address(value: octet(state.destination.value, position - 16))
            case (.transport, 0...1) where state.hasPorts: state.sourcePort = half(state.sourcePort, position)
            case (.transport, 2...3) where state.hasPorts:
                state.destinationPort = half(state.destinationPort, position - 2)
            // Neither the length nor the checksum: those become what they must be.
            case (.network, 1), (.network, 8): state.written[position] = PartialByte(value: byte, known: bits)
            default: continue
            }
        }
    }

    /// Targets of x_tables that write into the header. Which type of service a rule gives is not known where it is not
    /// known whether the rule matches; whether it ends a lifetime or adds an option is asked.
    func noteHeader(_ xt: XtExtension, isCertain: Bool, _ matches: () -> Bool) {
        let info = XtInfo(xt.info)
        switch xt.name {
        case "TTL": if matches() { state.written[8] = lifetime(after: xt) }
        case "TCPMSS": if addsSegmentSize, matches() { state.length = Self.bareSYN + 4 }
        case "DSCP", "TOS":
            guard isCertain, let first = info.byte(0), let second = info.byte(1) else {
                state.written[1] = PartialByte()
                return
            }
            let service = state.written[1] ?? PartialByte(value: 0, known: 0xff)
            // struct xt_DSCP_info: the code point. struct xt_tos_target_info: what is flipped, once these bits are cleared.
            state.written[1] =
                xt.name == "DSCP"
                ? service.changed(keeping: 3, flipping: first << 2)
                : service.changed(keeping: ~second, flipping: first)
        default: return
        }
    }

    /// Without options there is none for the segment size: TCPMSS then adds it (xt_TCPMSS.c). A longer SYN is taken to
    /// have one.
    private var addsSegmentSize: Bool {
        state.packet.protocol == .tcp && !state.packet.fragment && state.length == Self.bareSYN
    }

    /// Two headers without options.
    private static let bareSYN: UInt16 = 40

    /// struct ipt_TTL_info: how (0 sets, 1 adds, 2 takes), and how much (xt_HL.c). Nil: what it was, or more than that.
    private func lifetime(after xt: XtExtension) -> PartialByte? {
        let info = XtInfo(xt.info)
        guard let mode = info.byte(0), let amount = info.byte(1) else { return PartialByte() }
        if mode == 0 { return PartialByte(value: amount, known: 0xff) }
        guard let old = state.timeToLive else { return mode == 1 ? state.written[8] : PartialByte() }
        let value = mode == 1 ? Int(old) + Int(amount) : Int(old) - Int(amount)
        return PartialByte(value: UInt8(min(max(value, 0), 255)), known: 0xff)
    }
}
