import Testing

@testable import WireFormats

struct TrafficControlTests {
    /// RTM_NEWTFILTER of interface 3 at the ingress of clsact.
    private func message(kind: String, options: [UInt8]) -> [UInt8] {
        var header: [UInt8] = [0, 0, 0, 0]
        header.appendHost(3 as Int32)
        header.appendHost(0 as UInt32)
        header.appendHost(TrafficControl.ingress)
        header.appendHost(0 as UInt32)
        var payload = NetlinkAttributeBuilder(header: header)
        payload.append(1, text: kind)
        payload.append(2, bytes: options)
        return NetlinkMessage(type: 44, flags: 0, sequence: 1, payload: payload.bytes).bytes
    }

    /// TCA_ACT_KIND with the name of an action, among other bytes.
    private func action(_ name: String) -> [UInt8] {
        var bytes: [UInt8] = [0, 0]
        bytes.appendHost(UInt16(name.utf8.count + 5))
        bytes.appendHost(1 as UInt16)
        return bytes + Array(name.utf8) + [0, 0, 0]
    }

    @Test(
        "A filter that copies packets, tracks them or runs a program is told from others",
        arguments: [
            ("u32", "mirred", true, false, false), ("u32", "gact", false, false, false),
            ("flower", "mirred", true, false, false), ("flower", "ct", false, true, false),
            ("u32", "act", false, false, false), ("matchall", "bpf", false, false, true),
            ("bpf", "gact", false, false, true), ("u32", "mirre", false, false, false),
        ])
    func actions(kind: String, name: String, mirrors: Bool, tracks: Bool, runsProgram: Bool) throws {
        let found = try TrafficControl.all(in: [message(kind: kind, options: action(name))])
        #expect(found.map(\.mirrors) == [mirrors])
        #expect(found.map(\.tracks) == [tracks])
        #expect(found.map(\.runsProgram) == [runsProgram])
        #expect(found.first?.link == 3 && found.first?.kind == kind && found.first?.parent == TrafficControl.ingress)
        // The name in a text of something else is no action.
        let text = try TrafficControl.all(in: [message(kind: "u32", options: Array("\(name)\0".utf8))])
        #expect(text.map { $0.mirrors || $0.tracks || $0.runsProgram } == [false])
    }

    @Test("Cut messages are errors, not traps")
    func truncated() {
        let whole = message(kind: "u32", options: Array("mirred\0".utf8))
        for length in 0..<whole.count {
            #expect(throws: (any Error).self) { try TrafficControl.all(in: [Array(whole.prefix(length))]) }
        }
        #expect(throws: WireError.self) { try TrafficControl.all(in: [Array(whole.prefix(20))]) }
    }

    @Test("Types of the kernel that are none, are refused")
    func kernelTypes() {
        #expect(throws: WireError.self) { try KernelTypes([], fields: ["head"]) }
        var header: [UInt8] = []
        header.appendHost(0xeb9f as UInt16)
        header += [1, 0]
        for number: UInt32 in [24, 0, .max, .max, 16] { header.appendHost(number) }
        #expect(throws: WireError.self) { try KernelTypes(header, fields: ["head"]) }
    }

    @Test("A structure inside a structure is looked into, and reasons have names")
    func fields() throws {
        let strings = Array("\0sk_buff\0head\0network_header\0skb_drop_reason\0SKB_DROP_REASON_IP_RPFILTER\0x\0".utf8)
        func offset(_ name: String) -> UInt32 {
            let wanted = [0] + Array(name.utf8) + [0]
            return UInt32((0..<strings.count).first { strings[$0...].starts(with: wanted) } ?? 0) + 1
        }
        var types: [UInt8] = []
        func add(_ words: UInt32...) { for word in words { types.appendHost(word) } }
        // Type 1: an anonymous struct with network_header at bit 64.
        add(0, 4 << 24 | 1, 16, offset("network_header"), 0, 64)
        // Type 2: sk_buff with eleven members; the first is of type 1 at byte 128.
        add(offset("sk_buff"), 4 << 24 | 12, 232, 0, 1, 128 * 8, offset("head"), 0, 200 * 8)
        for _ in 0..<10 { add(offset("x"), 0, 0) }
        // Type 3: the enum.
        add(offset("skb_drop_reason"), 6 << 24 | 1, 4, offset("SKB_DROP_REASON_IP_RPFILTER"), 9)
        var bytes: [UInt8] = []
        bytes.appendHost(0xeb9f as UInt16)
        bytes += [1, 0]
        for number in [24, 0, UInt32(types.count), UInt32(types.count), UInt32(strings.count)] {
            bytes.appendHost(number)
        }
        let found = try KernelTypes(bytes + types + strings, fields: ["head", "network_header"])
        #expect(found.socketBufferFields == ["head": 200, "network_header": 136])
        #expect(found.dropReasons == [9: "IP_RPFILTER"])
    }
}
