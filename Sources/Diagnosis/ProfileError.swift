package import CheckCatalog

/// Why there is no profile to judge by.
package enum ProfileError: Error, Sendable, Hashable, CustomStringConvertible {
    /// `--profile` names none that there is.
    case unknownName(String, suggestion: String?)
    /// The file does not exist, may not be read, or others may write to it.
    case file(path: String, problem: String)
    /// The file says something that a profile cannot say.
    case malformed(CatalogError)
    /// The profile is to be read from the host's settings, which do not give one.
    case notDerivable(name: String, problem: String)

    package var description: String {
        switch self {
        case .unknownName(let name, let suggestion):
            "there is no profile \"\(name)\"" + (suggestion.map { "; did you mean \"\($0)\"?" } ?? "")
                + "; a file is named by its path, such as ./\(name).yaml"
        case .file(let path, let problem): "\(path): \(problem)"
        case .malformed(let error): error.description
        case .notDerivable(let name, let problem): "profile \(name): \(problem)"
        }
    }

    /// 64 for a name that does not exist, 65 for a bad file (sysexits.h EX_USAGE, EX_DATAERR).
    package var exitCode: Int32 {
        if case .unknownName = self { return 64 }
        return 65
    }
}
