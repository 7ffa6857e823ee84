/// Any JSON value (RFC 8259), for what is done to every text of a document.
indirect enum JSONTree: Codable, Sendable {
    case null
    case boolean(Bool)
    case integer(Int64)
    case number(Double)
    case text(String)
    case list([JSONTree])
    case object([String: JSONTree])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = Self.value(Bool.self, container) {
            self = .boolean(value)
        } else if let value = Self.value(Int64.self, container) {
            self = .integer(value)
        } else if let value = Self.value(Double.self, container) {
            self = .number(value)
        } else if let value = Self.value(String.self, container) {
            self = .text(value)
        } else if let value = Self.value([JSONTree].self, container) {
            self = .list(value)
        } else {
            self = .object(try container.decode([String: JSONTree].self))
        }
    }

    private static func value<Value: Decodable>(
        _ type: Value.Type, _ container: any SingleValueDecodingContainer
    ) -> Value? {
        do { return try container.decode(type) } catch { return nil }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .boolean(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .text(let value): try container.encode(value)
        case .list(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }

    /// The same, with every text replaced; names of fields stay.
    func mapTexts(_ body: (String) -> String) -> JSONTree {
        switch self {
        case .text(let text): .text(body(text))
        case .list(let values): .list(values.map { $0.mapTexts(body) })
        case .object(let fields): .object(fields.mapValues { $0.mapTexts(body) })
        case .null, .boolean, .integer, .number: self
        }
    }
}
