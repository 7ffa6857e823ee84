internal import FoundationEssentials
internal import HostAccess
internal import HostModel

/// Why a file is not a plan that may be applied.
package struct SavedPlanError: Error, Hashable {
    package var message: String
}

extension Plan {
    /// Reads a plan as `fix plan --format json` writes it.
    ///
    /// What is said of each change must be what the change does: the plan is shown before it is applied, and a file
    /// that says one thing and does another must not get consent for it.
    package init(saved bytes: [UInt8]) throws(SavedPlanError) {
        do {
            // What it is comes first: of a report every other word would be wrong as well.
            let header = try JSONDecoder().decode(Header.self, from: Data(bytes))
            guard header.schema == Self.schemaName else {
                throw SavedPlanError(message: "it is \(header.schema), not \(Self.schemaName)")
            }
            self = try JSONDecoder().decode(Plan.self, from: Data(bytes))
        } catch let error as SavedPlanError {
            throw error
        } catch {
            throw SavedPlanError(message: "it is not a plan of this version: \(Self.words(error))")
        }
        var persistent = false
        for planned in changes {
            let wording = ChangeWording(planned.change)
            let step = planned.step
            let isTakenBack = step.reversal == ChangeWording.reversal(of: planned.change, by: planned.undo)
            let cannotBe = planned.undo.isEmpty && (planned.change.isCheck || step.reversal == "none")
            guard step.target == wording.target, step.before == wording.before, step.after == wording.after,
                isTakenBack || cannotBe
            else { throw SavedPlanError(message: "step \(step.id) says something else than it does") }
            guard planned.phase == .persistent || !persistent else {
                throw SavedPlanError(message: "its steps are out of order")
            }
            persistent = planned.phase == .persistent
        }
    }

    private struct Header: Decodable {
        var schema: String
    }

    private static func words(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return "\(error)" }
        switch error {
        case .keyNotFound(let key, _): return "\(key.stringValue) is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            let place = context.codingPath.map(\.stringValue).joined(separator: ".")
            return place.isEmpty ? "it is no JSON" : "\(place) is not what it should be"
        @unknown default: return "\(error)"
        }
    }
}
