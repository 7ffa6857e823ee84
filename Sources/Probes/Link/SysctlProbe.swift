package import HostAccess
package import HostModel

/// `sysctl {key}`: the value of a kernel parameter now.
package struct SysctlProbe: Probe {
    package init() {}

    package let specification = ProbeSpecification(
        name: "sysctl", summary: "The value that a kernel parameter has now", parameters: ["key": .string],
        facts: ["exists": .boolean, "value": .string])

    package func observe(_ parameters: ProbeParameters, on host: any Host) throws(ObservationFailure) -> Observation {
        let text = try parameters.string("key")
        guard let key = SysctlKey(text) else { throw .unknown("\(text) cannot be the name of a kernel parameter") }
        let reading = try SysctlReading(key, on: host)
        return Observation(
            facts: ["exists": .boolean(reading.text != nil), "value": .string(reading.text ?? "")],
            evidence: [reading.evidence])
    }
}

/// A kernel parameter as it reads now.
struct SysctlReading {
    let key: SysctlKey
    /// Nil where there is no such parameter.
    let text: String?

    init(_ key: SysctlKey, on host: any Host) throws(ObservationFailure) {
        self.key = key
        do {
            let bytes = try host.read(key.path, limit: 4_096)
            // One line; several values of one parameter are separated by tabs.
            let line = bytes.prefix { $0 != 0x0a }
            text = String(decoding: line, as: UTF8.self)
        } catch {
            guard error.code == .notFound else { throw ObservationFailure(error) }
            text = nil
        }
    }

    var evidence: Evidence {
        Evidence(
            source: key.path, command: "sysctl \(key)",
            value: text.map { "\(key) = \($0)" } ?? "there is no \(key)")
    }
}
