internal import HostAccess
internal import HostModel
internal import WireFormats

/// The packets that stay on this host: into the host for DHCP and DNS, and from one container to another. Pure.
enum LocalPlan {
    static let dhcpPorts: (client: UInt16, server: UInt16) = (68, 67)
    static let dnsPort: UInt16 = 53
    /// Two nonces of eight bytes.
    static let chanceNeeded = 16
    /// Behind those of the probes to the outside, which count upwards from a random one.
    private static let firstIdentification: UInt16 = 0x100

    /// Nil where the profile wants nothing of this host.
    static func order(
        network: Network, ground: ProofGround, from source: IPv4Address, to peer: IPv4Address?, chance: [UInt8]
    ) -> LocalOrder? {
        guard chance.count >= chanceNeeded else { return nil }
        let hostNonce = Array(chance.prefix(8))
        let peerNonce = Array(chance.dropFirst(8).prefix(8))
        var numbers = Numbers(hostNonce)
        let gateway = network.address.address
        var host: [IPPacket] = []
        let isClear = ground.hazardsIntoHost?.isEmpty != false
        if isClear, ground.wantsServer(network.dhcp, running: ground.servesDHCP) {
            host.append(discover(nonce: hostNonce, hardwareAddress: [2, 0xff, 0xff] + peerNonce.prefix(3), &numbers))
        }
        if isClear, ground.wantsServer(network.dns, running: ground.servesDNS) {
            for kind in [ProofProtocol.udp, .tcp] {
                host.append(packet(kind, source, gateway, port: dnsPort, hostNonce, &numbers))
            }
        }
        let toPeer = peer.map { peer in
            ProofProtocol.allCases.map {
                packet($0, source, peer, port: ProofPlan.datagramPort, peerNonce, &numbers)
            }
        }
        guard !host.isEmpty || peer != nil else { return nil }
        return LocalOrder(
            hostNonce: ByteString(hostNonce), hostPackets: host.map { ByteString($0.encoded) }, peer: peer,
            peerNonce: ByteString(peerNonce), peerPackets: (toPeer ?? []).map { ByteString($0.encoded) })
    }

    /// Ports and identifications that no other packet of the order has.
    private struct Numbers {
        var port: UInt16
        var identification = firstIdentification

        init(_ nonce: [UInt8]) {
            port = 30_000 + nonce.suffix(2).reduce(0) { $0 << 8 | UInt16($1) } % 2_000
        }

        mutating func next() -> (port: UInt16, identification: UInt16) {
            port += 1
            identification += 1
            return (port, identification)
        }
    }

    /// DHCPDISCOVER (RFC 2131 §4.4.1), from an address that is not known yet to everybody.
    private static func discover(
        nonce: [UInt8], hardwareAddress: [UInt8], _ numbers: inout Numbers
    ) -> IPPacket {
        // op BOOTREQUEST, htype Ethernet, hlen, hops; xid; secs, flags; ciaddr, yiaddr, siaddr, giaddr; chaddr.
        var message: [UInt8] = [1, 1, 6, 0] + nonce.prefix(4) + [0, 0, 0x80, 0]
        message += [UInt8](repeating: 0, count: 16) + hardwareAddress + [UInt8](repeating: 0, count: 10)
        // sname and file; the magic cookie; option 53 with DHCPDISCOVER; end.
        message += [UInt8](repeating: 0, count: 192) + [99, 130, 83, 99, 53, 1, 1, 255]
        let nobody = IPv4Address(value: 0)
        let everybody = IPv4Address(value: .max)
        let segment = Segment.udp(
            source: dhcpPorts.client, destination: dhcpPorts.server, payload: message, from: nobody.octets,
            to: everybody.octets)
        return IPPacket(
            source: .v4(nobody), destination: .v4(everybody), identification: numbers.next().identification,
            timeToLive: ProofPlan.timeToLive, protocolNumber: 17, payload: segment)
    }

    private static func packet(
        _ kind: ProofProtocol, _ source: IPv4Address, _ destination: IPv4Address, port: UInt16, _ nonce: [UInt8],
        _ numbers: inout Numbers
    ) -> IPPacket {
        let (own, identification) = numbers.next()
        return ProofPlan.packet(
            kind, from: .v4(source), to: .v4(destination), port: own, destinationPort: port,
            identification: identification,
            nonce: nonce)
    }
}

extension ProofGround {
    /// What is required is asked for; what is optional, where somebody serves it.
    func wantsServer(_ wanted: Wanted, running: Bool) -> Bool {
        wanted == .required || wanted == .optional && running
    }

    var servesDHCP: Bool { servers?.contains("dhcp") ?? false }
    var servesDNS: Bool { servers?.contains("dns") ?? false }
}
