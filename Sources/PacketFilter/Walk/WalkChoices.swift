/// Decides what is not known: one way in each run, until every way was tried.
///
/// The same question has the same answer throughout a run.
final class WalkChoices {
    private var taken: [(value: Int, count: Int)] = []
    private var position = 0
    private var answers: [String: Int] = [:]
    /// What was asked in any run, in the order of first asking.
    private(set) var doubts: [Doubt] = []

    /// One of `0..<count`.
    func choose(_ count: Int, key: String, _ doubt: Doubt) -> Int {
        if let known = answers[key] { return min(known, count - 1) }
        if !doubts.contains(doubt), doubts.count < 16 { doubts.append(doubt) }
        if position == taken.count { taken.append((0, max(1, count))) }
        let value = min(taken[position].value, max(0, count - 1))
        position += 1
        answers[key] = value
        return value
    }

    /// Goes on to the next way; false where every way was tried.
    func advance() -> Bool {
        taken.removeLast(taken.count - position)
        position = 0
        answers.removeAll(keepingCapacity: true)
        while let last = taken.last {
            if last.value + 1 < last.count {
                taken[taken.count - 1].value += 1
                return true
            }
            taken.removeLast()
        }
        return false
    }
}
