/// A zone of firewalld, `/etc/firewalld/zones/NAME.xml`: one element in a line, as firewalld writes it.
/// Source: firewalld.zone(5).
package struct FirewalldZoneFile: Hashable, Sendable {
    private let lines: TextLines

    package init(bytes: [UInt8]) { lines = TextLines(bytes) }

    package var bytes: [UInt8] { lines.bytes }

    /// The file with the interface in the zone; unchanged where it is there. Nil where the end of the zone is not on a
    /// line of its own, or the name cannot stand in an attribute.
    package func adding(interface: String) -> FirewalldZoneFile? {
        guard !interface.isEmpty, interface.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }),
            !interface.contains(where: { "<>&\"'".contains($0) })
        else { return nil }
        let element = "<interface name=\"\(interface)\"/>"
        if lines.numbered.contains(where: { $0.text.trimmedBlanks == element }) { return self }
        guard let end = lines.numbered.last(where: { $0.text.trimmedBlanks == "</zone>" })?.number else { return nil }
        var edited = lines
        edited.insert("  " + element, afterLine: end - 1)
        return FirewalldZoneFile(bytes: edited.bytes)
    }
}
