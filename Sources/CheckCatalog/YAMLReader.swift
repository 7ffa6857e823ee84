internal import CYaml

/// Reads the part of YAML that catalog files need: one document of mappings, sequences and scalars.
///
/// Anchors, aliases, tags, merge keys, duplicate keys and further documents are refused; so are files above the
/// bounds. Source: YAML 1.1 as libyaml reads it (yaml.h), by events.
package struct YAMLReader {
    /// Bytes of a file.
    package static let sizeLimit = 256 << 10
    package static let depthLimit = 24
    package static let nodeLimit = 20_000

    private let file: String
    private let parser: Parser
    private var nodes = 0

    /// Throws at the first thing that is not as it should be.
    package static func read(_ bytes: [UInt8], file: String) throws(CatalogError) -> YAMLNode {
        guard bytes.count <= sizeLimit else {
            throw CatalogError(file: file, message: "the file is larger than \(sizeLimit / 1024) KiB")
        }
        guard let parser = Parser(bytes) else {
            throw CatalogError(file: file, message: "no memory to read the file")
        }
        var reader = YAMLReader(file: file, parser: parser)
        return try reader.document()
    }

    package static func read(_ text: String, file: String) throws(CatalogError) -> YAMLNode {
        try read(Array(text.utf8), file: file)
    }

    private init(file: String, parser: Parser) {
        self.file = file
        self.parser = parser
    }

    private mutating func document() throws(CatalogError) -> YAMLNode {
        _ = try next()
        let start = try next()
        guard start.kind == .documentStart else { throw error(start, "the file is empty") }
        let node = try node(try next(), depth: 0)
        _ = try next()
        let end = try next()
        guard end.kind == .streamEnd else { throw error(end, "a second document; one file holds one") }
        return node
    }

    private mutating func node(_ event: YAMLEvent, depth: Int) throws(CatalogError) -> YAMLNode {
        nodes += 1
        guard nodes <= Self.nodeLimit else { throw error(event, "more than \(Self.nodeLimit) values") }
        guard depth <= Self.depthLimit else { throw error(event, "nested deeper than \(Self.depthLimit) levels") }
        if event.anchored { throw error(event, "anchors (&) are not allowed here") }
        if event.tagged { throw error(event, "tags (!) are not allowed here") }
        let content: YAMLNode.Content
        switch event.kind {
        case .scalar:
            content = .scalar(event.text, quoted: event.quoted)
        case .sequenceStart:
            var items: [YAMLNode] = []
            while true {
                let item = try next()
                if item.kind == .sequenceEnd { break }
                items.append(try node(item, depth: depth + 1))
            }
            content = .sequence(items)
        case .mappingStart:
            content = .mapping(try entries(depth: depth))
        case .alias:
            throw error(event, "aliases (*) are not allowed here")
        default:
            throw error(event, "a value is missing")
        }
        return YAMLNode(content: content, line: event.line, column: event.column)
    }

    private mutating func entries(depth: Int) throws(CatalogError) -> [YAMLNode.Entry] {
        var entries: [YAMLNode.Entry] = []
        var seen: Set<String> = []
        while true {
            let key = try next()
            if key.kind == .mappingEnd { return entries }
            guard key.kind == .scalar, !key.anchored, !key.tagged else {
                throw error(key, "a key must be a plain word")
            }
            if key.text == "<<" { throw error(key, "merge keys (<<) are not allowed here") }
            guard seen.insert(key.text).inserted else { throw error(key, "the key \"\(key.text)\" is here twice") }
            let value = try node(try next(), depth: depth + 1)
            entries.append(.init(key: key.text, line: key.line, column: key.column, value: value))
        }
    }

    private func next() throws(CatalogError) -> YAMLEvent {
        do {
            return try parser.next()
        } catch {
            throw CatalogError(file: file, line: error.line, column: error.column, message: error.message)
        }
    }

    private func error(_ event: YAMLEvent, _ message: String) -> CatalogError {
        CatalogError(file: file, line: event.line, column: event.column, message: message)
    }
}

