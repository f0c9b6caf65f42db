// swift-tools-version: 6.2

import PackageDescription

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableExperimentalFeature("Lifetimes"),
]

/// A library target: its name, its place in the house and nothing else to configure.
func layer(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(
  name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(
  name: "UnixSignals", package: "swift-service-lifecycle")
let configuration = Target.Dependency.product(
  name: "Configuration", package: "swift-configuration")
let arguments = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")

// Arrows point down only; Docs/Hacking.md draws the house.
let package = Package(
  name: "lethe",
  products: [
    .executable(name: "lethed", targets: ["lethed"]),
    .executable(name: "lethe", targets: ["lethe"]),
    .executable(name: "lethe-audit", targets: ["lethe-audit"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
  ],
  targets: [
    // C maps
    .systemLibrary(name: "CLMDB"),
    .systemLibrary(name: "CSodium"),
    .target(name: "CLinux"),
    // safe C
    layer("LMDB", ["CLMDB"]),
    layer("Sodium", ["CSodium"]),
    // plain values
    layer("EventModel", []),
    layer("RESP", ["EventModel"]),
    layer("TransparencyLog", ["EventModel", crypto]),
    // an audit as a page
    layer("AuditReport", ["EventModel"]),
    // tables, keys, engine
    layer("Storage", ["LMDB", "EventModel", "CLinux"]),
    layer("Keyring", ["Sodium", "Storage", "EventModel", "CLinux"]),
    layer(
      "EventStore",
      ["Keyring", "Storage", "TransparencyLog", "Sodium", "EventModel", "CLinux", crypto]),
    // services
    layer(
      "Server",
      [
        "EventStore", "Keyring", "Storage", "RESP", "TransparencyLog", "EventModel", "CLinux",
        nioCore, nioPosix, logging, lifecycle,
      ]),
    layer("Client", ["RESP", "EventModel", "CLinux"]),
    // programs
    .executableTarget(
      name: "lethed",
      dependencies: [
        "Server", "EventStore", "Keyring", "Storage", "EventModel", "CLinux", arguments, logging,
        lifecycle, signals,
        configuration,
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "lethe", dependencies: ["Client", "RESP", "EventModel", arguments],
      swiftSettings: strict),
    // checks bundles elsewhere: no keys, no tables, so that it cannot decrypt
    .executableTarget(
      name: "lethe-audit",
      dependencies: ["AuditReport", "TransparencyLog", "EventModel", arguments],
      swiftSettings: strict),
    // measuring; not a product
    .executableTarget(
      name: "lethe-bench",
      dependencies: [
        "EventStore", "Keyring", "Storage", "TransparencyLog", "Sodium", "EventModel", "CLinux",
      ],
      path: "Tools/Bench/Crypto", swiftSettings: strict),
    // loading and checking; not a product
    .executableTarget(
      name: "lethe-hammer", dependencies: ["Client", "RESP", "EventModel", "CLinux", arguments],
      path: "Tools/Hammer", swiftSettings: strict),
    // made-up audits as pages; not a product
    .executableTarget(
      name: "lethe-report-sample", dependencies: ["AuditReport", "EventModel"],
      path: "Tools/ReportSample", swiftSettings: strict),
    // tests
    tests("LMDBTests", ["LMDB"]),
    tests("SodiumTests", ["Sodium"]),
    tests("EventModelTests", ["EventModel"]),
    tests("RESPTests", ["RESP", "EventModel"]),
    tests("TransparencyLogTests", ["TransparencyLog", "EventModel"]),
    tests("AuditReportTests", ["AuditReport", "EventModel", "lethe-report-sample"]),
    tests("StorageTests", ["Storage", "LMDB", "EventModel"]),
    tests("KeyringTests", ["Keyring", "Storage", "Sodium", "EventModel"]),
    tests(
      "EventStoreTests",
      ["EventStore", "Keyring", "Storage", "TransparencyLog", "Sodium", "EventModel"]),
    tests("ServerTests", ["Server", "EventStore", "RESP", "EventModel", nioCore]),
    tests("DoctorTests", ["lethed"]),
    tests("ClientTests", ["Client", "RESP", "EventModel", "lethe", arguments]),
    tests("HammerTests", ["lethe-hammer"]),
    tests("AuditTests", ["lethe-audit", "AuditReport", "TransparencyLog", "EventModel"]),
  ]
)

// For Tools/sanitize: without the services and what they depend on, which is most of a build.
if Context.environment["LETHE_ENGINE_ONLY"] != nil {
  package.products = []
  package.targets.removeAll { target in
    [
      "Server", "Client", "lethed", "lethe", "lethe-audit", "lethe-bench", "lethe-hammer",
      "AuditReport", "lethe-report-sample", "AuditReportTests", "ServerTests", "AuditTests",
      "DoctorTests", "ClientTests", "HammerTests",
    ].contains(target.name)
  }
}

// Only in the build of Tools/fuzz: it needs libFuzzer, and sees what other programs must not.
if Context.environment["LETHE_FUZZ"] != nil {
  package.targets.append(
    .executableTarget(
      name: "lethe-fuzz",
      dependencies: [
        "Server", "EventStore", "Keyring", "Sodium", "Client", "RESP", "EventModel",
      ],
      path: "Tools/Fuzz", exclude: ["corpus"], swiftSettings: strict))
}
