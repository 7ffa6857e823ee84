package import HostModel
package import WireFormats

extension HostError {
    /// Runs a decoder over what the host answered. What it cannot read is an error of code `malformed`.
    package static func decoding<Value>(
        _ operation: @autoclosure () -> String, _ body: () throws(WireError) -> Value
    ) throws(HostError) -> Value {
        do {
            return try body()
        } catch {
            throw HostError(.malformed, operation: operation(), message: error.description)
        }
    }

    /// Whether a query of nfnetlink failed because the kernel lacks the subsystem: nf_tables or ctnetlink is not there, and
    /// nfnetlink answers EINVAL (22).
    package var isMissingSubsystem: Bool { code == .unsupported || errno == 22 }
}

/// The dumps that several rooms need, decoded.
extension Host {
    package func links() throws(HostError) -> [Link] {
        let messages = try query(.links())
        return try HostError.decoding("read links") { () throws(WireError) in try Link.all(in: messages) }
    }

    package func neighbours(_ family: AddressFamily) throws(HostError) -> [Neighbour] {
        let messages = try query(.neighbours(family))
        return try HostError.decoding("read neighbours") { () throws(WireError) in try Neighbour.all(in: messages) }
    }

    package func routes<Address: InternetAddress>(_ family: AddressFamily) throws(HostError) -> [InternetRoute<Address>]
    {
        let messages = try query(.routes(family))
        return try HostError.decoding("read routes") { () throws(WireError) in try InternetRoute.all(in: messages) }
    }

    package func policyRules<Address: InternetAddress>(
        _ family: AddressFamily
    ) throws(HostError) -> [InternetRule<Address>] {
        let messages = try query(.rules(family))
        return try HostError.decoding("read policy rules") { () throws(WireError) in try InternetRule.all(in: messages)
        }
    }

    /// The kernel's answer to `KernelQuery.routeLookup`; nil where it names no route.
    package func route<Address: InternetAddress>(
        to destination: Address, from source: Address? = nil, inputInterface: Int? = nil
    ) throws(HostError) -> InternetRoute<Address>? {
        let messages = try query(.routeLookup(destination: destination, from: source, inputInterface: inputInterface))
        return try HostError.decoding("read a route") { () throws(WireError) in
            try InternetRoute<Address>.all(in: messages)
        }.first
    }
}
