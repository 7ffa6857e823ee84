import Glibc

/// Hours of the day that it is now in, so that a rule about them decides some packet whenever the oracle runs.
enum TimeOfDay {
    /// In UTC: from three hours ago to three hours from now, within the day.
    static let hours: (from: String, to: String) = {
        var now = time(nil)
        var parts = tm()
        gmtime_r(&now, &parts)
        let hour = Int(parts.tm_hour)
        func text(_ hour: Int) -> String { hour < 10 ? "0\(hour)" : "\(hour)" }
        return ("\(text(max(0, hour - 3))):00", hour < 20 ? "\(text(hour + 4)):00" : "23:59")
    }()
}
