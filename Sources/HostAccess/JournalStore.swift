internal import HostModel

/// Where the fix module keeps its journals, and the lock that lets only one repair run at a time.
///
/// A journal must be readable after a crash at any instant: `save` returns only when the bytes and their name are on
/// the disk, and a reader finds either the whole old text or the whole new one.
package protocol JournalStore: AnyObject {
    /// The path of a journal, for people.
    func location(of run: String) -> String
    /// Takes the lock. Waits for nothing but the end of what a repair whose process has died had started. Error of code
    /// `notPermitted` where another repair holds it.
    /// The lock ends with `unlock` or with the process.
    func lock() throws(HostError)
    func unlock()
    /// The runs that have a journal, oldest name first.
    func runs() throws(HostError) -> [String]
    func load(_ run: String) throws(HostError) -> [UInt8]
    /// Writes the whole journal of a run, atomically and durably.
    func save(_ bytes: [UInt8], run: String) throws(HostError)
    /// Says, from whatever process, that a run under a dead-man switch is to be kept. Needs no lock.
    func confirm(_ run: String) throws(HostError)
    func isConfirmed(_ run: String) throws(HostError) -> Bool
}
