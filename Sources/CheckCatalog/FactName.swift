/// A name in a command that stands for what a check found, so that the command can be typed as it is printed.
///
/// A fact that lists several makes a command for each of them; one that lists none leaves the command out. An item such as
/// `c1: eth0` has a head and a detail.
package struct FactName: Hashable, Sendable {
    package enum Part: String, Sendable, CaseIterable {
        /// `{{found.down}}`: the head, as a word of a shell.
        case found
        /// `{{detail.down}}`: what stands behind the colon.
        case detail
        /// `{{inside.down}}`: the beginning of a command that is run in the container which the head names.
        case inside
        /// `{{command.clamp}}`: the item as it is, a command itself.
        case command
    }

    package var part: Part
    package var fact: String

    /// Nil for the name of a variable.
    package init?(_ name: String) {
        let parts = name.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let part = Part(rawValue: String(parts[0])) else { return nil }
        self.part = part
        fact = String(parts[1])
    }
}
