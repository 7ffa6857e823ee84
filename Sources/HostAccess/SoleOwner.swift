/// The rule by which a root tool trusts a file, a directory or a program: nobody but its owner can have written it, and
/// the owner is root, or the user that this process runs as.
package enum SoleOwner {
    package static func isOne(of owners: Set<Int> = [0], owner: Int, mode: Int) -> Bool {
        owners.contains(owner) && !othersMayWrite(mode: mode)
    }

    /// Whether anybody but the owner may write. Without a group every group counts as somebody else; of the group root
    /// (0) there is nobody but root.
    package static func othersMayWrite(mode: Int, group: Int? = nil) -> Bool {
        mode & 0o002 != 0 || (mode & 0o020 != 0 && group != 0)
    }
}

extension FileStatus {
    /// Whether only these users can have written it.
    package func belongsOnly(to owners: Set<Int> = [0]) -> Bool {
        SoleOwner.isOne(of: owners, owner: owner, mode: mode)
    }
}
