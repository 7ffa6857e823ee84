/// How a report is to be written: for whom, how wide, how much.
package struct RenderingOptions: Sendable, Hashable {
    /// ANSI colour (ECMA-48 SGR). Decided by the caller: only on a terminal, and not under `NO_COLOR`.
    package var colour: Bool
    /// Columns. Values below 40 are taken as 40.
    package var width: Int
    /// The terminal format writes nothing at all: the exit code says it. Other formats are not touched.
    package var quiet: Bool
    /// Also the reasons of what does not apply, and the findings that a root cause explains.
    package var verbose: Bool
    /// How this program was called, as far as a next command must repeat it: `lxc-doctor --profile makina`.
    package var invocation: String
    /// Steps that this run made before the plan that is written.
    package var appliedBefore: Int

    package init(
        colour: Bool = false, width: Int = 80, quiet: Bool = false, verbose: Bool = false,
        invocation: String = "lxc-doctor", appliedBefore: Int = 0
    ) {
        self.colour = colour
        self.width = width
        self.quiet = quiet
        self.verbose = verbose
        self.invocation = invocation
        self.appliedBefore = appliedBefore
    }
}
