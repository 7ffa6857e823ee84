import Foundation

/// A JSON document in which one field can be taken out or changed.
struct Document {
    private let root: Any

    struct NoSuchField: Error {
        let path: String
    }

    init(_ text: String) throws {
        root = try JSONSerialization.jsonObject(with: Data(text.utf8))
    }

    /// The document without a field that must be there. `path`: keys and indices joined by slashes, `""` the whole.
    func removing(_ field: String, at path: String) throws -> Data {
        try write(at: path) { object in
            guard object.removeValue(forKey: field) != nil else { throw NoSuchField(path: "\(path)/\(field)") }
        }
    }

    func setting(_ field: String, to value: Any, at path: String) throws -> Data {
        try write(at: path) { $0[field] = value }
    }

    private func write(at path: String, _ change: (inout [String: Any]) throws -> Void) throws -> Data {
        let changed = try Self.edit(root, path.split(separator: "/")[...], path, change)
        return try JSONSerialization.data(withJSONObject: changed)
    }

    private static func edit(
        _ node: Any, _ rest: ArraySlice<Substring>, _ path: String, _ change: (inout [String: Any]) throws -> Void
    ) throws -> Any {
        guard let key = rest.first else {
            guard var object = node as? [String: Any] else { throw NoSuchField(path: path) }
            try change(&object)
            return object
        }
        if var object = node as? [String: Any], let child = object[String(key)] {
            object[String(key)] = try edit(child, rest.dropFirst(), path, change)
            return object
        }
        if var list = node as? [Any], let index = Int(key), list.indices.contains(index) {
            list[index] = try edit(list[index], rest.dropFirst(), path, change)
            return list
        }
        throw NoSuchField(path: path)
    }
}
