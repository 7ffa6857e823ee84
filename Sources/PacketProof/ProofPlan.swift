internal import HostAccess
internal import HostModel
internal import WireFormats

/// What will be sent on one network. Pure: random bytes are passed in as `chance`.
enum ProofPlan {
    /// A name for the port that a scan has not seen; HTTPS for the SYN: what a firewall lets out, if it lets anything.
    static let datagramPort: UInt16 = 33_434
    static let streamPort: UInt16 = 443
    /// Enough to be forwarded once, never twice: the first router is the end.
    static let timeToLive: UInt8 = 2
    /// What ip-sysctl.rst gives as default (ip_default_ttl): for those that may go all the way.
    static let fullTimeToLive: UInt8 = 64
    static let waitMilliseconds = 120
    /// In wire mode an answer must come from the first router.
    static let wireWaitMilliseconds = 1000
    /// The smallest packet of which the length is asked about (RFC 791: what everybody must take).
    static let largeBytes = 576
    /// RFC 8200 §5.
    static let largeBytesOfIPv6 = 1280
    /// Eight bytes of nonce, two for the first port, two for the first identification.
    static let chanceNeeded = 12

    /// How far from either end of the subnet an address may be, and how many of them are considered.
    static let reach = 4096
    static let poolSize = 200

    /// Free addresses, one near the bottom and one near the top of the subnet; fewer where there are not two.
    ///
    /// Never the network, broadcast or gateway address, nor one that is taken. A DHCP range is avoided as long as
    /// there is another address at that end, because its server may hand one out at any moment. Which one is left to `chance`,
    /// so that runs at the same time rarely choose the same.
    static func addresses(of network: ProofNetwork, taken: Set<IPAddress>, chance: UInt8) -> [IPAddress] {
        guard network.family.width - network.address.length >= 2 else { return [] }
        let low = candidate(network, taken, upwards: true, chance)
        let high = candidate(network, taken.union([low].compactMap(\.self)), upwards: false, chance)
        return [low, high].compactMap(\.self)
    }

    private static func candidate(
        _ network: ProofNetwork, _ taken: Set<IPAddress>, upwards: Bool, _ chance: UInt8
    ) -> IPAddress? {
        let unleased = pool(network, taken, upwards: upwards, avoidingLeases: true)
        let pool = unleased.isEmpty ? pool(network, taken, upwards: upwards, avoidingLeases: false) : unleased
        return pool.isEmpty ? nil : pool[Int(chance) % pool.count]
    }

    /// The highest 128 of a /64 and of most other IPv6 subnets are anycast addresses (RFC 2526 §2).
    private static let anycastCount = 128

    /// Free addresses within reach of one end of the subnet, nearest first: a rule that covers only a part of the subnet
    /// must not hide because the other end was looked at twice.
    private static func pool(
        _ network: ProofNetwork, _ taken: Set<IPAddress>, upwards: Bool, avoidingLeases: Bool
    ) -> [IPAddress] {
        let isLarge = network.family == .ipv6 && network.address.length <= 112
        let lowest = network.cidr.first.number + 1
        let highest = network.cidr.last.number - (isLarge ? UInt128(anycastCount) : 1)
        let half = max(1, (highest - lowest + 1) / 2)
        let leases = avoidingLeases ? network.dhcpRange : []
        var pool: [IPAddress] = []
        for distance in 0..<min(half, UInt128(reach)) where pool.count < poolSize {
            let address = IPAddress(network.family, number: upwards ? lowest + distance : highest - distance)
            if let first = leases.first, let last = leases.last, first <= address, address <= last { continue }
            if address != network.address.address, !taken.contains(address) { pool.append(address) }
        }
        return pool
    }

