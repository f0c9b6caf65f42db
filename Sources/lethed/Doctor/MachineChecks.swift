/// What is known of the machine that the daemon runs on.
struct MachineFacts: Hashable {
  /// Bytes that a process may lock; nil when it cannot be told.
  var memoryLockBytes: UInt64?
  /// True when that is the running daemon's own limit, not this shell's.
  var isDaemonsLimit = false
  /// Devices and files that memory is swapped to.
  var swaps: [String] = []
  var corePattern = ""
  /// True when a crash of the kernel writes the memory to a disk.
  var hasCrashKernel = false
  /// True when the machine can write its memory to a disk and sleep.
  var canHibernate = false
  var isClockSynchronised: Bool?

  /// Looks at this machine.
  static func current(data: String) -> MachineFacts {
    var facts = MachineFacts()
    facts.memoryLockBytes = SystemCalls.memoryLockLimit
    if let limit = daemonsLimit(data: data) {
      facts.memoryLockBytes = limit
      facts.isDaemonsLimit = true
    }
    let swaps = SystemCalls.text("/proc/swaps") ?? ""
    facts.swaps = swaps.split(separator: "\n").dropFirst().compactMap { line in
      line.split(whereSeparator: { $0 == " " || $0 == "\t" }).first.map(String.init)
    }
    facts.corePattern = Self.trimmed(SystemCalls.text("/proc/sys/kernel/core_pattern"))
    facts.hasCrashKernel = Self.trimmed(SystemCalls.text("/sys/kernel/kexec_crash_loaded")) == "1"
    let resume = Self.trimmed(SystemCalls.text("/sys/power/resume"))
    facts.canHibernate = !resume.isEmpty && resume != "0:0"
    facts.isClockSynchronised = SystemCalls.isClockSynchronised
    return facts
  }

  private static func trimmed(_ text: String?) -> String {
    String((text ?? "").prefix { $0 != "\n" })
  }

  /// The hard limit of the daemon that was started with `--data` and this directory, if one runs.
  ///
  /// Its lock belongs to an open file, so the kernel names no process for it.
  private static func daemonsLimit(data: String) -> UInt64? {
    let wanted = SystemCalls.realPath(data)
    for name in SystemCalls.names(in: "/proc") where UInt32(name) != nil {
      let words = (SystemCalls.text("/proc/\(name)/cmdline") ?? "").split(separator: "\0")
      guard words.first?.split(separator: "/").last == "lethed", words.contains("serve"),
        words.contains(where: { SystemCalls.realPath(String($0)) == wanted })
      else { continue }
      return (SystemCalls.text("/proc/\(name)/limits") ?? "").split(separator: "\n")
        .first { $0.hasPrefix("Max locked memory") }
        .flatMap { hardLimit(inLine: $0) }
    }
    return nil
  }

  /// `Max locked memory         8388608              8388608              bytes`.
  static func hardLimit(inLine line: Substring) -> UInt64? {
    let words = line.split(separator: " ")
    guard words.count >= 5 else { return nil }
    return words[4] == "unlimited" ? .max : UInt64(words[4])
  }
}

/// Judges the machine.
struct MachineChecks {
  let facts: MachineFacts

  /// What the daemon should be able to lock.
  static let memoryLockBytesMin: UInt64 = 64 << 20

  init(_ facts: MachineFacts) { self.facts = facts }

  func run(_ diagnosis: inout Diagnosis) {
    if let limit = facts.memoryLockBytes, limit < Self.memoryLockBytesMin {
      diagnosis.add(
        .warning, "memory-lock",
        "\(facts.isDaemonsLimit ? "the daemon" : "a program started here") may lock "
          + "\(limit >> 10) KiB into memory",
        why: "keys that cannot be locked can be swapped to a disk, where they outlive a shred",
        todo: "LimitMEMLOCK=64M under systemd, or ulimit -l 65536")
    }
    let disks = facts.swaps.filter { !$0.contains("/zram") }
    if !disks.isEmpty {
      diagnosis.add(
        .warning, "swap", "memory is swapped to \(disks.joined(separator: ", "))",
        why: "payloads that are read or written may reach that disk in plaintext",
        todo: "swapoff, MemorySwapMax=0 for the daemon, or swap under a key of each start")
    }
    if facts.canHibernate {
      diagnosis.add(
        .warning, "hibernation", "this machine can hibernate",
        why: "it then writes all memory, keys too, to a disk",
        todo: "systemctl mask hibernate.target")
    }
    if facts.hasCrashKernel {
      diagnosis.add(
        .warning, "crash-kernel", "a crash of the kernel writes its memory to a disk (kdump)",
        why: "the daemon's keys are in it", todo: "encrypt where the dumps go, or switch kdump off")
    }
    if facts.isClockSynchronised == false {
      diagnosis.add(
        .warning, "clock", "the clock follows no source",
        why: "times of events and ends of retention are only as right as it is",
        todo: "switch NTP on (timedatectl set-ntp true)")
    }
    if facts.corePattern.hasPrefix("|") {
      diagnosis.add(
        .note, "core-pattern", "core dumps of this machine are collected by a program",
        why: "the daemon makes none, but its clients' dumps hold events in plaintext",
        todo: "LimitCORE=0 for the clients, or look at what the collector keeps")
    }
  }
}
