/// The names of what a packet proof makes for as long as it runs, by which others know it again.
package enum ProofNames {
    /// Of its nftables tables, which have an owner; the rest is of the run.
    package static let tablePrefix = "lxcdoc_"
    /// Of the port by which its throw-away container hangs on the bridge.
    package static let linkPrefix = "lxcdoc"
}
