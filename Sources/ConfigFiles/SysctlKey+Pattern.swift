package import HostModel

extension SysctlKey {
    package var isPattern: Bool { parts.contains(where: Wildcard.isPattern) }

    /// Whether this key, read as a pattern, stands for `key`: wildcards do not match slashes (glob(3)).
    package func matches(_ key: SysctlKey) -> Bool {
        parts.count == key.parts.count && zip(parts, key.parts).allSatisfy { Wildcard.matches($0, $1) }
    }
}
