internal import HostModel

extension BaseImage {
    /// Reads `image:` of a profile: `{ name, wanted, source, sha256 | md5, maximumBytes }`.
    static func read(_ node: YAMLNode, _ file: String) throws(CatalogError) -> BaseImage {
        var fields = try Fields(node, file: file, what: "image")
        let nameNode = try fields.required("name")
        let name = try nameNode.text(file, "name")
        guard !name.contains("/"), name != ".", name != ".." else {
            throw nameNode.error(file, "an image's name is a directory name, not \"\(name)\"")
        }
        var image = BaseImage(name: name)
        if let wanted = fields.optional("wanted") { image.wanted = try wanted.word(file, "wanted") }
        let location = fields.optional("source")
        var sums: [(YAMLNode, ImageChecksum)] = []
        for algorithm in ImageChecksum.Algorithm.allCases {
            guard let node = fields.optional(algorithm.rawValue) else { continue }
            let text = try node.text(file, algorithm.rawValue)
            guard let sum = ImageChecksum(algorithm, text) else {
                throw node.error(
                    file, "\(algorithm.rawValue) is \(algorithm.digits) hexadecimal digits, not \"\(text)\"")
            }
            sums.append((node, sum))
        }
        if let limit = fields.optional("maximumBytes") {
            let bytes = try limit.integer(file, "maximumBytes")
            image.maximumBytes = bytes
            guard bytes > 0 else { throw limit.error(file, "maximumBytes must be above zero") }
        }
        try fields.finish()
        if let location {
            guard let sum = sums.first?.1 else {
                throw location.error(file, "an image's source needs its sha256 beside it")
            }
            image.source = ImageSource(location: try Self.location(location, file), checksum: sum)
            guard isPlain(name) else {
                throw nameNode.error(file, "an image that is to be restored cannot be called \"\(name)\"")
            }
        } else if let (node, sum) = sums.first {
            throw node.error(file, "\(sum.algorithm.rawValue) without a source")
        }
        return image
    }

    /// What LXC takes for a container's name, and no hidden directory or option.
    private static func isPlain(_ name: String) -> Bool {
        name.first != "." && name.first != "-" && (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f: true
                default: false
                }
            }
    }

    private static func location(_ node: YAMLNode, _ file: String) throws(CatalogError) -> String {
        let text = try node.text(file, "source")
        // Printable ASCII without blanks and quotes: it is an argument of curl(1), and shown to people.
        let isClean = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != 0x22 && $0 != 0x27 && $0 != 0x5c }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let isPath = text.hasPrefix("/") && !parts.contains("..") && !parts.contains(".")
        let isURL = (text.hasPrefix("https://") || text.hasPrefix("http://")) && parts.count > 3 && !parts[2].isEmpty
        guard isClean, isPath || isURL, parts.last?.isEmpty == false else {
            throw node.error(file, "source is an absolute path, or an https or http URL, not \"\(text)\"")
        }
        // curl(1) would take them for a set of URLs; a name with a password does not belong into a report.
        guard !text.contains("["), !text.contains("{"), isPath || !parts[2].contains("@") else {
            throw node.error(file, "source must not hold brackets, braces or a password")
        }
        return text
    }
}
