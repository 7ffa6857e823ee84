internal import CheckCatalog
internal import FoundationEssentials
internal import HostModel

/// The files of the catalog, read and checked.
struct Catalog {
    private var checks: [Check] = []
    private var causes: [CauseEntry] = []
    private var profiles: [ProfileEntry] = []
    private var assets: [(name: String, text: String)] = []

    init(root: String) throws {
        let folder = root + "/checks"
        for path in try Self.files(below: folder, ending: ".yaml") {
            // The top-level name, which is the one that people edit.
            let file = "checks/" + path
            let bytes = try Self.bytes(folder + "/" + path)
            if path.hasPrefix("causes/") {
                let cause = try CauseEntry.read(bytes, file: file)
                try Self.require(path == "causes/\(cause.id).yaml", "the id is \(cause.id)", file)
                causes.append(cause)
            } else if path.hasPrefix("profiles/") {
                let profile = try ProfileEntry.read(bytes, file: file)
                try Self.require(path == "profiles/\(profile.name).yaml", "the name is \(profile.name)", file)
                profiles.append(profile)
            } else {
                let check = try Check.read(bytes, file: file)
                let wanted = check.id.split(separator: ".").joined(separator: "/") + ".yaml"
                try Self.require(path == wanted, "a check of id \(check.id) belongs into checks/\(wanted)", file)
                checks.append(check)
            }
        }
        let problems = CatalogValidation.problems(of: checks, causes: causes)
        try Self.require(problems.isEmpty, problems.joined(separator: "; "), "checks")
        let schemas = root + "/reports/schema"
        for path in try Self.files(below: schemas, ending: ".json") where !path.contains("/") {
            assets.append((path, String(decoding: try Self.bytes(schemas + "/" + path), as: UTF8.self)))
        }
        let order = Area.allCases.map(\.rawValue)
        checks.sort { left, right in
            let areas = (order.firstIndex(of: left.area.rawValue) ?? 0, order.firstIndex(of: right.area.rawValue) ?? 0)
            return areas.0 != areas.1 ? areas.0 < areas.1 : left.id < right.id
        }
    }

    func write(to folder: String) throws {
        try write(SwiftSource.file("Check", "builtInChecks", checks.map(SwiftSource.check)), folder + "/Checks.swift")
        try write(
            SwiftSource.file("CauseEntry", "builtInCauses", causes.map(SwiftSource.cause)), folder + "/Causes.swift")
        try write(
            SwiftSource.file("ProfileEntry", "builtInProfiles", profiles.map(SwiftSource.profile)),
            folder + "/Profiles.swift")
        try write(SwiftSource.assets(assets), folder + "/Assets.swift")
    }

    /// An output that did not change keeps its time, so that nothing is compiled again.
    private func write(_ text: String, _ path: String) throws {
        if let old = FileManager.default.contents(atPath: path), old == Data(text.utf8) { return }
        try Data(text.utf8).write(to: URL(filePath: path))
    }

    private static func files(below folder: String, ending: String) throws -> [String] {
        guard FileManager.default.fileExists(atPath: folder) else { return [] }
        // "/." follows the link that the folder is.
        return try FileManager.default.subpathsOfDirectory(atPath: folder + "/.").filter { $0.hasSuffix(ending) }
            .sorted()
    }

    private static func bytes(_ path: String) throws -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CatalogError(file: path, message: "cannot be read")
        }
        return Array(data)
    }

    private static func require(_ condition: Bool, _ message: String, _ file: String) throws {
        if !condition { throw CatalogError(file: file, line: 1, column: 1, message: message) }
    }
}
