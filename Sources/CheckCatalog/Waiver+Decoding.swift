internal import HostModel

extension Waiver {
    /// Reads a waiver file. `known`: the ids of all causes and checks; anything else is a mistake.
    package static func read(
        _ bytes: [UInt8], file: String, known: some Collection<String>
    ) throws(CatalogError) -> [Waiver] {
        let node = try YAMLReader.read(bytes, file: file)
        var fields = try Fields(node, file: file, what: "a waiver file")
        let items = try fields.required("waivers").items(file, "waivers")
        try fields.finish()
        let known = Set(known)
        var waivers: [Waiver] = []
        for item in items {
            let waiver = try one(item, file, known)
            if waivers.contains(where: { $0.id == waiver.id && $0.subject == waiver.subject }) {
                throw item.error(file, "\(waiver.id) is waived twice for the same subject")
            }
            waivers.append(waiver)
        }
        return waivers
    }

    private static func one(_ node: YAMLNode, _ file: String, _ known: Set<String>) throws(CatalogError) -> Waiver {
        var fields = try Fields(node, file: file, what: "a waiver")
        let idNode = try fields.required("id")
        let id = try idNode.text(file, "id")
        guard known.contains(id) else {
            throw idNode.error(
                file, "no cause and no check is called \"\(id)\"\(Suggestion.hint(for: id, among: known))")
        }
        let reasonNode = try fields.required("reason")
        let reason = try reasonNode.text(file, "reason")
        guard reason.contains(where: { !$0.isWhitespace }) else {
            throw reasonNode.error(file, "a waiver needs a reason that others can read")
        }
        let expiresNode = try fields.required("expires")
        let expires = try expiresNode.text(file, "expires")
        guard RFC3339.secondsSince1970("\(expires)T00:00:00Z") != nil else {
            throw expiresNode.error(file, "expires must be a day such as 2026-12-31, not \"\(expires)\"")
        }
        let subject = try fields.optional("subject").map { node throws(CatalogError) in try node.text(file, "subject") }
        try fields.finish()
        return Waiver(
            id: id, subject: subject, reason: reason, expires: expires, line: idNode.line, column: idNode.column)
    }
}
