import CheckCatalog
import ConfigFiles
import FoundationEssentials
import Glibc
import HostAccess
import HostModel
import PacketFilter
import Probes
import WireFormats

/// What is fed with whatever the fuzzer thinks of. None may trap, hang or fill memory; errors are welcome.
enum FuzzedDecoder: String, CaseIterable {
    case nftables, xtables, ipset, route, packets, capture, recording, yaml, config

    static let chosen: FuzzedDecoder = {
        let name = getenv("LXC_DOCTOR_FUZZ_DECODER").map { String(cString: $0) } ?? ""
        guard let decoder = FuzzedDecoder(rawValue: name) else {
            print("LXC_DOCTOR_FUZZ_DECODER must be one of: \(allCases.map(\.rawValue).joined(separator: " "))")
            exit(64)
        }
        return decoder
    }()

    func feed(_ bytes: [UInt8]) {
        do {
            switch self {
            case .nftables: try nftables(bytes)
            case .xtables: try xtables(bytes)
            case .ipset: try ipset(bytes)
            case .route: try route(bytes)
            case .packets: try packets(bytes)
            case .capture: _ = try CaptureFile(bytes)
            case .recording: try recording(bytes)
            case .yaml: yaml(bytes)
            case .config: config(bytes)
            }
        } catch {
            // Refused: as it should be.
        }
    }

    /// Dumps in one buffer, told apart by their types; then packets are walked through what came of them.
    private func nftables(_ bytes: [UInt8]) throws {
        var ruleset = NftRuleset()
        let messages = try NetlinkMessage.split(bytes)
        func all(_ low: UInt16) -> [[UInt8]] { messages.filter { $0.header.type & 0xff == low }.map(\.bytes) }
        // NFT_MSG_NEWTABLE, NEWCHAIN, NEWRULE, NEWSET, NEWSETELEM.
        try ruleset.addTables(all(0))
        try ruleset.addChains(all(3))
        // The rules are left where they lie, as those of a long dump.
        var rules = NetlinkMessages()
        var offset = 0
        for message in messages {
            if message.header.type & 0xff == 6 { rules.note(offset..<offset + message.bytes.count) }
            offset += NetlinkAttributes.align(message.bytes.count)
        }
        rules.close(bytes)
        try ruleset.addRules(rules)
        try ruleset.addSets(all(9))
        // NFT_MSG_NEWFLOWTABLE.
        try ruleset.addFlowtables(all(22))
        let elements = all(12)
        for index in ruleset.sets.indices.prefix(16) { try ruleset.addElements(elements, to: index) }
        walk(Ruleset(nft: ruleset))
    }

    private func xtables(_ bytes: [UInt8]) throws {
        // struct ipt_getinfo, then struct ipt_get_entries; or those of ip6_tables, which are laid out alike.
        guard bytes.count > 84 else { return }
        let (info, entries) = (Array(bytes[..<84]), Array(bytes[84...]))
        do { _ = try LegacyTable<IPv6Address>(info: info, entries: entries) } catch {
            // No table of IPv6.
        }
        walk(Ruleset(legacy: [try XtTable(info: info, entries: entries)]))
    }

    /// Each set that comes of it is asked about by a rule.
    private func ipset(_ bytes: [UInt8]) throws {
        let sets = try IPSet.all(in: NetlinkMessage.split(bytes).map(\.bytes))
        var transaction = NftTransaction()
        let table = NftTableName(.ipv4, "filter")
        transaction.newTable(table)
        transaction.newChain("FORWARD", in: table, base: NftBaseChain(hook: .forward, priority: 0))
        for set in sets.prefix(16) {
            for parts in 1...3 as ClosedRange<UInt8> {
                let info = [UInt8(set.index & 0xff), UInt8(set.index >> 8), parts, 2 << parts]
                transaction.newRule(
                    in: "FORWARD", of: table,
                    [.match(XtExtension(name: "set", revision: 1, info: info[...])), .verdict(.drop)])
            }
        }
        let messages = try NetlinkMessage.split(transaction.encoded()).map(\.bytes)
        var nft = NftRuleset()
        try nft.addTables([messages[1]])
        try nft.addChains([messages[2]])
        try nft.addRules(Array(messages[3..<messages.count - 1]))
        walk(Ruleset(nft: nft, ipsets: sets))
    }

