import Testing

@testable import HostModel

@Suite struct RFC3339Tests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"), (1_709_251_199, "2024-02-29T23:59:59Z"),
        (1_798_761_599, "2026-12-31T23:59:59Z"), (-1, "1969-12-31T23:59:59Z"), (4_107_542_400, "2100-03-01T00:00:00Z"),
    ])
    func writesUTC(seconds: Int, text: String) {
        #expect(RFC3339.text(secondsSince1970: seconds) == text)
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"), (1_709_251_199, "2024-02-29T23:59:59Z"),
        (1_798_761_599, "2026-12-31T23:59:59Z"), (4_107_542_400, "2100-03-01T00:00:00Z"),
    ])
    func readsUTC(seconds: Int, text: String) {
        #expect(RFC3339.secondsSince1970(text) == seconds)
    }

    @Test(arguments: [
        "", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01", "2026-1-1T00:00:00Z", "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:00", "2026-01-01T00:00:00+01:00", "99999999999999999999-01-01T00:00:00Z", "soon",
        "2026-04-31T00:00:00Z",
    ])
    func refusesTextsThatAreNoTime(text: String) {
        #expect(RFC3339.secondsSince1970(text) == nil)
    }
}
