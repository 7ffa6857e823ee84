internal import HostAccess
internal import WireFormats

/// Tracked flows, for a shell script. conntrack(8) has no option for the number of a flow: that it is still untranslated
/// tells it from one that has begun in its place since.
extension ShellChange {
    static func forget(_ flows: [TrackedFlow]) -> ShellChange {
        let selections = flows.map(FlowWords.selection)
        let isThere = selections.map { "conntrack -L \($0) 2>/dev/null | grep -q ." }.joined(separator: " || ")
        let deletions = selections.map { "conntrack -D \($0) >/dev/null 2>&1" }.joined(separator: "; ")
        return ShellChange(
            ["tracked flows"], isBefore: "{ \(isThere); }", isAfter: "! { \(isThere); }",
            make: "{ \(deletions); true; }", programs: ["conntrack"])
    }
}
