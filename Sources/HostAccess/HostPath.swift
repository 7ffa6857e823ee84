/// A file or a directory of the host; with `root`, inside that directory, which its path cannot leave.
package struct HostPath: Sendable, Hashable {
    package var root: String?
    package var path: String
    /// Whether the names in the directory count, and not what the thing itself is.
    package var isListing: Bool

    package init(_ path: String, root: String? = nil, isListing: Bool = false) {
        self.root = root
        self.path = path
        self.isListing = isListing
    }
}
