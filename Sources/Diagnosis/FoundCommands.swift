internal import CheckCatalog
internal import HostModel
internal import Probes

/// Commands of a cause with everything in them that its findings know. Pure.
struct FoundCommands {
    let variables: Variables
    /// Of the findings that speak for the cause, the first one first.
    let facts: [[String: FactValue]]

    /// More of one kind than anybody types one by one.
    private static let most = 8

    /// In their order, without those that name what was not found, or what the subject does not have.
    func rendered(_ commands: [String]) -> [String] {
        commands.flatMap { command -> [String] in
            let names: [String]
            do { names = try Template.names(in: command) } catch { return [command] }
            let wanted = names.compactMap(FactName.init)
            guard names.allSatisfy({ FactName($0) != nil || variables[$0] != nil }) else { return [] }
            guard let first = wanted.first else { return [Template.render(command, variables)] }
            return items(first.fact).prefix(Self.most).map { item in
                var own = variables
                for name in wanted {
                    own.values["\(name.part.rawValue).\(name.fact)"] = .string(Self.text(name.part, item))
                }
                return Template.render(command, own)
            }
        }
    }

    private func items(_ fact: String) -> [String] {
        for found in facts {
            switch found[fact] {
            case .strings(let items) where !items.isEmpty: return items
            case .string(let item) where !item.isEmpty: return [item]
            default: continue
            }
        }
        return []
    }

    private static func text(_ part: FactName.Part, _ item: String) -> String {
        let parts = item.split(separator: ": ", maxSplits: 1)
        let head = parts.first.map(String.init) ?? ""
        switch part {
        case .found: return Evidence.quoted(head)
        case .detail: return parts.count == 2 ? Evidence.quoted(String(parts[1])) : ""
        case .command: return item
        case .inside:
            // Who is no container of LXC is known by the place of its namespace.
            return head.hasPrefix("/")
                ? "nsenter --net=\(Evidence.quoted(head))" : "lxc-attach -n \(Evidence.quoted(head)) --"
        }
    }
}
