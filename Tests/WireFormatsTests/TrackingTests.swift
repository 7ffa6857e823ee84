import HostModel
import Testing

@testable import WireFormats

/// Tracked flows and IPsec policies, as messages of literals.
struct TrackingTests {
    private func tuple(_ source: [UInt8], _ destination: [UInt8], _ ports: (UInt16, UInt16)) -> [UInt8] {
        var tuple = NetlinkAttributeBuilder()
        tuple.nest(1) {
            $0.append(1, bytes: source)
            $0.append(2, bytes: destination)
        }
        tuple.nest(2) {
            $0.append(1, bytes: [17])
            $0.append(2, network: ports.0)
            $0.append(3, network: ports.1)
        }
        return tuple.bytes
    }

    /// UDP 10.5.0.9:514 > 198.51.100.7:514, answered to `back`.
    private func flow(back: [UInt8], status: UInt32, family: UInt8 = 2) -> [UInt8] {
        var payload = NetlinkAttributeBuilder(header: [family, 0, 0, 0])
        payload.append(0x8001, bytes: tuple([10, 5, 0, 9], [198, 51, 100, 7], (514, 514)))
        payload.append(0x8002, bytes: tuple([198, 51, 100, 7], back, (514, 514)))
        payload.append(3, network: status)
        return NetlinkMessage(type: 256, flags: 2, payload: payload.bytes).bytes
    }

    @Test("A flow has two ends, and is translated where its answers go elsewhere")
    func flows() throws {
        let found = try ConntrackFlow.all(in: [
            flow(back: [10, 5, 0, 9], status: 8), flow(back: [203, 0, 113, 2], status: 8 | 0x10),
            flow(back: [203, 0, 113, 2], status: 8), flow(back: [10, 5, 0, 9], status: 8, family: 10),
        ])
        #expect(found.map(\.isSourceTranslated) == [false, true, true])
        let first = try #require(found.first?.original)
        #expect(first.source == IPv4Address("10.5.0.9") && first.destination == IPv4Address("198.51.100.7"))
        #expect(first.transport == 17 && first.sourcePort == 514 && first.destinationPort == 514)
    }

    /// As the kernel lists a flow of UDP, with its zone and number, and one of ICMP.
    private func numbered(_ protocolAttributes: (inout NetlinkAttributeBuilder) -> Void) throws -> ConntrackFlow {
        var tuple = NetlinkAttributeBuilder()
        tuple.nest(1) {
            $0.append(1, bytes: [10, 5, 0, 9])
            $0.append(2, bytes: [198, 51, 100, 7])
        }
        tuple.nest(2, protocolAttributes)
        tuple.append(3, network: UInt16(9))
        var payload = NetlinkAttributeBuilder(header: [2, 0, 0, 0])
        payload.append(0x8001, bytes: tuple.bytes)
        payload.append(0x8002, bytes: tuple.bytes)
        payload.append(3, network: UInt32(1 << 14))
        payload.append(12, network: UInt32(0x0102_0304))
        payload.append(18, network: UInt16(5))
        let message = NetlinkMessage(type: 256, flags: 2, payload: payload.bytes).bytes
        return try #require(try ConntrackFlow.all(in: [message]).first)
    }

    @Test("The request to delete a flow names its ends, its zones and its number, and never nothing")
    func deletion() throws {
        let flow = try numbered {
            $0.append(1, bytes: [17])
            $0.append(2, network: UInt16(514))
            $0.append(3, network: UInt16(515))
        }
        #expect(flow.zone == 5 && flow.original.zone == 9 && flow.id == 0x0102_0304 && flow.isOffloaded)
        // nfgenmsg; CTA_TUPLE_ORIG { CTA_TUPLE_IP { 10.5.0.9, 198.51.100.7 }, CTA_TUPLE_PROTO { udp, 514, 515 },
        // CTA_TUPLE_ZONE 9 }, CTA_ZONE 5, CTA_ID.
        let expected: [UInt8] =
            [2, 0, 0, 0] + [60, 0, 1, 0x80] + [20, 0, 1, 0x80] + [8, 0, 1, 0, 10, 5, 0, 9]
            + [8, 0, 2, 0, 198, 51, 100, 7] + [28, 0, 2, 0x80] + [5, 0, 1, 0, 17, 0, 0, 0] + [6, 0, 2, 0, 2, 2, 0, 0]
            + [6, 0, 3, 0, 2, 3, 0, 0] + [6, 0, 3, 0, 0, 9, 0, 0] + [6, 0, 18, 0, 0, 5, 0, 0]
            + [8, 0, 12, 0, 1, 2, 3, 4]
        #expect(TrackedFlow(flow).deletion == expected)
        #expect(TrackedFlow.deletionType == 0x102)
    }

