/// Finds what a person probably meant.
package enum Suggestion {
    /// The candidate nearest to the word, if one is near: at most a third of its letters differ (and at least one may).
    package static func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
        let bound = max(1, min(word.count, 60) / 3)
        var best: (distance: Int, word: String)?
        for candidate in candidates.sorted() {
            let distance = distance(word, candidate)
            if distance <= bound, distance < (best?.distance ?? .max) {
                best = (distance, candidate)
            }
        }
        return best?.word
    }

    /// `; did you mean "X"?`, or nothing.
    package static func hint(for word: String, among candidates: some Sequence<String>) -> String {
        nearest(to: word, among: candidates).map { "; did you mean \"\($0)\"?" } ?? ""
    }

    /// Levenshtein distance, where two swapped neighbours count as one (optimal string alignment). Words above 60
    /// characters are far from everything.
    package static func distance(_ left: String, _ right: String) -> Int {
        let a = Array(left)
        let b = Array(right)
        guard a.count <= 60, b.count <= 60 else { return .max }
        if a.isEmpty || b.isEmpty { return a.count + b.count }
        var beforeLast = [Int](repeating: 0, count: b.count + 1)
        var last = Array(0...b.count)
        for i in 1...a.count {
            var row = [i] + [Int](repeating: 0, count: b.count)
            for j in 1...b.count {
                row[j] = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                    row[j] = min(row[j], beforeLast[j - 2] + 1)
                }
            }
            beforeLast = last
            last = row
        }
        return last[b.count]
    }
}
