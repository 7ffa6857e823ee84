package import CheckCatalog

/// What is compiled into the program: the files of `checks/`, and the schemas of `reports/`.
///
/// The functions behind these are made at build time by `compile-catalog`; a mistake in a file fails the build.
package enum BuiltIn {
    /// By area in the order of reports, then by id.
    package static func checks() -> [Check] { builtInChecks() }

    /// By id.
    package static func causes() -> [CauseEntry] { builtInCauses() }

    /// By name.
    package static func profiles() -> [ProfileEntry] { builtInProfiles() }

    /// The text of a file of `reports/schema/` by its name: `report.v1.schema.json`.
    package static func asset(_ name: String) -> String? { builtInAsset(name) }
}
