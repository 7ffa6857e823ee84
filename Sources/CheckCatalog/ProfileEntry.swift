package import HostModel

/// A profile that can be asked for by name. Shape: one file of `checks/profiles/`.
package struct ProfileEntry: Sendable, Hashable {
    /// From where its values come.
    package enum Values: Sendable, Hashable {
        case fixed(Profile)
        /// Read from the host by code of this name: `lxc-net`.
        case derived(String)
    }

    package var name: String
    package var summary: String
    package var values: Values

    package init(name: String, summary: String, values: Values) {
        self.name = name
        self.summary = summary
        self.values = values
    }
}
