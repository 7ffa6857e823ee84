/// A value of a YAML file, with the place where it begins.
package struct YAMLNode: Sendable, Hashable {
    package enum Content: Sendable, Hashable {
        /// A quoted scalar is a string whatever it looks like.
        case scalar(String, quoted: Bool)
        case sequence([YAMLNode])
        /// In the order of the file; keys are unique.
        case mapping([Entry])
    }

    package struct Entry: Sendable, Hashable {
        package var key: String
        /// Where the key begins.
        package var line: Int
        package var column: Int
        package var value: YAMLNode
    }

    package var content: Content
    /// From 1.
    package var line: Int
    /// From 1, in characters.
    package var column: Int

    /// For messages: `a mapping`.
    package var kind: String {
        switch content {
        case .scalar(let text, _): text.isEmpty ? "nothing" : "\"\(text.prefix(40))\""
        case .sequence: "a sequence"
        case .mapping: "a mapping"
        }
    }
}
