package import CheckCatalog
package import HostAccess

/// The waivers of the host's owner.
package enum UserWaivers {
    package static let file = "/etc/lxc-doctor/waivers.yaml"

    /// Reads the file, if there is one. A file that others may write to, and a mistake in it, is an error: exit code 65.
    package static func read(
        checks: [Check], causes: [CauseEntry], on host: any Host
    ) throws(CatalogError) -> [Waiver] {
        let bytes: [UInt8]?
        do {
            bytes = try TrustedFile(host: host).read(file)
        } catch {
            throw CatalogError(file: file, message: error.text)
        }
        guard let bytes else { return [] }
        return try Waiver.read(bytes, file: file, known: checks.map(\.id) + causes.map(\.id))
    }
}
