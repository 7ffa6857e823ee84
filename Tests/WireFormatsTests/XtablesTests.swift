import HostModel
import Testing

@testable import WireFormats

@Suite struct XtablesTests {
    private func host(_ values: UInt16...) -> [UInt8] {
        values.flatMap { value in withUnsafeBytes(of: value) { Array($0) } }
    }

    private func host(_ value: UInt32) -> [UInt8] {
        withUnsafeBytes(of: value) { Array($0) }
    }

    private func match(_ name: String, _ revision: UInt8, _ info: [UInt8]) -> XtMatch {
        XtMatch(XtExtension(name: name, revision: revision, info: info[...]))
    }

    @Test func matches() {
        #expect(match("comment", 0, Array("hi".utf8) + [0, 0x78]) == .comment("hi"))
        #expect(
            match("udp", 0, host(0, 65535, 53, 53) + [2])
                == .ports(
                    transport: 17, source: XtPorts(range: 0...65535, inverted: false),
                    destination: XtPorts(range: 53...53, inverted: true), flags: nil))
        #expect(match("icmp", 0, [255, 0, 255, 0]) == .icmp(type: 255, codes: 0...255, inverted: false))
        #expect(
            match("mark", 1, host(0x4000) + host(0x4000) + [1])
                == .mark(value: 0x4000, mask: 0x4000, inverted: true))
        #expect(match("state", 0, host(UInt32(0x48))) == .conntrack(states: 0x108, inverted: false))
        let conntrack = [UInt8](repeating: 0, count: 146) + host(1, 1, 8, 0)
        #expect(match("conntrack", 3, conntrack) == .conntrack(states: 8, inverted: true))
        #expect(match("recent", 1, [1, 2, 3]) == .other(name: "recent"))
    }

    @Test func multiport() throws {
        let ports = host(80, 443, 8000, 8080) + [UInt8](repeating: 0, count: 22)
        var more = [UInt8](repeating: 0, count: 15)
        more[2] = 1
        let info = [1, 4] + ports + more + [0]
        guard case .multiport(let multiport) = match("multiport", 1, info) else {
            Issue.record("not a multiport")
            return
        }
        #expect(multiport.ranges == [80...80, 443...443, 8000...8080])
        #expect(multiport.side == .destination)
        #expect(match("multiport", 1, [1, 16] + ports + more + [0]) == .other(name: "multiport"))
    }

    /// Too short for its kind: kept by name. Ranges that run backwards as well.
    @Test(arguments: [
        "udp", "tcp", "icmp", "multiport", "conntrack", "mark", "addrtype", "physdev", "iprange", "policy",
    ])
    func shortInfoIsKeptByName(name: String) {
        let revision: UInt8 = ["multiport", "conntrack", "mark", "addrtype", "iprange"].contains(name) ? 1 : 0
        for length in 0..<3 {
            #expect(match(name, revision, [UInt8](repeating: 1, count: length)) == .other(name: name))
        }
        #expect(match("udp", 0, host(9, 3, 0, 65535) + [0]) == .other(name: "udp"))
    }

    @Test func targets() {
        func target(_ name: String, _ revision: UInt8, _ info: [UInt8]) -> XtTarget {
            XtTarget(XtExtension(name: name, revision: revision, info: info[...]))
        }
        #expect(target("MASQUERADE", 0, [UInt8](repeating: 0, count: 20)) == .masquerade(ports: nil))
        let snat = host(UInt32(1)) + host(UInt32(1)) + [203, 0, 113, 2, 203, 0, 113, 3] + [0, 0, 0, 0]
        let range = IPv4Address(value: 0xcb00_7102)...IPv4Address(value: 0xcb00_7103)
        #expect(target("SNAT", 0, snat) == .sourceNat(range))
        #expect(target("SNAT", 0, []) == .sourceNat(nil))
        #expect(target("CT", 2, host(1, 0)) == .notrack)
        #expect(target("CT", 2, host(0, 0)) == .template)
        #expect(target("FULLCONENAT", 0, []) == .other(name: "FULLCONENAT"))
    }

    @Test func interfacesMatchByPrefix() {
        #expect(XtInterface(prefix: "eth", isWildcard: true).matches("eth0"))
        #expect(!XtInterface(prefix: "eth", isWildcard: false).matches("eth0"))
        #expect(XtInterface.any.matches("lxcbr1"))
    }

    private func words(_ values: UInt32...) -> [UInt8] { values.flatMap { host($0) } }

    /// `struct ip6t_entry` with one target; counters of some value.
    private func entry(_ source: [UInt8], _ mask: [UInt8], out: String, counter: UInt8, _ target: [UInt8]) -> [UInt8] {
        var bytes = source + [UInt8](repeating: 0, count: 16) + mask + [UInt8](repeating: 0, count: 16)
        let name = Array(out.utf8) + [UInt8](repeating: 0, count: 16 - out.utf8.count)
        let known = out.isEmpty ? 0 : out.utf8.count + 1
        bytes += [UInt8](repeating: 0, count: 16) + name + [UInt8](repeating: 0, count: 16)
        bytes += [UInt8](repeating: 0xff, count: known) + [UInt8](repeating: 0, count: 16 - known)
        // Protocol, traffic class, flags, inversions; nfcache; the offsets; comefrom; the counters.
        bytes += [17, 0, 0, 0, 0x08, 0, 0, 0] + [0, 0, 0, 0] + host(UInt16(168), UInt16(168 + target.count))
        return bytes + [0, 0, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: counter, count: 16) + target
    }

    private func target(_ name: String, _ data: [UInt8]) -> [UInt8] {
        let size = 32 + data.count
        return host(UInt16(size)) + Array(name.utf8) + [UInt8](repeating: 0, count: 30 - name.utf8.count) + data
    }

    @Test func tablesOfIPv6HaveLongerEntries() throws {
        func blob(counter: UInt8) -> (info: [UInt8], entries: [UInt8]) {
            let address: [UInt8] = [0xfd, 0x42, 0, 5] + [UInt8](repeating: 0, count: 12)
            let mask = [UInt8](repeating: 0xff, count: 8) + [UInt8](repeating: 0, count: 8)
            let none = [UInt8](repeating: 0, count: 16)
            let rule = entry(address, mask, out: "up0", counter: counter, target("MASQUERADE", none))
            let policy = entry(none, none, out: "", counter: counter, target("", words(.max - 1, 0)))
            let end = entry(none, none, out: "", counter: 0, target("ERROR", Array("ERROR".utf8) + none + none))
            let entries = rule + policy + end
            let name = Array("nat".utf8) + [UInt8](repeating: 0, count: 29)
            var info = name + words(1 << 4)
            info += words(0, 0, 0, 0, 0)
            info += words(0, 0, 0, 0, UInt32(rule.count))
            info += words(3, UInt32(entries.count))
            return (info, name + words(UInt32(entries.count)) + [0, 0, 0, 0] + entries)
        }
        let (info, entries) = blob(counter: 1)
        let table = try LegacyTable<IPv6Address>(info: info, entries: entries)
        #expect(table.name == "nat" && table.chains.map(\.name) == ["POSTROUTING"])
        let chain = try #require(table.chains.first)
        #expect(chain.policy == .accept && chain.rules.count == 1)
        let rule = try #require(chain.rules.first)
        #expect(rule.source == IPv6Address("fd42:5::") && rule.sourceMask == IPv6Address("ffff:ffff:ffff:ffff::"))
        #expect(rule.output == XtInterface(prefix: "up0", isWildcard: false) && rule.input == .any)
        #expect(rule.transport == 17 && rule.inversions == .source && !rule.fragment)
        guard case .target(let found) = rule.target else {
            Issue.record("\(rule.target)")
            return
        }
        #expect(found.name == "MASQUERADE")
        // How often a rule was met makes no other table of it.
        let later = blob(counter: 9)
        #expect(try LegacyTable<IPv6Address>(info: later.info, entries: later.entries) == table)
        for length in 0..<entries.count {
            #expect(throws: WireError.self) {
                try LegacyTable<IPv6Address>(info: info, entries: Array(entries[..<length]))
            }
        }
    }

    @Test func nothingIsNoTable() {
        #expect(throws: WireError.self) { try XtTable(info: [], entries: []) }
        #expect(throws: WireError.self) {
            try XtTable(info: [UInt8](repeating: 0xff, count: 84), entries: [UInt8](repeating: 0xff, count: 400))
        }
    }
}
