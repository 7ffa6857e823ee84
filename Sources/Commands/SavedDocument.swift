internal import FoundationEssentials
internal import HostAccess
internal import HostModel
internal import LinuxHost

/// Our own JSON, read back from a file that the user names.
enum SavedDocument {
    /// More than a report of a host with thousands of containers.
    private static let largestReport = 64 << 20

    private struct Header: Decodable {
        var schema: String
    }

    /// Throws `input`, in one line, for whatever is no whole document of this schema.
    static func read<Value: Decodable>(
        _ path: String, as type: Value.Type, schema: String, what: String, limit: Int
    ) throws(CommandError) -> Value {
        let bytes: [UInt8]
        do {
            bytes = try LiveHost().read(path, limit: limit)
        } catch {
            throw CommandError(.input, "\(what) \(path): \(error.message)")
        }
        let data = Data(bytes)
        do {
            let header = try JSONDecoder().decode(Header.self, from: data)
            guard header.schema == schema else {
                throw CommandError(.input, "\(what) \(path): is \(header.schema), not \(schema)")
            }
            return try JSONDecoder().decode(Value.self, from: data)
        } catch let error as CommandError {
            throw error
        } catch let error as DecodingError {
            throw CommandError(.input, "\(what) \(path): \(error.sentence)")
        } catch {
            throw CommandError(.input, "\(what) \(path): cannot be read")
        }
    }

    static func report(_ path: String) throws(CommandError) -> Report {
        try read(path, as: Report.self, schema: Report.schemaName, what: "report", limit: largestReport)
    }
}