    /// UDP, TCP SYN and ICMP echo from each address to the network's target.
    static func order(
        network: ProofNetwork, ground: ProofGround, mode: ProofMode, from addresses: [IPAddress],
        aim: ProofAim = ProofAim(), chance: [UInt8]
    ) -> ProbeOrder {
        let nonce = Array(chance.prefix(8))
        let tail = chance.dropFirst(8).map(UInt16.init)
        let words = [0, 2].map { tail.count > $0 + 1 ? tail[$0] << 8 | tail[$0 + 1] : 0 }
        // Fresh ports: an old flow keeps its old translation. Unprivileged and below the usual ephemeral range.
        let reach = mode == .wire && aim.goesAllTheWay ? fullTimeToLive : timeToLive
        var port = aim.sourcePort.map { $0 &- 1 } ?? 20_000 + words[0] % 10_000
        var identification = words[1]
        var packets: [ByteString] = []
        func add(_ kind: ProofProtocol, from source: IPAddress, to target: IPAddress) {
            port &+= 1
            identification &+= 1
            // The kernel fills in an identification of zero.
            if identification == 0 { identification = 1 }
            var packet = packet(
                kind, from: source, to: target, port: port, destinationPort: aim.port,
                identification: identification, nonce: nonce)
            packet.timeToLive = reach
            packets.append(ByteString(packet.encoded))
        }
        for source in addresses {
            for kind in ProofProtocol.allCases where aim.protocols.contains(kind) {
                add(kind, from: source, to: network.target)
            }
        }
        // In wire mode packets go to the profile's target only.
        if mode == .fence, aim.target == nil, let source = addresses.first {
            for other in ground.otherRoutes ?? [] { add(.udp, from: source, to: other.target) }
        }
        // An address of the uplink's own link cannot be asked from behind it.
        let gateway = ground.route?.gateway.flatMap { $0 == network.target || $0.v6?.isLinkLocal == true ? nil : $0 }
        let asked = reach == timeToLive ? gateway : network.target
        var questions: [ByteString] = []
        if mode == .wire, let asked, let source = addresses.first {
            questions = self.questions(
                to: asked, from: source, mtu: ground.bridge?.mtu ?? 1500, timeToLive: reach, port: port,
                identification: identification, nonce: nonce)
        }
        var order = ProbeOrder(
            bridge: network.bridge,
            addresses: addresses.compactMap { IPPrefix(address: $0, length: network.address.length) },
            gateway: network.address.address, uplink: ground.route?.uplink, mtu: ground.bridge?.mtu ?? 1500, mode: mode,
            probesAddresses: ground.staysInside(network), traces: ground.legacyTables.isEmpty,
            nonce: ByteString(nonce),
            packets: packets + questions,
            waitMilliseconds: mode == .wire ? wireWaitMilliseconds : waitMilliseconds)
        order.questions = questions.count
        return order
    }

    /// In wire mode two more packets that are no probes: echo requests to the first router, or to the target where
    /// packets may go all the way; a short one and one as long as the bridge allows, not to be fragmented. Routers limit
    /// how often they tell of errors, but not their replies.
    private static func questions(
        to asked: IPAddress, from source: IPAddress, mtu: Int, timeToLive: UInt8, port: UInt16,
        identification: UInt16, nonce: [UInt8]
    ) -> [ByteString] {
        let mtu = min(max(mtu, asked.family == .ipv4 ? largeBytes : largeBytesOfIPv6), 9000)
        // IP header, ICMP header.
        let headers = IPPacket.headerCount(of: asked.family) + 8
        var identification = identification
        return [nonce.count + headers, mtu].enumerated().map { index, length in
            identification &+= 1
            if identification == 0 { identification = 1 }
            let payload = nonce + [UInt8](repeating: 0x2e, count: length - headers - nonce.count)
            var packet = echo(port &+ 1 &+ UInt16(index), payload, from: source, to: asked)
            packet.identification = identification
            packet.timeToLive = timeToLive
            var bytes = packet.encoded
            // Do not fragment; the kernel makes the checksum (raw(7)). Nobody fragments IPv6 on its way.
            if asked.family == .ipv4 { bytes[6] = 0x40 }
            return ByteString(bytes)
        }
    }

    /// Whether a packet of an order is one of the two that are no probes.
    static func isQuestion(_ packet: IPPacket, of order: ProbeOrder, network: ProofNetwork) -> Bool {
        guard let count = order.questions else { return order.mode == .wire && packet.destination != network.target }
        return order.packets.suffix(count).contains {
            IPPacket($0.bytes[...])?.identification == packet.identification
        }
    }

    static func packet(
        _ kind: ProofProtocol, from source: IPAddress, to target: IPAddress, port: UInt16,
        destinationPort: UInt16? = nil, identification: UInt16, nonce: [UInt8]
    ) -> IPPacket {
        let payload = nonce + Array("lxc-doctor probe".utf8)
        let segment: [UInt8]
        let number: UInt8
        switch kind {
        case .udp:
            number = 17
            segment = Segment.udp(
                source: port, destination: destinationPort ?? datagramPort, payload: payload, from: source.octets,
                to: target.octets)
        case .tcp:
            number = 6
            segment = Segment.tcpSYN(
                source: port, destination: destinationPort ?? streamPort, sequence: ProbeMark.sequence(nonce),
                from: source.octets, to: target.octets)
        case .icmp:
            var packet = echo(port, payload, from: source, to: target)
            packet.identification = identification
            return packet
        }
        return IPPacket(
            source: source, destination: target, identification: identification, timeToLive: timeToLive,
            protocolNumber: number, payload: segment)
    }

    /// An echo request of either family, with neither identification nor another time to live than the usual.
    private static func echo(
        _ identifier: UInt16, _ payload: [UInt8], from source: IPAddress, to target: IPAddress
    ) -> IPPacket {
        let isIPv4 = target.family == .ipv4
        let segment =
            isIPv4
            ? Segment.icmpEcho(identifier: identifier, sequence: 1, payload: payload)
            : Segment.icmpv6Echo(
                identifier: identifier, sequence: 1, payload: payload, from: source.octets, to: target.octets)
        return IPPacket(
            source: source, destination: target, identification: 0, timeToLive: timeToLive,
            protocolNumber: isIPv4 ? 1 : 58, payload: segment)
    }
}