    @Test("A flow of ICMP has an identifier in place of ports")
    func echo() throws {
        let flow = try numbered {
            $0.append(1, bytes: [1])
            $0.append(4, network: UInt16(77))
            $0.append(5, bytes: [8])
            $0.append(6, bytes: [0])
        }
        #expect(flow.original.echo == ConntrackFlow.Echo(type: 8, code: 0, identifier: 77))
        let deletion = TrackedFlow(flow).deletion
        #expect(deletion.indices.contains { deletion[$0...].starts(with: [6, 0, 4, 0, 0, 77, 0, 0, 5, 0, 5, 0, 8]) })
    }

    @Test("A policy says which packets IPsec takes")
    func policies() throws {
        var payload = [UInt8](repeating: 0, count: 164)
        payload.replaceSubrange(0..<4, with: [192, 168, 50, 0])
        payload.replaceSubrange(16..<20, with: [10, 5, 0, 0])
        payload[40] = 2
        (payload[42], payload[43]) = (24, 16)
        payload[160] = 1
        func message(_ payload: [UInt8]) -> [UInt8] {
            NetlinkMessage(type: 0x13, flags: 2, payload: payload).bytes
        }
        let policy = try #require(try IPsecPolicy.all(in: [message(payload)]).first)
        #expect(policy.source.description == "10.5.0.0/16" && policy.destination.description == "192.168.50.0/24")
        #expect(policy.direction == .output && !policy.blocks)
        payload[161] = 1
        #expect(try IPsecPolicy.all(in: [message(payload)]).first?.blocks == true)
        payload[40] = 10
        #expect(try IPsecPolicy.all(in: [message(payload)]).isEmpty)
        (payload[40], payload[42]) = (2, 33)
        #expect(throws: WireError.self) { try IPsecPolicy.all(in: [message(payload)]) }
    }

    @Test("Cut messages are errors, not traps")
    func truncated() {
        let whole = flow(back: [10, 5, 0, 9], status: 8)
        let policy = NetlinkMessage(type: 0x13, flags: 2, payload: [UInt8](repeating: 0, count: 164)).bytes
        for length in 0..<whole.count {
            #expect(throws: (any Error).self) { try ConntrackFlow.all(in: [Array(whole.prefix(length))]) }
        }
        for length in 0..<policy.count {
            #expect(throws: (any Error).self) { try IPsecPolicy.all(in: [Array(policy.prefix(length))]) }
        }
    }

    @Test("A route has an MTU of its own where its metrics say so, and a rule a maker")
    func routeAttributes() throws {
        var route = NetlinkAttributeBuilder(header: [2, 0, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0])
        route.append(4, host: UInt32(2))
        route.nest(8) { $0.append(2, host: UInt32(1400)) }
        let message = NetlinkMessage(type: 24, flags: 2, payload: route.bytes).bytes
        #expect(try Route.all(in: [message]).first?.mtu == 1400)
        var rule = NetlinkAttributeBuilder(header: [2, 0, 0, 0, 100, 0, 0, 1, 0, 0, 0, 0])
        rule.append(21, bytes: [3])
        #expect(
            try RouteRule.all(in: [NetlinkMessage(type: 32, flags: 2, payload: rule.bytes).bytes]).first?.maker == 3)
    }
}
