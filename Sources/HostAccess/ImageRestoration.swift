package import HostModel

/// A base image that is to be unpacked below the directory of containers, from an archive whose sum is known.
package struct ImageRestoration: Codable, Sendable, Hashable {
    /// The container's name, a plain one.
    package var name: String
    /// The directory of containers.
    package var directory: String
    package var source: ImageSource
    /// What the first link of its configuration leads to.
    package var bridge: String
    /// For the flag that tells on which host the access lists were restored.
    package var hostname: String
    /// More than that is not unpacked.
    package var maximumBytes: Int

    package init(
        name: String, directory: String, source: ImageSource, bridge: String, hostname: String, maximumBytes: Int
    ) {
        self.name = name
        self.directory = directory
        self.source = source
        self.bridge = bridge
        self.hostname = hostname
        self.maximumBytes = maximumBytes
    }

    /// Where it is in the end.
    package var path: String { "\(directory)/\(name)" }
    /// Where it is made: on the same file system, and nothing that LXC takes for a container.
    package var staging: String { "\(directory)/.lxc-doctor-\(name).new" }
    package static let unpacked = "unpacked"

    /// The empty files by which makina-states tells that an archive was unpacked, and its access lists restored.
    package var flags: [String] { [".\(source.fileName)unpacked", ".\(source.fileName)\(hostname)aclsdone"] }
}

/// How far a long change has come.
package struct ChangeProgress: Sendable, Hashable {
    package enum Activity: String, Sendable {
        case downloading, checking, unpacking
    }

    package var activity: Activity
    /// In bytes of the archive.
    package var done: Int
    /// Nil: not known.
    package var total: Int?

    package init(_ activity: Activity, done: Int, total: Int?) {
        self.activity = activity
        self.done = done
        self.total = total
    }
}
