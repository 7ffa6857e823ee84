internal import HostAccess

/// A translation table of our own, in one nf_tables transaction.
extension LiveHost {
    func createTranslationTable(_ table: TranslationTable) throws(HostError) {
        throw HostError(
            .unsupported, operation: "create table ip \(table.name)",
            message: "this build cannot write nf_tables transactions yet")
    }

    func deleteTranslationTable(_ table: TranslationTable) throws(HostError) {
        throw HostError(
            .unsupported, operation: "delete table ip \(table.name)",
            message: "this build cannot write nf_tables transactions yet")
    }
}