/// One event of libyaml's parser.
struct YAMLEvent {
    enum Kind {
        case streamStart, streamEnd, documentStart, documentEnd, alias, scalar, sequenceStart, sequenceEnd,
            mappingStart, mappingEnd
    }
    var kind: Kind
    var text = ""
    var quoted = false
    var anchored = false
    var tagged = false
    var line: Int
    var column: Int
}

struct YAMLSyntaxError: Error {
    var line: Int
    var column: Int
    var message: String
}

/// Owns a `yaml_parser_t`. It lives on the heap and does not move: libyaml keeps pointers into it.
private final class Parser {
    private let bytes: UnsafeMutableBufferPointer<UInt8>
    private let raw: UnsafeMutablePointer<yaml_parser_t>

    /// Nil where libyaml has no memory.
    init?(_ content: [UInt8]) {
        bytes = .allocate(capacity: max(content.count, 1))
        _ = bytes.update(fromContentsOf: content)
        raw = .allocate(capacity: 1)
        raw.initialize(to: yaml_parser_t())
        guard yaml_parser_initialize(raw) == 1 else {
            raw.deallocate()
            bytes.deallocate()
            return nil
        }
        yaml_parser_set_encoding(raw, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(raw, bytes.baseAddress, content.count)
    }

    deinit {
        yaml_parser_delete(raw)
        raw.deallocate()
        bytes.deallocate()
    }

    func next() throws(YAMLSyntaxError) -> YAMLEvent {
        var event = yaml_event_t()
        guard yaml_parser_parse(raw, &event) == 1 else { throw syntaxError() }
        defer { yaml_event_delete(&event) }
        let line = Int(clamping: event.start_mark.line) + 1
        let column = Int(clamping: event.start_mark.column) + 1
        switch event.type {
        case YAML_STREAM_START_EVENT: return YAMLEvent(kind: .streamStart, line: line, column: column)
        case YAML_DOCUMENT_START_EVENT: return YAMLEvent(kind: .documentStart, line: line, column: column)
        case YAML_DOCUMENT_END_EVENT: return YAMLEvent(kind: .documentEnd, line: line, column: column)
        case YAML_ALIAS_EVENT: return YAMLEvent(kind: .alias, line: line, column: column)
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            return YAMLEvent(
                kind: .scalar, text: text, quoted: scalar.style != YAML_PLAIN_SCALAR_STYLE,
                anchored: scalar.anchor != nil, tagged: scalar.tag != nil, line: line, column: column)
        case YAML_SEQUENCE_START_EVENT:
            let start = event.data.sequence_start
            return YAMLEvent(
                kind: .sequenceStart, anchored: start.anchor != nil, tagged: start.tag != nil, line: line,
                column: column)
        case YAML_SEQUENCE_END_EVENT: return YAMLEvent(kind: .sequenceEnd, line: line, column: column)
        case YAML_MAPPING_START_EVENT:
            let start = event.data.mapping_start
            return YAMLEvent(
                kind: .mappingStart, anchored: start.anchor != nil, tagged: start.tag != nil, line: line, column: column
            )
        case YAML_MAPPING_END_EVENT: return YAMLEvent(kind: .mappingEnd, line: line, column: column)
        default: return YAMLEvent(kind: .streamEnd, line: line, column: column)
        }
    }

    private func syntaxError() -> YAMLSyntaxError {
        let problem = raw.pointee.problem.map { String(cString: $0) } ?? "not YAML"
        let context = raw.pointee.context.map { " (" + String(cString: $0) + ")" } ?? ""
        return YAMLSyntaxError(
            line: Int(clamping: raw.pointee.problem_mark.line) + 1,
            column: Int(clamping: raw.pointee.problem_mark.column) + 1, message: problem + context)
    }
}
