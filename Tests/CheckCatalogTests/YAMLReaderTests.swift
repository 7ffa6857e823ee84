import CheckCatalog
import Testing

@Suite struct YAMLReaderTests {
    @Test func knowsWhereEverythingIs() throws {
        let node = try YAMLReader.read("a: 1\nb:\n  - x\n  - \"true\"\n", file: "f")
        guard case .mapping(let entries) = node.content else {
            Issue.record("not a mapping")
            return
        }
        #expect(entries.map(\.key) == ["a", "b"])
        #expect(entries[1].line == 2)
        guard case .sequence(let items) = entries[1].value.content else {
            Issue.record("not a sequence")
            return
        }
        #expect(items.map(\.line) == [3, 4])
        #expect(items.map(\.column) == [5, 5])
        #expect(items[1].content == .scalar("true", quoted: true))
    }

    @Test(arguments: [
        ("", "f:1:1: the file is empty"),
        ("a: 1\na: 2\n", "f:2:1: the key \"a\" is here twice"),
        ("a: &x 1\n", "f:1:4: anchors (&) are not allowed here"),
        ("a: *x\n", "f:1:4: aliases (*) are not allowed here"),
        ("a: !!str 1\n", "f:1:4: tags (!) are not allowed here"),
        ("<<: {a: 1}\n", "f:1:1: merge keys (<<) are not allowed here"),
        ("[1]: 2\n", "f:1:1: a key must be a plain word"),
        ("a: 1\n---\nb: 2\n", "f:2:1: a second document; one file holds one"),
    ]) func refuses(_ text: String, _ message: String) {
        #expect(throws: CatalogError.self) { try YAMLReader.read(text, file: "f") }
        do { _ = try YAMLReader.read(text, file: "f") } catch { #expect(error.description == message) }
    }

    @Test(arguments: [
        ("a: b: c\n", 1), ("a:\n  b: 1\n c: 2\n", 3), ("a: [1, 2\nb: 3\n", 2), ("a:\n\tb: 1\n", 2), ("a: \"x\n", 2),
        ("a: \u{1}\n", 1),
    ]) func namesTheLineOfASyntaxError(_ text: String, _ line: Int) {
        do {
            _ = try YAMLReader.read(text, file: "f")
            Issue.record("it was read")
        } catch {
            #expect(error.line == line, "\(error)")
            #expect(error.column > 0)
            #expect(!error.message.isEmpty)
        }
    }

    @Test func refusesWhatIsTooLarge() {
        let deep = String(repeating: "[", count: 40) + String(repeating: "]", count: 40)
        #expect(throws: CatalogError.self) { try YAMLReader.read(deep, file: "f") }
        let many = "[" + String(repeating: "1,", count: YAMLReader.nodeLimit) + "1]"
        #expect(throws: CatalogError.self) { try YAMLReader.read(many, file: "f") }
        #expect(throws: CatalogError.self) {
            try YAMLReader.read([UInt8](repeating: 0x20, count: YAMLReader.sizeLimit + 1), file: "f")
        }
    }

    @Test func invalidTextIsAnError() {
        #expect(throws: CatalogError.self) { try YAMLReader.read([0x61, 0x3a, 0x20, 0xff, 0xfe], file: "f") }
        #expect(throws: CatalogError.self) { try YAMLReader.read([0xff, 0xfe, 0x61, 0x00], file: "f") }
    }

    /// Whatever is cut off or flipped: an error or a value, never a trap.
    @Test func survivesDamage() {
        let text = Array("a: {b: [1, \"x\"], c: |\n  text\n}\nd: 'e'\n".utf8)
        for length in 0...text.count { attempt(Array(text.prefix(length))) }
        for place in text.indices {
            for byte: UInt8 in [0, 0x09, 0x0a, 0x22, 0x26, 0x2d, 0x3a, 0x5b, 0x7b, 0x80, 0xff] {
                var damaged = text
                damaged[place] = byte
                attempt(damaged)
            }
        }
    }

    private func attempt(_ bytes: [UInt8]) {
        do { _ = try YAMLReader.read(bytes, file: "f") } catch { #expect(error.file == "f") }
    }
}
