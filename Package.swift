// swift-tools-version: 6.2
import PackageDescription

// The rooms of the house, lowest first: a target may depend only on targets listed above it.
// Tests/HouseTests compares every `import` line of Sources/ with this table.

/// `make fuzz` builds the rooms for libFuzzer, and one program more.
let fuzzing = Context.environment["LXC_DOCTOR_FUZZ"] != nil
let fuzzSettings: [SwiftSetting] = fuzzing ? [.unsafeFlags(["-sanitize=fuzzer"])] : []

let swiftSettings: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .treatAllWarnings(as: .error),
    ] + fuzzSettings

/// Tools of the tests: plain imports, as in tests.
let testToolSettings: [SwiftSetting] = [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]

func room(
    _ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = [], plugins: [Target.PluginUsage] = []
) -> Target {
    .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: swiftSettings, plugins: plugins)
}

func tests(_ room: String, _ dependencies: [Target.Dependency] = [], resources: [String] = []) -> Target {
    .testTarget(
        name: room + "Tests", dependencies: [.target(name: room)] + dependencies, exclude: resources,
        swiftSettings: swiftSettings)
}

let package = Package(
    name: "lxc-doctor",
    products: [.executable(name: "lxc-doctor", targets: ["lxc-doctor"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ],
    targets: [
        // Kernel headers and C libraries.
        .target(name: "CLinux"),
        .target(name: "CPcap"),
        .target(name: "CYaml", linkerSettings: [.linkedLibrary(":libyaml.a")]),

        // Values and pure functions.
        room("HostModel"),
        room("WireFormats", ["HostModel", "CLinux"]),
        room("ConfigFiles", ["HostModel"]),
        room("HostAccess", ["HostModel", "WireFormats"]),
        room("PacketFilter", ["HostModel", "WireFormats"]),
        room("Probes", ["HostModel", "WireFormats", "ConfigFiles", "HostAccess", "PacketFilter"]),
        room("PacketProof", ["HostModel", "WireFormats", "HostAccess"]),
        room("CheckCatalog", ["HostModel", "CYaml"]),
        room("Diagnosis", ["HostModel", "HostAccess", "Probes", "CheckCatalog"]),
        room("Remedies", ["HostModel", "HostAccess", "ConfigFiles", "WireFormats", "Probes"]),
        room("Reporting", ["HostModel"]),
        room("Watching", ["HostModel", "HostAccess", "WireFormats"]),

        // The kernel, and what is built from it.
        room("LinuxHost", ["HostModel", "WireFormats", "ConfigFiles", "HostAccess", "CLinux", "CPcap"]),
        room("PracticeHost", ["HostModel", "HostAccess", "LinuxHost", "CLinux"]),

        // Resources of the top level, compiled in.
        room(
            "BuiltInCatalog", ["HostModel", "CheckCatalog"], exclude: ["checks", "reports"],
            plugins: [.plugin(name: "CompileCatalogPlugin")]),
        .executableTarget(
            name: "compile-catalog", dependencies: ["HostModel", "CheckCatalog", "CYaml"], swiftSettings: swiftSettings),
        .plugin(
            name: "CompileCatalogPlugin", capability: .buildTool(), dependencies: ["compile-catalog"],
            path: "Sources/CompileCatalogPlugin"),

        // Wiring.
        room(
            "Commands",
            [
                "HostModel", "HostAccess", "Probes", "PacketProof", "PacketFilter", "CheckCatalog", "BuiltInCatalog",
                "Diagnosis", "Remedies", "Reporting", "Watching", "LinuxHost", "PracticeHost",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "lxc-doctor", dependencies: ["Commands"], exclude: ["Link"], swiftSettings: swiftSettings,
            linkerSettings: [
                // See the linker script there. Nothing that is loaded calls this program: it exports no symbols.
                .unsafeFlags(
                    [
                        "-L", "\(Context.packageDirectory)/Sources/lxc-doctor/Link", "-Xclang-linker", "-static-libgcc",
                        "-Xlinker", "--no-export-dynamic",
                    ],
                    .when(configuration: .release))
            ]),

        // Tests.
        tests("HostModel"),
        tests("WireFormats", ["HostModel"], resources: ["Bytes"]),
        tests("ConfigFiles", ["HostModel"]),
        tests("HostAccess", ["HostModel"]),
        tests(
            "PacketFilter", ["HostModel", "HostAccess", "WireFormats", "Probes", "OracleSupport"],
            resources: ["OracleCases"]),
        tests("Probes", ["HostModel", "HostAccess", "WireFormats", "ConfigFiles", "PacketFilter"]),
        tests("PacketProof", ["HostModel", "HostAccess", "WireFormats"], resources: ["Pcaps"]),
        tests("CheckCatalog", ["HostModel"]),
        tests(
            "Diagnosis", ["HostModel", "HostAccess", "Probes", "CheckCatalog", "BuiltInCatalog", "TestSupport"],
            resources: ["Cases"]),
        tests("Remedies", ["HostModel", "HostAccess", "ConfigFiles", "WireFormats"]),
        tests("Reporting", ["HostModel", "HostAccess"]),
        tests("Watching", ["HostModel", "HostAccess", "WireFormats"]),
        tests("LinuxHost", ["HostModel", "HostAccess", "WireFormats"]),
        // These run the built program: they need no room's code but its words.
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: [.swiftLanguageMode(.v6)]),
        // The kernel as oracle for PacketFilter: a tool of the tests, no part of the product.
        .target(
            name: "OracleSupport", dependencies: ["HostModel", "HostAccess", "PacketFilter"],
            path: "Tests/OracleSupport", swiftSettings: testToolSettings),
        .executableTarget(
            name: "ruleset-oracle",
            dependencies: [
                "HostModel", "HostAccess", "WireFormats", "PacketFilter", "Probes", "LinuxHost", "CLinux",
                "OracleSupport",
            ],
            path: "Tests/RulesetOracle", exclude: ["oracle", "list-rules", "list-random", "Listings"],
            swiftSettings: testToolSettings),
        .testTarget(name: "HouseTests", swiftSettings: swiftSettings),
        .testTarget(
            name: "PracticeHostTests", dependencies: ["HostModel", "TestSupport"], swiftSettings: swiftSettings),
        .testTarget(name: "CommandTests", dependencies: ["HostModel", "TestSupport"], swiftSettings: swiftSettings),
    ]
)

if fuzzing {
    let fuzzed: [Target.Dependency] = [
        "HostModel", "WireFormats", "ConfigFiles", "HostAccess", "PacketFilter", "Probes", "CheckCatalog",
    ]
    // Nothing else: tools of the build would have to be linked with libFuzzer too.
    package.products = []
    package.targets.removeAll { target in
        ![
            "HostModel", "WireFormats", "ConfigFiles", "HostAccess", "PacketFilter", "Probes", "CheckCatalog", "CLinux",
            "CYaml",
        ]
        .contains(target.name)
    }
    package.targets.append(
        .executableTarget(
            name: "fuzz-decoders", dependencies: fuzzed, path: "Tests/Fuzz/Decoders",
            swiftSettings: [.swiftLanguageMode(.v6)] + fuzzSettings,
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer", "-use-ld=lld"])]))
}
