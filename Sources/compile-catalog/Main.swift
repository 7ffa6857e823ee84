// For exit(3), which comes with its headers.
internal import CYaml
internal import CheckCatalog
internal import FoundationEssentials
internal import HostModel

/// Reads `ROOT/checks` and `ROOT/reports/schema` and writes Swift that builds the same values: one function per file.
@main
struct Main {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 3 else {
            print("usage: compile-catalog ROOT OUTPUT-FOLDER")
            exit(64)
        }
        do {
            try Catalog(root: arguments[1]).write(to: arguments[2])
        } catch let error as CatalogError {
            // The compiler's own form, so that editors and SwiftPM show it at its place.
            print("\(error.file):\(error.line):\(error.column): error: \(error.message)")
            exit(1)
        }
    }
}
