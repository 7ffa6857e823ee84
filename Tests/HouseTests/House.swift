import Foundation

/// The house as Package.swift declares it, and as the sources really import it.
struct House {
    /// Rooms in the order of Package.swift, lowest first.
    var rooms: [String] = []
    var allowed: [String: Set<String>] = [:]

    /// Modules that come with the toolchain and reach no kernel.
    static let everywhere: Set<String> = ["FoundationEssentials", "Synchronization"]
    /// Rooms that may speak to the C library.
    static let kernelRooms: Set<String> = ["LinuxHost", "PracticeHost"]
    /// Rooms whose own sources are C.
    static let cRooms: Set<String> = ["CLinux", "CPcap", "CYaml"]

    /// Reads `room("Name", ["Dependency", …])` and the plain targets of a manifest.
    init(manifest: String) {
        for (opening, isRoom) in [("room(", true), (".executableTarget(", false), (".target(", false)] {
            var rest = manifest[...]
            while let range = rest.range(of: opening) {
                rest = rest[range.upperBound...]
                let call = Self.balanced(rest)
                let strings = Self.quoted(call)
                guard let name = strings.first, name.first?.isLetter == true, !call.hasPrefix("_ ") else { continue }
                guard isRoom || call.contains("name: \"") else { continue }
                rooms.append(name)
                allowed[name] = Set(strings.dropFirst())
            }
        }
    }

    /// Everything up to the parenthesis that closes the call.
    private static func balanced(_ text: Substring) -> Substring {
        var depth = 1
        for index in text.indices {
            if text[index] == "(" { depth += 1 }
            if text[index] == ")" { depth -= 1 }
            if depth == 0 { return text[..<index] }
        }
        return text
    }

    private static func quoted(_ text: Substring) -> [String] {
        text.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset % 2 == 1 }.map { String($0.element) }
    }

    /// The modules that a source file imports.
    static func imports(of source: String) -> [String] {
        source.split(whereSeparator: \.isNewline).compactMap { line in
            let words = line.split(separator: " ")
            guard let position = words.firstIndex(of: "import"), position <= 2, position + 1 < words.count,
                words[..<position].allSatisfy({ $0.first == "@" || accessLevels.contains(String($0)) })
            else { return nil }
            // `import struct Module.Name` names a declaration.
            let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
            let module = kinds.contains(words[position + 1]) ? words.dropFirst(position + 2).first : words[position + 1]
            return module.map { String($0.split(separator: ".")[0]) }
        }
    }

    private static let accessLevels: Set<String> = ["internal", "package", "private", "fileprivate", "public"]

    /// What is wrong with one file of a room: one sentence per forbidden import.
    func complaints(room: String, file: String, source: String) -> [String] {
        let declared = allowed[room] ?? []
        return Self.imports(of: source).compactMap { module in
            if declared.contains(module) || Self.everywhere.contains(module) || module == room { return nil }
            if module == "Glibc" && Self.kernelRooms.contains(room) { return nil }
            // The plugin runs in the build, not in the product.
            if room == "CompileCatalogPlugin" && ["PackagePlugin", "Foundation"].contains(module) { return nil }
            return "\(file): \(room) may not import \(module)"
        }
    }
}

/// The checkout that this test was built from.
enum Checkout {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    /// Paths below a folder with the given ending, relative to the checkout.
    static func files(below folder: String, ending: String) -> [String] {
        let base = root.appendingPathComponent(folder)
        guard let all = FileManager.default.enumerator(atPath: base.path) else { return [] }
        return all.compactMap { $0 as? String }.filter { $0.hasSuffix(ending) }.map { folder + "/" + $0 }.sorted()
    }
}
