import Foundation
import PackagePlugin

/// Runs `compile-catalog` over the target's `checks` and `reports` folders (links to the top level).
@main
struct CompileCatalogPlugin: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        guard let module = target.sourceModule else { return [] }
        let root = module.directoryURL
        let inputs = files(below: root.appending(path: "checks")) + files(below: root.appending(path: "reports"))
        let output = context.pluginWorkDirectoryURL
        let names = ["Checks.swift", "Causes.swift", "Profiles.swift", "Assets.swift"]
        return [
            .buildCommand(
                displayName: "Compiling the catalog", executable: try context.tool(named: "compile-catalog").url,
                arguments: [root.path(percentEncoded: false), output.path(percentEncoded: false)], inputFiles: inputs,
                outputFiles: names.map { output.appending(path: $0) })
        ]
    }

    /// Every YAML and JSON file below a folder, links resolved, in order: a change of the list is a change of the build.
    private func files(below folder: URL) -> [URL] {
        let folder = folder.resolvingSymlinksInPath()
        guard let walk = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil) else { return [] }
        var files: [URL] = []
        for case let file as URL in walk where ["yaml", "json"].contains(file.pathExtension) { files.append(file) }
        return files.sorted { $0.path < $1.path }
    }
}
