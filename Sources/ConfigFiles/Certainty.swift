/// Whether something happens: for sure, for sure not, or only a running shell knows.
enum Certainty {
    case yes, no, maybe

    static prefix func ! (value: Certainty) -> Certainty {
        switch value {
        case .yes: .no
        case .no: .yes
        case .maybe: .maybe
        }
    }

    static func && (left: Certainty, right: Certainty) -> Certainty {
        if left == .no || right == .no { return .no }
        return left == .yes && right == .yes ? .yes : .maybe
    }

    static func || (left: Certainty, right: Certainty) -> Certainty {
        !(!left && !right)
    }
}
