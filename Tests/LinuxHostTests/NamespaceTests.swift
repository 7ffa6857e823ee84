import FoundationEssentials
import Glibc
import HostAccess
import HostModel
import Testing
import WireFormats

@testable import LinuxHost

/// Changes of network state. Only in namespaces made for the test, never in the machine's own:
///
///     LXC_DOCTOR_OUTER_NAMESPACE=/proc/$$/ns/net unshare --net --mount --propagation private \
///         swift test --skip-build --filter NamespaceTests
@Suite(.enabled(if: namespaceTestsAreWanted), .serialized) struct NamespaceTests {
    let host = LiveHost()

    private func code(_ change: Change) -> HostError.Code? {
        do {
            try host.apply(change)
            return nil
        } catch {
            return error.code
        }
    }

    private func link(_ name: String) throws -> Link? {
        try Link.all(in: try host.query(.links())).first { $0.name == name }
    }

    private func addresses(_ name: String) throws -> [String] {
        let index = try link(name)?.index
        return try InterfaceAddress.all(in: try host.query(.addresses())).filter { $0.link == index }
            .map(\.address.description)
    }

    @Test func makesAndUnmakesABridge() throws {
        let create = Change.createBridge(name: "lxcbr1")
        try host.apply(create)
        try host.apply(create)
        #expect(try link("lxcbr1")?.kind == "bridge")
        let up = Change.setLinkUp(name: "lxcbr1", up: true)
        try host.apply(up)
        try host.apply(up)
        #expect(try link("lxcbr1")?.isUp == true)

        let wide = try #require(IPv4Prefix("10.5.0.1/16"))
        let second = try #require(IPv4Prefix("10.5.0.2/16"))
        let add = Change.addAddress(link: "lxcbr1", address: HeldAddress(wide))
        try host.apply(add)
        try host.apply(add)
        try host.apply(.addAddress(link: "lxcbr1", address: HeldAddress(second)))
        #expect(try addresses("lxcbr1") == ["10.5.0.1/16", "10.5.0.2/16"])
        // The first would take the second with it.
        #expect(code(add.inverse) == .other)
        try host.apply(.setSysctl(key: "net.ipv4.conf.lxcbr1.promote_secondaries", from: "0", to: "1"))
        try host.apply(add.inverse)
        try host.apply(add.inverse)
        #expect(try addresses("lxcbr1") == ["10.5.0.2/16"])

        try host.apply(up.inverse)
        #expect(try link("lxcbr1")?.isUp == false)
        try host.apply(create.inverse)
        try host.apply(create.inverse)
        #expect(try link("lxcbr1") == nil)
        #expect(code(up) == .stale)
        #expect(code(add) == .stale)
        #expect(code(.createBridge(name: "lo")) == .stale)
        #expect(code(.deleteBridge(name: "lo")) == .stale)
        #expect(code(.createBridge(name: "a-name-that-is-too-long")) == .malformed)
    }

    @Test func answersOnceWhatItBeganToAsk() throws {
        host.begin(.links())
        _ = try #require(host.begun[.links()]).value()
        let create = Change.createBridge(name: "br-later")
        // Somebody else's change: the answer is from before it.
        try LiveHost().apply(create)
        #expect(try link("br-later") == nil)
        #expect(try link("br-later") != nil)
        // After a change of one's own nothing from before it counts.
        host.begin(.links())
        _ = try #require(host.begun[.links()]).value()
        try host.apply(create.inverse)
        #expect(try link("br-later") == nil)
    }

    @Test func setsParameters() throws {
        let now = try host.readText("/proc/sys/net/ipv4/ip_forward").dropLast()
        let other = now == "1" ? "0" : "1"
        let change = Change.setSysctl(key: "net.ipv4.ip_forward", from: String(now), to: other)
        #expect(code(.setSysctl(key: "net.ipv4.ip_forward", from: other, to: "2")) == .stale)
        try host.apply(change)
        try host.apply(change)
        #expect(try host.readText("/proc/sys/net/ipv4/ip_forward") == other + "\n")
        try host.apply(change.inverse)
        #expect(code(.setSysctl(key: "net.ipv4.no_such", from: "0", to: "1")) == .notFound)
        let range = try host.readText("/proc/sys/net/ipv4/ip_local_port_range").dropLast()
        let words = range.split(separator: "\t").joined(separator: " ")
        try host.apply(.setSysctl(key: "net/ipv4/ip_local_port_range", from: words, to: "20000 30000"))
        #expect(try host.readText("/proc/sys/net/ipv4/ip_local_port_range") == "20000\t30000\n")
    }

    @Test func makesAndUnmakesATranslationTable() throws {
        let table = TranslationTable(name: "lxc-doctor", network: try #require(IPv4Prefix("10.5.0.0/16")))
        let other = TranslationTable(name: "lxc-doctor", network: try #require(IPv4Prefix("10.6.0.0/16")))
        let create = Change.createTranslationTable(table)
        #expect(try host.query(.nftTables(.ipv4)).isEmpty)
        try host.apply(create)
        try host.apply(create)
        #expect(try host.query(.nftTables(.ipv4)).count == 1)
        #expect(try host.query(.nftRules(.ipv4)).count == 1)
        #expect(code(.createTranslationTable(other)) == .stale)
        #expect(code(.deleteTranslationTable(other)) == .stale)
        try host.apply(create.inverse)
        try host.apply(create.inverse)
        #expect(try host.query(.nftTables(.ipv4)).isEmpty)
    }

    @Test func looksUpRoutes() throws {
        do {
            _ = try host.query(.routeLookup(destination: Network.defaultTarget))
            Issue.record("a namespace without links has no route")
        } catch {
            #expect(error.code == .notFound)
        }
    }

    /// A dump that is longer than the socket's own buffer goes on in chunks: no message is lost, cut or out of order.
    @Test func readsALongDump() throws {
        var socket = try NetlinkSocket(.netfilter)
        let table = NftTableName(.ipv4, "long")
        var first = NftTransaction()
        first.newTable(table)
        first.newChain("c", in: table, base: nil)
        try socket.commit(first, operation: "test")
        let rule = (0..<8).map { NftExpression.immediate(into: .one, NftValue(big32: $0)) }
        for part in 0..<20 {
            var batch = NftTransaction()
            for number in 0..<150 {
                batch.newRule(
                    in: "c", of: table, [.immediate(into: .two, NftValue(big32: UInt32(150 * part + number)))] + rule)
            }
            try socket.commit(batch, operation: "test")
        }
        let messages = try socket.messages(.nftRules(.ipv4, table: "long"))
        #expect(messages.count == 3000)
        #expect(messages.reduce(0) { $0 + $1.count } > 1 << 20)
        var ruleset = NftRuleset()
        try ruleset.addChains(try socket.request(.nftChains(.ipv4)))
        try ruleset.addRules(messages)
        for (number, rule) in ruleset.rules.enumerated() {
            let expected = NftExpression.immediate(into: .two, NftValue(big32: UInt32(number)))
            #expect(ruleset.expressions(of: rule).first == expected)
        }
        var last = NftTransaction()
        last.deleteTable(table)
        try socket.commit(last, operation: "test")
    }

    /// What is read in the background is what was there when that began; who asks again sees the host as it is then.
    @Test func whatWasFetchedAheadIsGivenOnce() throws {
        let early = LiveHost()
        func sees(_ name: String) throws -> Bool {
            try Link.all(in: try early.query(.links())).contains { $0.name == name }
        }
        early.begin(.links())
        usleep(200_000)
        try host.apply(.createBridge(name: "late0"))
        #expect(try !sees("late0"))
        #expect(try sees("late0"))
        try host.apply(.deleteBridge(name: "late0"))
        // An error is an answer too.
        early.begin(.link(name: "nowhere0"))
        for _ in 0..<2 {
            do {
                _ = try early.query(.link(name: "nowhere0"))
                Issue.record("there is no such link")
            } catch {
                #expect(error.code == .notFound)
            }
        }
    }

    /// A socket belongs to the namespace that its descriptor names.
    @Test func opensASocketElsewhere() throws {
        try host.apply(.createBridge(name: "here0"))
        let other = Descriptor(owning: open(outerNamespace, O_RDONLY | O_CLOEXEC))
        var there = try NetlinkSocket(.route, namespace: other.rawValue)
        let elsewhere = try Link.all(in: try there.request(.links()))
        #expect(!elsewhere.contains { $0.name == "here0" })
        try host.apply(.deleteBridge(name: "here0"))
    }

    /// Runs only where the kernel has iptables-legacy's nat table already.
    @Test func readsALegacyTable() throws {
        let names = try host.readTextIfPresent("/proc/net/ip_tables_names") ?? ""
        for name in names.split(separator: "\n") {
            let (info, entries) = try host.legacyTable(LegacyTableName(family: .ipv4, table: String(name)))
            #expect(info.count == 84 && entries.count > 40)
            let table = try XtTable(info: info, entries: entries)
            #expect(!table.chains.isEmpty)
        }
    }
}

private let outerNamespace = ProcessInfo.processInfo.environment["LXC_DOCTOR_OUTER_NAMESPACE"] ?? ""

/// Asked for, and not in the namespace that the asking shell is in.
private var namespaceTestsAreWanted: Bool {
    guard !outerNamespace.isEmpty else { return false }
    do {
        let outer = try LiveHost().status(outerNamespace, followLinks: false).target
        let own = try LiveHost().status("/proc/self/ns/net", followLinks: false).target
        return outer != nil && own != nil && outer != own
    } catch {
        return false
    }
}
