/// One file's access list in what `getfacl -R` prints.
package struct AccessListRecord: Hashable, Sendable {
    /// Who an entry speaks of.
    package enum Tag: Hashable, Sendable {
        case owner, group, mask, other
        /// By number or name.
        case namedUser(String)
        case namedGroup(String)
    }

    package struct Entry: Hashable, Sendable {
        package var tag: Tag
        /// Read 4, write 2, execute 1.
        package var permissions: UInt8
    }

    /// As printed: without the leading slash. Bytes, because a file's name may be any.
    package var path: [UInt8]
    package var access: [Entry] = []
    /// What files made in this directory get; empty: nothing.
    package var inherited: [Entry] = []

    /// Whether the permission bits say the same.
    package var isTrivial: Bool {
        inherited.isEmpty && access.allSatisfy { [.owner, .group, .other].contains($0.tag) }
    }
}

/// What `getfacl -R` prints, and `setfacl --restore` reads: `acls.txt` of an image. Source: getfacl(1), acl(5).
package struct AccessListFile: Sendable {
    package private(set) var records: [AccessListRecord] = []

    /// Throws `notUnderstood` with the line for whatever getfacl would not have printed.
    package init(bytes: [UInt8]) throws(ConfigEditError) {
        var record: AccessListRecord?
        var number = 0
        for line in bytes.split(separator: 0x0a, omittingEmptySubsequences: false) {
            number += 1
            if line.isEmpty {
                if let record { records.append(record) }
                record = nil
                continue
            }
            let prefix = Array("# file: ".utf8)
            if line.starts(with: prefix) {
                if let record { records.append(record) }
                record = AccessListRecord(path: try Self.path(Array(line.dropFirst(prefix.count)), number))
            } else if line.first != UInt8(ascii: "#") {
                try Self.add(String(decoding: line, as: UTF8.self), to: &record, number)
            }
        }
        if let record { records.append(record) }
    }

    /// Backslash, control and other bytes are printed as a backslash with three octal digits.
    private static func path(_ text: [UInt8], _ number: Int) throws(ConfigEditError) -> [UInt8] {
        var path: [UInt8] = []
        var rest = text[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                path.append(byte)
                continue
            }
            let digits = String(decoding: rest.prefix(3), as: UTF8.self)
            guard digits.utf8.count == 3, let value = UInt8(digits, radix: 8) else {
                throw .notUnderstood("line \(number): no three octal digits after a backslash")
            }
            path.append(value)
            rest = rest.dropFirst(3)
        }
        guard !path.isEmpty, !path.contains(0) else { throw .notUnderstood("line \(number): no file is named") }
        return path
    }

    private static func add(
        _ line: String, to record: inout AccessListRecord?, _ number: Int
    ) throws(ConfigEditError) {
        // `\t#effective:r--` may follow.
        let text = line.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)[0]
        var parts = text.split(separator: ":", omittingEmptySubsequences: false).map { String($0).trimmedBlanks }
        let isDefault = parts.first == "default"
        if isDefault { parts.removeFirst() }
        guard parts.count == 3, let permissions = permissions(parts[2]), let tag = tag(parts[0], parts[1]) else {
            throw .notUnderstood("line \(number): not an entry of an access list: \(String(line.prefix(80)))")
        }
        let entry = AccessListRecord.Entry(tag: tag, permissions: permissions)
        if isDefault { record?.inherited.append(entry) } else { record?.access.append(entry) }
        guard record != nil else { throw .notUnderstood("line \(number): an entry before the first file") }
    }

    private static func tag(_ kind: String, _ name: String) -> AccessListRecord.Tag? {
        switch (kind, name) {
        case ("user", ""): .owner
        case ("user", _): .namedUser(name)
        case ("group", ""): .group
        case ("group", _): .namedGroup(name)
        case ("mask", ""): .mask
        case ("other", ""): .other
        default: nil
        }
    }

    private static func permissions(_ text: String) -> UInt8? {
        let letters = Array(text.utf8)
        guard letters.count == 3 else { return nil }
        var value: UInt8 = 0
        for (letter, (name, bit)) in zip(letters, [("r", 4), ("w", 2), ("x", 1)] as [(Character, UInt8)]) {
            if letter == name.asciiValue { value |= bit } else if letter != UInt8(ascii: "-") { return nil }
        }
        return value
    }
}
