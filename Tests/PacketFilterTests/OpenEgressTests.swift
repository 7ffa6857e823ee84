import HostModel
import Testing

@testable import PacketFilter
@testable import WireFormats

/// What closed rules leave open, and what is no such list at all.
@Suite struct OpenEgressTests {
    private static let table = NftTableName(.inet, "mine")
    private static let name = "forward"

    private func openEgress(
        policy: NftBaseChain.Policy = .drop, _ rules: [[NftExpression]]
    ) throws -> OpenEgress? {
        try questions { builder in
            builder.chain(
                Self.table, Self.name, NftBaseChain(hook: .forward, priority: 10, policy: policy), rules)
            builder.chain(
                NftTableName(.ipv4, "nat"), "post", NftBaseChain(type: "nat", hook: .postrouting, priority: 100),
                [[.masquerade(flags: 0, ports: nil)]])
        }.openEgress()
    }

    private static let bridge = NftExpression.meta(
        .inputName, equal: NftValue(interface: "lxcbr1") ?? NftValue(byte: 0))

    private static func to(_ transport: UInt8, _ port: UInt16? = nil) -> [NftExpression] {
        NftExpression.meta(.transportProtocol, equal: NftValue(byte: transport))
            + (port.map {
                [
                    .payload(base: .transport, offset: 2, length: 2, into: .one),
                    .compare(.one, .equal, NftValue(big16: $0)),
                ]
            } ?? [])
    }

    private static func accept(_ matches: [NftExpression]) -> [NftExpression] { matches + [.verdict(.accept)] }

    private static func destination(_ text: String) throws -> [NftExpression] {
        NftExpression.destination(in: try #require(IPv4Prefix(text)))
    }

    @Test func httpsAndNamesAreMostOfWhatIsAsked() throws {
        let found = try #require(try openEgress([Self.accept(Self.to(6, 443)), Self.accept(Self.to(17, 53))]))
        #expect(found.width == .most)
        #expect(found.passing == ["HTTPS (tcp 443)", "DNS (udp 53)"])
        #expect(found.stopped.contains("ping") && found.stopped.contains(OpenEgress.others))
        #expect(found.killer.table == "mine" && found.killer.rule == nil)
    }

    @Test func httpsWithoutNamesIsAShortList() throws {
        let found = try #require(try openEgress([Self.accept(Self.to(6, 443))]))
        #expect(found.width == .listed && found.passing == ["HTTPS (tcp 443)"])
    }

    @Test func aDestinationIsAShortList() throws {
        let place = try Self.destination("192.0.2.0/24")
        let found = try #require(try openEgress([Self.accept(Self.bridge + place)]))
        #expect(found.width == .listed && found.passing == ["everything to 192.0.2.0/24"], "\(found)")
        #expect(found.requests.map(\.destination.description) == ["192.0.2.0"])
        // Also where the rule does not say for whom it is.
        #expect(try openEgress([Self.accept(place)])?.passing == found.passing)
    }

    @Test func aPortIsAShortList() throws {
        let found = try #require(try openEgress([Self.accept(Self.bridge + Self.to(6, 8080))]))
        #expect(found.width == .listed && found.passing == ["tcp 8080"], "\(found)")
    }

    @Test func whatHelpsNobodyIsNoList() throws {
        #expect(try openEgress([]) == nil)
        // As ufw leaves it: pings.
        #expect(try openEgress([Self.accept(Self.to(1))]) == nil)
        #expect(try openEgress([Self.accept(Self.to(17, 53)), Self.accept(Self.to(1))]) == nil)
    }

    @Test func whatHalfOfTheNetworkMayDoIsNoList() throws {
        let half = NftExpression.source(in: try #require(IPv4Prefix("10.5.0.0/17")))
        #expect(try openEgress([Self.accept(half + Self.to(6, 443)), Self.accept(half + Self.to(17, 53))]) == nil)
    }

    /// An open chain with a few drops is no list of what is allowed; HTTPS that does not pass is a fault there.
    @Test func aFewDropsAreNoList() throws {
        let web = try openEgress(
            policy: .accept, [Self.to(6, 443) + [.verdict(.drop)], Self.accept(Self.bridge)])
        #expect(web == nil)
        let place = try openEgress(
            policy: .accept, [try Self.destination("198.51.100.0/24") + [.verdict(.drop)], Self.accept(Self.bridge)])
        #expect(place == nil)
        #expect(try openEgress(policy: .accept, []) == nil)
        #expect(try openEgress(policy: .accept, [Self.to(17, 53) + [.verdict(.drop)]]) == nil)
        let ping = try #require(try openEgress(policy: .accept, [Self.to(1) + [.verdict(.drop)]]))
        #expect(ping.width == .most && ping.stopped == ["ping"])
    }

    @Test func whatIsClosedToTheWholeNetworkIsNotAboutOneContainer() throws {
        let closed = try questions { builder in
            builder.chain(
                Self.table, Self.name, NftBaseChain(hook: .forward, priority: 10, policy: .drop),
                [Self.accept(Self.to(6, 443)), Self.accept(Self.to(17, 53))])
        }.closedServices()
        #expect(closed == [.icmp])
    }

    @Test func onlyWhatIsListedIsAnswered() throws {
        let place = try Self.destination("192.0.2.0/24")
        let all = try questions { builder in
            builder.chain(
                Self.table, Self.name, NftBaseChain(hook: .forward, priority: 10, policy: .drop),
                [Self.accept(Self.bridge + place)])
            builder.chain(
                NftTableName(.ipv4, "nat"), "post", NftBaseChain(type: "nat", hook: .postrouting, priority: 100),
                [[.masquerade(flags: 0, ports: nil)]])
        }
        #expect(all.samples(.answered).map(\.source.description) == ["192.0.2.0"])
    }
}
