/// What XFRM_MSG_GETSPDINFO answers: how many IPsec policies there are. Source: linux/xfrm.h.
package enum PolicyInfo {
    /// Those of all directions. Header: 32 bits of flags.
    package static func count(_ message: [UInt8]) throws(WireError) -> Int {
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
