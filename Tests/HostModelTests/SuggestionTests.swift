import HostModel
import Testing

@Suite struct SuggestionTests {
    @Test(arguments: [
        ("severty", "severity"), ("titel", "title"), ("expects", "expect"), ("bridge.exist", "bridge.exists"),
    ]) func findsWhatWasMeant(_ word: String, _ wanted: String) {
        #expect(Suggestion.nearest(to: word, among: ["severity", "title", "expect", "bridge.exists"]) == wanted)
    }

    @Test func suggestsNothingForDistantWords() {
        #expect(Suggestion.nearest(to: "colour", among: ["severity", "title"]) == nil)
        #expect(Suggestion.hint(for: "colour", among: ["severity"]) == "")
    }

    @Test(arguments: [("", "abc", 3), ("abc", "abc", 0), ("ab", "ba", 1), ("kitten", "sitting", 3)])
    func countsEdits(_ left: String, _ right: String, _ distance: Int) {
        #expect(Suggestion.distance(left, right) == distance)
    }
}
