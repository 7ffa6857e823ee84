/// The rule by which a root tool trusts a file, a directory or a program: nobody but its owner can have written it, and
/// the owner is root, or the user that this process runs as.
package enum SoleOwner {
    /// Group and others may not write.
    private static let othersWrite = 0o022

    package static func isOne(of owners: Set<Int> = [0], owner: Int, mode: Int) -> Bool {
        owners.contains(owner) && mode & othersWrite == 0
    }
}

extension FileStatus {
    /// Whether only these users can have written it.
    package func belongsOnly(to owners: Set<Int> = [0]) -> Bool {
        SoleOwner.isOne(of: owners, owner: owner, mode: mode)
    }
}
