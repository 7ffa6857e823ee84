internal import HostModel

/// The version of an installed package, by its record in the package manager's own database.
///
/// The file may have megabytes: text is made only of what is found. The record alone will do for it.
package enum PackageDatabase {
    /// A package of `/var/lib/dpkg/status`; nil unless its state is `install ok installed` or `hold ok installed`.
    ///
    /// Source: dpkg(1), deb-control(5).
    package static func dpkg(_ name: String, in status: [UInt8]) -> String? {
        record(headed: dpkgHeader(name), in: status).flatMap { fields in
            guard let state = fields["Status"], state.hasSuffix(" ok installed") else { return nil }
            return fields["Version"]
        }
    }

    /// A package of `/lib/apk/db/installed`. Source: apk(5).
    package static func apk(_ name: String, in installed: [UInt8]) -> String? {
        record(headed: apkHeader(name), in: installed)?["V"]
    }

    /// The line that a package's record in `/var/lib/dpkg/status` has.
    package static func dpkgHeader(_ name: String) -> String { "Package: " + name }

    /// The same in `/lib/apk/db/installed`.
    package static func apkHeader(_ name: String) -> String { "P:" + name }

    /// The fields of the record that has this line.
    private static func record(headed header: String, in bytes: [UInt8]) -> [String: String]? {
        guard let range = TextParagraph.range(around: Array(header.utf8), in: bytes) else { return nil }
        var fields: [String: String] = [:]
        for line in bytes[range].split(separator: 0x0a) {
            guard let first = line.first, first != 0x20, first != 0x09, line.count < 4096,
                let colon = line.firstIndex(of: 0x3a)
            else { continue }
            let value = String(decoding: line[(colon + 1)...], as: UTF8.self).trimmedBlanks
            fields[String(decoding: line[..<colon], as: UTF8.self)] = value
        }
        return fields
    }

    /// The upstream part of a version: `1:5.0.2-1+deb12u4` is `5.0.2`.
    package static func upstream(_ version: String) -> String {
        var text = version[...]
        if let colon = text.firstIndex(of: ":") { text = text[text.index(after: colon)...] }
        if let dash = text.lastIndex(of: "-") { text = text[..<dash] }
        return String(text)
    }

    /// The first number of a version.
    package static func major(_ version: String) -> Int? {
        let digits = upstream(version).prefix { $0.isASCII && $0.isNumber }
        return digits.count < 10 ? Int(digits) : nil
    }
}
