package import HostAccess
package import HostModel

/// Reads one kind of fact. It is given a `Host`, so it cannot change anything.
package protocol Probe: Sendable {
    var specification: ProbeSpecification { get }

    /// Looks, and says what it saw.
    ///
    /// Throws `ObservationFailure.unknown` where the host could not be asked and `.notApplicable` where the question
    /// does not arise. What is simply absent on the host is a fact, not an error.
    func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation
}

/// A probe's parameters, already checked against its specification.
package struct ProbeParameters: Sendable {
    private let values: [String: FactValue]

    package init(_ values: [String: FactValue]) {
        self.values = values
    }

    /// A string parameter. Throws `unknown` where it is missing, which a checked check file rules out.
    package func string(_ name: String) throws(ObservationFailure) -> String {
        guard case .string(let value)? = values[name] else { throw missing(name) }
        return value
    }

    package func integer(_ name: String) throws(ObservationFailure) -> Int {
        switch values[name] {
        case .integer(let value): return value
        case .string(let text):
            guard let value = Int(text) else { throw missing(name) }
            return value
        default: throw missing(name)
        }
    }

    package func strings(_ name: String) throws(ObservationFailure) -> [String] {
        switch values[name] {
        case .strings(let value): return value
        case .string(let value): return [value]
        default: throw missing(name)
        }
    }

    package func prefix(_ name: String) throws(ObservationFailure) -> IPv4Prefix {
        guard let prefix = IPv4Prefix(try string(name)) else {
            throw .unknown("parameter \(name) is not an IPv4 prefix: \(try string(name))")
        }
        return prefix
    }

    package func address(_ name: String) throws(ObservationFailure) -> IPv4Address {
        guard let address = IPv4Address(try string(name)) else {
            throw .unknown("parameter \(name) is not an IPv4 address: \(try string(name))")
        }
        return address
    }

    private func missing(_ name: String) -> ObservationFailure {
        .unknown("the probe was not told its parameter \(name)")
    }
}

extension ObservationFailure {
    /// A host error as the reason for not knowing.
    package init(_ error: HostError) {
        self = .unknown(error.description)
    }
}
