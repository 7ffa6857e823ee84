/// Numbers as machines read them: a point, no exponent, no more digits than are known.
enum Decimal {
    /// At most six digits after the point. Values that are no number, or beyond what a counter of seconds can be: 0.
    static func text(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e12 else { return "0" }
        let millionths = Int((abs(value) * 1_000_000).rounded())
        let sign = value < 0 && millionths > 0 ? "-" : ""
        let digits = String(millionths % 1_000_000)
        let fraction = (String(repeating: "0", count: 6 - digits.count) + digits).reversed().drop { $0 == "0" }
        return sign + String(millionths / 1_000_000) + (fraction.isEmpty ? "" : "." + String(fraction.reversed()))
    }
}
