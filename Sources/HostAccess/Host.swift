internal import HostModel
package import WireFormats

/// A host that can be asked and cannot be changed: the live one, a recording, or literals of a test.
package protocol Host: AnyObject {
    func answer(_ request: HostRequest) throws(HostError) -> HostReply
}

extension Host {
    /// The bytes of a file, at most `limit` (default 1 MiB).
    package func read(_ path: String, root: String? = nil, limit: Int = 1 << 20) throws(HostError) -> [UInt8] {
        guard case .bytes(let bytes) = try answer(.read(path: path, root: root, limit: limit)) else {
            throw mismatch("read \(path)")
        }
        return bytes.bytes
    }

    /// The paragraph of a text file that has this whole line; empty where none has it.
    package func paragraph(with line: String, in path: String, limit: Int = 64 << 20) throws(HostError) -> [UInt8] {
        guard case .bytes(let bytes) = try answer(.paragraph(path: path, line: line, limit: limit)) else {
            throw mismatch("read \(path)")
        }
        return bytes.bytes
    }

    /// A file as text; invalid UTF-8 becomes U+FFFD.
    package func readText(_ path: String, root: String? = nil, limit: Int = 1 << 20) throws(HostError) -> String {
        String(decoding: try read(path, root: root, limit: limit), as: UTF8.self)
    }

    /// A file as text, or nil where there is none.
    package func readTextIfPresent(
        _ path: String, root: String? = nil, limit: Int = 1 << 20
    ) throws(HostError) -> String? {
        do {
            return try readText(path, root: root, limit: limit)
        } catch {
            if error.code == .notFound { return nil }
            throw error
        }
    }

    package func list(_ path: String, root: String? = nil, limit: Int = 65_536) throws(HostError) -> [String] {
        guard case .names(let names) = try answer(.list(path: path, root: root, limit: limit)) else {
            throw mismatch("list \(path)")
        }
        return names
    }

    /// The names in a directory, or none where there is no such directory.
    package func listIfPresent(
        _ path: String, root: String? = nil, limit: Int = 65_536
    ) throws(HostError) -> [String] {
        do {
            return try list(path, root: root, limit: limit)
        } catch {
            if error.code == .notFound { return [] }
            throw error
        }
    }

    package func status(
        _ path: String, root: String? = nil, followLinks: Bool = true
    ) throws(HostError) -> FileStatus {
        guard case .status(let status) = try answer(.status(path: path, root: root, followLinks: followLinks)) else {
            throw mismatch("status \(path)")
        }
        return status
    }

    package func statusIfPresent(
        _ path: String, root: String? = nil, followLinks: Bool = true
    ) throws(HostError) -> FileStatus? {
        do {
            return try status(path, root: root, followLinks: followLinks)
        } catch {
            if error.code == .notFound { return nil }
            throw error
        }
    }

    package func space(_ path: String) throws(HostError) -> FileSystemSpace {
        guard case .space(let space) = try answer(.space(path: path)) else { throw mismatch("space \(path)") }
        return space
    }

    /// The messages that a netlink query brings, each with its header.
    package func query(_ query: KernelQuery) throws(HostError) -> [[UInt8]] {
        try messages(query).map(Array.init)
    }

    /// The same, where there may be many thousands: none is copied.
    package func messages(_ query: KernelQuery) throws(HostError) -> NetlinkMessages {
        guard case .messages(let messages) = try answer(.netlink(query)) else { throw mismatch(query.name) }
        return messages
    }

    package func legacyTable(
        _ name: LegacyTableName
    ) throws(HostError) -> (info: [UInt8], entries: [UInt8]) {
        guard case .legacyTable(let info, let entries) = try answer(.legacyTable(name)) else {
            throw mismatch("legacy table \(name.table)")
        }
        return (info.bytes, entries.bytes)
    }

    /// The rules of an iptables table; nil where the programs of that flavour are not installed.
    package func iptablesRules(_ table: IptablesTable) throws(HostError) -> IptablesListing? {
        do throws(HostError) {
            guard case .text(let text) = try answer(.iptablesRules(table)) else {
                throw mismatch("\(table.flavour.program)-save -t \(table.name)")
            }
            return IptablesListing(text: text)
        } catch {
            if error.code == .notFound { return nil }
            throw error
        }
    }

    package func programVersion(_ program: ProgramName) throws(HostError) -> String {
        guard case .text(let text) = try answer(.programVersion(program)) else {
            throw mismatch("\(program.rawValue) --version")
        }
        return text
    }

    /// The BPF programs of tcx on a link, and of netfilter: `tcx ingress`, `netfilter ip FORWARD at priority 5 (program 7)`.
    package func packetPrograms(link: Int) throws(HostError) -> [String] {
        guard case .names(let names) = try answer(.packetPrograms(link: link)) else {
            throw mismatch("BPF programs of link \(link)")
        }
        return names
    }

    /// The BPF programs of tcx on these links, and of netfilter: `tcx ingress 3`, `netfilter ip FORWARD at priority 5 (program 7)`.
    package func packetPrograms(links: [Int]) throws(HostError) -> [String] {
        guard case .names(let names) = try answer(.packetProgramsOf(links: links)) else {
            throw mismatch("BPF programs of links")
        }
        return names
    }

    /// Everybody behind a veth of this host, in a bridge or not.
    package func residents() throws(HostError) -> BridgeResidents {
        guard case .residents(let residents) = try answer(.residents) else { throw mismatch("residents") }
        return residents
    }

    package func identity() throws(HostError) -> HostIdentity {
        guard case .identity(let identity) = try answer(.identity) else { throw mismatch("identity") }
        return identity
    }

    private func mismatch(_ operation: String) -> HostError {
        HostError(.malformed, operation: operation, message: "the answer is of another kind than the request")
    }
}
