package import CheckCatalog
internal import HostModel

/// A word of `--only` or `--skip` that names no check and no tag.
package struct UnknownCheckID: Error, Sendable, CustomStringConvertible {
    package var word: String
    package var suggestion: String?

    package var description: String {
        "no check and no tag is called \"\(word)\"" + (suggestion.map { "; did you mean \"\($0)\"?" } ?? "")
    }
}

/// The checks that words of `--only` and `--skip` mean: an id, an old id (alias), a tag, or an area.
package func select(_ words: [String], from checks: [Check]) throws(UnknownCheckID) -> Set<String> {
    var result: Set<String> = []
    for word in words {
        let found = checks.filter {
            $0.id == word || $0.aliases.contains(word) || $0.tags.contains(word) || $0.area.rawValue == word
        }
        guard !found.isEmpty else {
            let candidates = Set(checks.flatMap { [$0.id, $0.area.rawValue] + $0.aliases + $0.tags })
            throw UnknownCheckID(word: word, suggestion: Suggestion.nearest(to: word, among: candidates))
        }
        result.formUnion(found.map(\.id))
    }
    return result
}
