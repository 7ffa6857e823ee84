import Testing

@testable import Reporting

struct SafeTextTests {
    @Test(arguments: [
        ("plain", "plain"), ("a\tb", "a b"), ("a\nb\r", "a\\nb\\r"), ("\u{1b}[31m", "\\x1b[31m"), ("\0", "\\x00"),
        ("\u{7f}", "\\x7f"), ("\u{9b}2J", "\\x9b2J"), ("\u{85}", "\\x85"), ("\u{202e}x", "\\u{202e}x"),
        ("\u{2066}", "\\u{2066}"), ("a\u{200b}b", "a\\u{200b}b"), ("\u{feff}", "\\u{feff}"),
        ("\u{2028}", "\\u{2028}"), ("\u{e0041}", "\\u{e0041}"), ("\u{3164}", "\\u{3164}"), ("\u{a0}", " "),
        ("\u{ad}", "\\xad"), ("\u{fe0f}", "\\u{fe0f}"), ("\u{378}", "\\u{378}"), ("\u{e000}", "\\u{e000}"),
        ("gr\u{fc}\u{df}e \u{5bb9}\u{5668}", "gr\u{fc}\u{df}e \u{5bb9}\u{5668}"), ("e\u{301}", "e\u{301}"),
        ("e\u{301}\u{301}\u{301}\u{301}", "e\u{301}\u{301}\u{301}\\u{301}"), ("", ""),
    ])
    func line(text: String, safe: String) {
        let result = SafeText.line(text)
        #expect(Array(result.unicodeScalars) == Array(safe.unicodeScalars))
        #expect(SafeText.line(result) == result)
    }

    @Test func longTextIsCutAndSaysSo() {
        #expect(SafeText.line(String(repeating: "a", count: 25), limit: 10) == "aaaaaaaaaa... (15 more characters)")
        #expect(SafeText.line(String(repeating: "\u{e9}", count: 10), limit: 10).count == 10)
    }

    @Test func linesAreBounded() {
        #expect(SafeText.lines("a\nb\u{1b}\n", atMost: 5) == ["a", "b\\x1b"])
        #expect(SafeText.lines("1\n2\n3\n4", atMost: 2) == ["1", "2", "... (2 more lines)"])
        #expect(SafeText.lines("", atMost: 2) == [])
        #expect(SafeText.lines("a\r\nb", atMost: 2) == ["a\\r", "b"])
    }

    @Test func everyScalarBelowTheSurrogatesIsSafe() {
        for value in UInt32(0)..<0xd800 {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let safe = SafeText.line(String(scalar))
            let categories = safe.unicodeScalars.map(\.properties.generalCategory)
            #expect(!categories.contains { $0 == .control || $0 == .format || $0 == .lineSeparator })
        }
    }

    @Test(arguments: [
        ("one two three", 7, 5, ["one two", "three"]), ("abcdefghij", 4, 3, ["abcd", "efg", "hij"]), ("", 5, 5, [""]),
        ("a bcdefgh i", 3, 4, ["a", "bcde", "fgh", "i"]), ("  a   b ", 10, 10, ["a b"]),
        ("\u{5bb9}\u{5668}\u{5bb9}", 4, 4, ["\u{5bb9}\u{5668}", "\u{5bb9}"]), ("x", 0, -3, ["x"]),
    ])
    func wrap(text: String, first: Int, rest: Int, lines: [String]) {
        #expect(TextWidth.wrap(text, first: first, rest: rest) == lines)
    }

    @Test func cut() {
        #expect(TextWidth.cut("abcdef", to: 6) == "abcdef")
        #expect(TextWidth.cut("abcdefg", to: 6) == "abc...")
        #expect(TextWidth.columns(TextWidth.cut("\u{5bb9}\u{5668}\u{5bb9}\u{5668}", to: 6)) <= 6)
    }
}

struct JSONTextTests {
    @Test func controlsAreEscapesAndKeysAreSorted() {
        let text = JSONText.encode(["b": "\u{9b}\u{7f}\u{1b}/\u{c2}\u{e9}", "a": "\u{80}\u{9f}\u{a0}"])
        #expect(
            text == "{\n  \"a\" : \"\\u0080\\u009f\u{a0}\",\n  \"b\" : \"\\u009b\\u007f\\u001b/\u{c2}\u{e9}\"\n}\n")
    }

    @Test func whatCannotBeEncodedIsAnErrorDocument() {
        #expect(JSONText.encode([Double.nan]).contains("\"schema\" : \"lxc-doctor/error/1\""))
    }
}