    private func walk(_ ruleset: Ruleset) {
        for index in ruleset.rules.indices.prefix(64) { _ = ruleset.text(ofRule: index) }
        for peculiarity in RulePeculiarity.allCases { _ = ruleset.firstRule(that: peculiarity) }
        guard let inside = IPv4Address("10.5.0.9"), let outside = IPv4Address("198.51.100.7"),
            let network = IPv4Prefix("10.5.0.1/16"), let uplink = IPv4Prefix("203.0.113.2/24"),
            let everything = IPv4Prefix("0.0.0.0/0")
        else { return }
        let host = HostForwarding(
            links: [
                .init(index: 2, name: "lxcbr1", kind: "bridge", addresses: [.init(network)]),
                .init(index: 3, name: "up0", addresses: [.init(uplink)]),
            ],
            routes: [
                .init(destination: network, nextHops: [.init(link: 2)]),
                .init(destination: everything, nextHops: [.init(link: 3)]),
            ], bridgeNetfilter: true)
        let questions = NetworkQuestions(
            network: network, bridge: "lxcbr1", address: network.address, target: outside, ruleset: ruleset, host: host)
        for question in NetworkQuestion.allCases { _ = questions.answer(question) }
        let walk = questions.walk
        for kind in [SamplePacket.Transport.udp, .tcp, .icmp] {
            _ = walk.walk(
                SamplePacket(
                    inputInterface: "lxcbr1", inputPort: "vc1", source: inside, destination: outside, protocol: kind,
                    sourcePort: 40000, destinationPort: 53))
        }
    }

    private func route(_ bytes: [UInt8]) throws {
        for message in try NetlinkMessage.split(bytes) {
            let one = [message.bytes]
            _ = try Link.all(in: one)
            _ = try InterfaceAddress.all(in: one)
            _ = try Route.all(in: one)
            _ = try RouteRule.all(in: one)
            _ = try Neighbour.all(in: one)
            _ = try ConntrackFlow.all(in: one)
            _ = try IPsecPolicy.all(in: one)
        }
    }

    private func packets(_ bytes: [UInt8]) throws {
        for type: Int32 in [1, 12, 113, 276] {
            guard let link = CapturedFrame.LinkType(type), let frame = CapturedFrame(bytes[...], linkType: link),
                let packet = IPPacket(frame.payload)
            else { continue }
            _ = packet.encoded
            _ = Transport(of: packet).quoted
        }
        if let packet = IPPacket(bytes[...]) { _ = Transport(of: packet).quoted }
        for message in try NetlinkMessage.split(bytes) {
            _ = try NflogPacket(message)
            _ = try NftTraceEvent(message)
        }
    }

    /// The part of a recording that holds raw replies of a host, and what is decoded from them again.
    private func recording(_ bytes: [UInt8]) throws {
        let transcript = try JSONDecoder().decode([TranscriptEntry].self, from: Data(bytes))
        _ = try FilterModel(reading: ReplayHost(transcript))
    }

    private func yaml(_ bytes: [UInt8]) {
        do { _ = try Check.read(bytes, file: "fuzz.yaml") } catch {}
        do { _ = try CauseEntry.read(bytes, file: "fuzz.yaml") } catch {}
        do { _ = try ProfileEntry.read(bytes, file: "fuzz.yaml") } catch {}
    }

    private func config(_ bytes: [UInt8]) {
        _ = LXCConfig(path: "config", bytes: bytes).devices
        _ = ShellSettings(path: "lxc-net", bytes: bytes).evaluate()
        _ = SysctlReplay(files: [SysctlFile(path: "a.conf", bytes: bytes)], main: nil)
        _ = SystemdUnit(name: "a.service", files: [SectionFile(path: "a.service", bytes: bytes)])
        _ = IptablesRestoreFile(path: "rules.v4", bytes: bytes)
        _ = NftablesConf(path: "nftables.conf", bytes: bytes)
        _ = IfupdownFile(path: "interfaces", bytes: bytes)
        _ = InitScript(path: "init", bytes: bytes)
        _ = LXCSystemConfig(bytes: bytes)
        do throws(ConfigEditError) {
            _ = try AccessListFile(bytes: bytes).records.map(\.isTrivial)
        } catch {
            return
        }
        _ = NetplanFile(path: "netplan.yaml", bytes: bytes)
        _ = NetworkdFile(path: "a.network", bytes: bytes)
        _ = NetworkManagerKeyfile(path: "a.nmconnection", bytes: bytes)
        _ = PackageDatabase.dpkg("lxc", in: bytes)
        _ = PackageDatabase.apk("lxc", in: bytes)
        var settings = ShellSettings(path: "lxc-net", bytes: bytes)
        do { try settings.set("LXC_BRIDGE", to: "lxcbr1") } catch {}
    }
}

/// What libFuzzer's own main, which is not used, would call.
@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ pointer: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    FuzzedDecoder.chosen.feed(Array(UnsafeBufferPointer(start: pointer, count: size)))
    return 0
}
