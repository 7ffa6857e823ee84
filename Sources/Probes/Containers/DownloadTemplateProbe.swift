internal import ConfigFiles
package import HostAccess
package import HostModel

/// `download-template {}`: the key server that LXC's template for downloads asks.
package struct DownloadTemplateProbe: Probe {
    private static let paths = [
        "/usr/share/lxc/templates/lxc-download", "/usr/local/share/lxc/templates/lxc-download",
    ]

    package let specification = ProbeSpecification(
        name: "download-template", summary: "the key server that the template for downloads asks",
        parameters: [:], facts: ["keyServers": .strings, "gone": .strings], source: .configuration)

    package init() {}

    package func observe(
        _ parameters: ProbeParameters, on host: any Host
    ) throws(ObservationFailure) -> Observation {
        let reader = ConfigurationReader(host: host)
        guard let path = try reader.first(Self.paths), let bytes = try reader.bytes(path, limit: 1 << 19) else {
            throw .notApplicable("there is no template for downloads")
        }
        var servers: [String] = []
        var gone: [String] = []
        var evidence: [Evidence] = []
        for (number, line) in TextLines.numbered(bytes, containing: "DOWNLOAD_KEYSERVER=") {
            let text = line.trimmedBlanks
            guard !text.hasPrefix("#"), let mark = text.range(ofText: "DOWNLOAD_KEYSERVER=") else { continue }
            let value = String(text[mark.upperBound...].filter { $0 != "\"" && $0 != "'" && $0 != "}" })
            guard !value.isEmpty, !value.hasPrefix("$") else { continue }
            servers.append(value)
            evidence.append(
                Evidence(SourceLocation(file: path, line: number), pattern: "DOWNLOAD_KEYSERVER=", value: value))
            // The pool was shut down in June 2021.
            if value.range(ofText: "sks-keyservers.net") != nil { gone.append(value) }
        }
        if evidence.isEmpty { evidence.append(Evidence(path: path, value: "asks no key server")) }
        return Observation(facts: ["keyServers": .strings(servers), "gone": .strings(gone)], evidence: evidence)
    }
}
