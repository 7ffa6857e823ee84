internal import CLinux

/// What acts on packets beside the ruleset, as far as a dump tells.
package enum TrafficControl {
    /// The links, by index, that have an `ingress` or `clsact` discipline, which is where filters are attached.
    package static func filteredLinks(_ messages: [[UInt8]]) throws(WireError) -> [Int] {
        let links = try decodeAll(messages, RouteMessageType.newDiscipline) { (message) throws(WireError) -> Int? in
            var attributes = try message.attributes(after: MemoryLayout<tcmsg>.size)
            guard let index: Int32 = message.bytes.hostInteger(at: NetlinkHeader.size + 4) else {
                throw WireError(.truncated, "tcmsg")
            }
            while let attribute = try attributes.next() {
                guard attribute.type == UInt16(TCA_KIND) else { continue }
                let kind = attributes.text(attribute)
                return kind == "clsact" || kind == "ingress" ? Int(index) : nil
            }
            return nil
        }
        return links.compactMap { $0 }
    }

    /// How many IPsec policies a kernel's answer to XFRM_MSG_GETSPDINFO counts. Header: 32 bits of flags.
    package static func policyCount(_ message: [UInt8]) throws(WireError) -> Int {
        // XFRMA_SPD_INFO is 1: struct xfrmu_spdinfo, in, out and forward first, 32 bits each.
        let attributes = NetlinkAttributes(message, min(message.count, NetlinkHeader.size + 4)..<message.count)
        guard let found = try attributes.first(1) else { return 0 }
        var sum = 0
        for index in 0..<3 {
            guard let count: UInt32 = message.hostInteger(at: found.range.lowerBound + 4 * index) else {
                throw WireError(.truncated, "xfrmu_spdinfo")
            }
            sum += Int(count)
        }
        return sum
    }
}
