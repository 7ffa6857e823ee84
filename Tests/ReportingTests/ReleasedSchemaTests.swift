import Foundation
import Testing

/// The promise of version 1: what a reader of a released schema relies on is still so. Fields are only ever added.
struct ReleasedSchemaTests {
    private static let released = Workplace.schemas.appendingPathComponent("released")

    private static func schema(_ file: URL) throws -> [String: Any] {
        try #require(JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
    }

    @Test func everySchemaKeepsWhatWasReleased() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.released.path).sorted()
        #expect(names.count >= 10)
        for name in names {
            let broken = SchemaPromise.broken(
                old: try Self.schema(Self.released.appendingPathComponent(name)),
                new: try Self.schema(Workplace.schemas.appendingPathComponent(name)))
            #expect(broken == [], "\(name)")
        }
    }

    /// A schema that is written but was never released promises nothing: it has to be copied when it is.
    @Test func everySchemaIsReleased() throws {
        func names(_ folder: URL) throws -> Set<String> {
            Set(try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".json") })
        }
        #expect(try names(Workplace.schemas) == names(Self.released))
    }

    static let changes: [(String, Bool, @Sendable (inout [String: Any]) -> Void)] = [
        ("a new optional field", true, { Self.change(&$0, "properties") { $0["weather"] = ["type": "string"] } }),
        ("a removed field", false, { Self.change(&$0, "properties") { $0["verdict"] = nil } }),
        ("another type", false, { Self.change(&$0, "properties") { $0["durationMilliseconds"] = ["type": "string"] } }),
        ("a field that need not be there any more", false, { $0["required"] = ["schema"] }),
        (
            "a new field that must be there", false,
            { $0["required"] = ($0["required"] as? [String] ?? []) + ["weather"] }
        ),
        (
            "a word less", false,
            { Self.change(&$0, "$defs") { $0["severity"] = ["enum": ["notice", "critical"]] } }
        ),
        (
            "a word more", true,
            { Self.change(&$0, "$defs") { $0["severity"] = ["enum": ["notice", "warning", "critical", "fatal"]] } }
        ),
        ("a removed definition", false, { Self.change(&$0, "$defs") { $0["cause"] = nil } }),
        ("closed", false, { $0["additionalProperties"] = false }),
        ("another text", true, { $0["title"] = "Something else" }),
    ]

    private static func change(_ schema: inout [String: Any], _ key: String, _ body: (inout [String: Any]) -> Void) {
        var inner = schema[key] as? [String: Any] ?? [:]
        body(&inner)
        schema[key] = inner
    }

    @Test func aBrokenPromiseIsSeenAndAnAdditionIsNot() throws {
        let old = try Self.schema(Self.released.appendingPathComponent("report.v1.schema.json"))
        for (name, kept, change) in Self.changes {
            var new = old
            change(&new)
            #expect(SchemaPromise.broken(old: old, new: new).isEmpty == kept, "\(name)")
        }
    }
}

/// Compares a schema with a later one.
enum SchemaPromise {
    /// Places at which a reader of the old one would be wrong with the new one.
    static func broken(old: [String: Any], new: [String: Any]) -> [String] {
        compare(old, new, "")
    }

    private static func compare(_ old: Any?, _ new: Any?, _ place: String) -> [String] {
        guard let old = old as? [String: Any] else { return [] }
        guard let new = new as? [String: Any] else { return ["\(place) is gone"] }
        var broken: [String] = []
        for key in ["type", "const", "$ref", "minimum", "pattern", "additionalProperties", "$id"]
        where !same(old[key], new[key]) {
            // A definition of what further fields are is compared below.
            if key == "additionalProperties", old[key] is [String: Any], new[key] is [String: Any] { continue }
            broken.append("\(place): \(key) differs")
        }
        if Set(old["required"] as? [String] ?? []) != Set(new["required"] as? [String] ?? []) {
            broken.append("\(place): required differs")
        }
        let (oldWords, newWords) = (words(old["enum"]), words(new["enum"]))
        if !oldWords.isSubset(of: newWords) || (oldWords.isEmpty && !newWords.isEmpty) {
            broken.append("\(place): a word is gone")
        }
        for key in ["properties", "$defs"] {
            for (name, value) in old[key] as? [String: Any] ?? [:] {
                broken += compare(value, (new[key] as? [String: Any])?[name], "\(place)/\(name)")
            }
        }
        for key in ["items", "additionalProperties"] {
            if let inner = old[key] as? [String: Any] { broken += compare(inner, new[key], "\(place)/\(key)") }
        }
        return broken
    }

    private static func same(_ left: Any?, _ right: Any?) -> Bool {
        switch (left, right) {
        case (nil, nil): true
        case (let left as NSObject, let right as NSObject): left == right
        default: false
        }
    }

    private static func words(_ list: Any?) -> Set<String> {
        Set((list as? [Any] ?? []).map { "\($0)" })
    }
}
