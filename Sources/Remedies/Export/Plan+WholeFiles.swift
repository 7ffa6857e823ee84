internal import HostAccess
internal import HostModel

extension Plan {
    /// The plan with one change for each file, which writes what all edits of it make of it: run once more, a script
    /// finds no state between two of them.
    var withWholeFiles: Plan {
        var plan = self
        var places: [String: Int] = [:]
        plan.changes = []
        for planned in changes {
            guard case .file(let path, _, let after) = planned.change else {
                plan.changes.append(planned)
                continue
            }
            guard let place = places[path], case .file(_, let before, _) = plan.changes[place].change else {
                places[path] = plan.changes.count
                plan.changes.append(planned)
                continue
            }
            plan.changes[place].write(.file(path: path, before: before, after: after), with: planned)
        }
        return plan
    }
}

extension PlannedChange {
    /// The change that is made for another one as well.
    fileprivate mutating func write(_ change: Change, with other: PlannedChange) {
        let wording = ChangeWording(change)
        self.change = change
        undo = [change.inverse]
        step.before = wording.before
        step.after = wording.after
        step.command = wording.command
        step.reversal = wording.reversal
        if !step.risk.contains(other.step.risk) { step.risk += " " + other.step.risk }
        serves += other.serves.filter { !serves.contains($0) }
    }
}
