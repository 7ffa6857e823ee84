package import HostModel

/// A dnsmasq that runs, as its command line describes it. Source: dnsmasq(8).
package struct DnsmasqProcess: Hashable, Sendable {
    package let process: Int
    /// With the program's own name first.
    package let arguments: [String]

    /// Where lxc-net's dnsmasq leaves its process id.
    package static let pidFileOfLXCNet = "/run/lxc/dnsmasq.pid"
    private static let pidFiles = [pidFileOfLXCNet, "/run/dnsmasq.pid", "/var/run/dnsmasq.pid"]

    package init(process: Int, arguments: [String]) {
        self.process = process
        self.arguments = arguments
    }

    /// The one of a process id; nil where that is no dnsmasq, or nothing any more.
    package init?(_ process: Int, on host: any Host) throws(HostError) {
        guard let name = try Self.read("comm", of: process, on: host),
            name.prefix(while: { $0 != 0x0a }).elementsEqual("dnsmasq".utf8),
            let words = try Self.read("cmdline", of: process, on: host)
        else { return nil }
        self.init(
            process: process, arguments: words.split(separator: 0).map { String(decoding: $0, as: UTF8.self) })
    }

    /// The one of a pid file; nil where there is none, or where it no longer runs.
    package init?(pidFile: String, on host: any Host) throws(HostError) {
        guard let text = try host.readTextIfPresent(pidFile, limit: 64), let process = Self.process(Array(text.utf8))
        else { return nil }
        try self.init(process, on: host)
    }

    /// The one among the usual pid files that serves the bridge, or its address, and that file.
    package static func serving(
        _ bridge: String, at address: IPv4Address? = nil, on host: any Host
    ) throws(HostError) -> (server: DnsmasqProcess, pidFile: String)? {
        for file in pidFiles {
            if let server = try DnsmasqProcess(pidFile: file, on: host), server.serves(bridge, at: address) == true {
                return (server, file)
            }
        }
        return nil
    }

    /// Nil where there is no such process.
    private static func read(_ name: String, of process: Int, on host: any Host) throws(HostError) -> [UInt8]? {
        do {
            return try host.read("/proc/\(process)/\(name)", limit: 1 << 17)
        } catch {
            // Also ESRCH, where the process ended between opening and reading.
            if error.code == .notFound { return nil }
            throw error
        }
    }

    /// A process id as a pid file holds it, or the name of a directory of `/proc`.
    package static func process(_ bytes: [UInt8]) -> Int? {
        let digits = bytes.drop { $0 == 0x20 }.prefix { $0 != 0x0a && $0 != 0x20 }
        guard (1...9).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    /// The values of an option in the order in which they were given, in each way of writing, lists taken apart.
    package func values(of option: String, _ short: String? = nil) -> [String] {
        texts(of: option, short).flatMap { $0.split(separator: ",").map(String.init) }
    }

    /// The same, lists as they are.
    package func texts(of option: String, _ short: String? = nil) -> [String] {
        var texts: [String] = []
        for (index, argument) in arguments.enumerated() {
            if argument.hasPrefix(option + "=") {
                texts.append(String(argument.dropFirst(option.count + 1)))
            } else if argument == option || argument == short, index + 1 < arguments.count {
                texts.append(arguments[index + 1])
            }
        }
        return texts
    }

    /// Whether it serves the bridge; nil where its files decide, not its arguments.
    package func serves(_ bridge: String, at address: IPv4Address?) -> Bool? {
        let names = values(of: "--interface", "-i") + values(of: "--listen-address", "-a")
        if names.isEmpty { return nil }
        return names.contains(bridge) || address.map { names.contains($0.description) } ?? false
    }

    /// The first `--dhcp-range`: its text and the addresses in it.
    package var range: (text: String, addresses: [IPv4Address])? {
        for text in texts(of: "--dhcp-range", "-F") {
            let addresses = text.split(separator: ",").compactMap { IPv4Address(String($0)) }
            if addresses.count >= 2 { return (text, Array(addresses.prefix(2))) }
        }
        return nil
    }

    /// Where it keeps its leases; nil where its arguments do not say.
    package var leaseFile: String? { texts(of: "--dhcp-leasefile", "-l").last }
}
