import EventModel
import EventStore
import Keyring
import Storage

/// The data directory and the root holders.
struct StoreChecks {
  let data: String
  let holders: RootHolders

  private var lockPath: String { data + "/LOCK" }

  func run(_ diagnosis: inout Diagnosis) {
    diagnosis.isRunning = SystemCalls.isLocked(lockPath) == true
    checkRoots(&diagnosis)
    checkDirectory(&diagnosis)
    checkSpace(&diagnosis)
    checkKeyring(&diagnosis)
  }

  // The root

  private func checkRoots(_ diagnosis: inout Diagnosis) {
    var found: [(path: String, root: RootInspection)] = []
    let files = holders.paths.filter { !RemoteHolder.isSocket($0) }
    for path in files {
      do { found.append((path, try RootInspection.look(at: path))) } catch {
        report(error, path, &diagnosis)
      }
    }
    checkLoss(found.map(\.root.medium.device), &diagnosis)
    for path in files { checkPlace(path, &diagnosis) }
    for (path, root) in found {
      checkFile(path, root, &diagnosis)
      checkMedium(path, root, &diagnosis)
    }
  }

  private func report(_ error: KeyringError, _ path: String, _ diagnosis: inout Diagnosis) {
    guard error == .rootMissing else {
      return diagnosis.add(
        .problem, "root-unreadable", "the root holder \(path) cannot be read",
        why: "the daemon does not start without it",
        todo: "it must be a regular file of the daemon's user; run this as that user or as root")
    }
    diagnosis.add(
      .problem, "root-missing", "there is no root holder at \(path)",
      why: "without a root, no event can be opened, in no copy of the data",
      todo: "mount its device; never make a new root over an existing store")
  }

  private func checkPlace(_ path: String, _ diagnosis: inout Diagnosis) {
    let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    if let data = SystemCalls.realPath(data), let root = SystemCalls.realPath(path),
      root.hasPrefix(data + "/")
    {
      diagnosis.add(
        .problem, "root-inside-data", "the root holder \(path) lies in the data directory",
        why: "every backup of the data takes the root along, and then nothing can be forgotten",
        todo: "move the store: a root belongs on another file system, outside every backup")
    }
    guard let entry = SystemCalls.entry(directory.isEmpty ? "/" : directory) else { return }
    // In a sticky directory others can add, but not replace.
    if entry.mode & 0o022 != 0, entry.mode & 0o1000 == 0 {
      diagnosis.add(
        .problem, "root-directory-open", "others may write in the root's directory \(directory)",
        why: "they can remove the root, and every event with it", todo: "chmod go-w \(directory)")
    }
  }

  private func checkFile(_ path: String, _ root: RootInspection, _ diagnosis: inout Diagnosis) {
    if !root.hasShape || root.header == nil {
      diagnosis.add(
        .problem, "root-damaged", "\(path) is not a root holder, or is damaged",
        why: "the daemon does not start with it",
        todo: "name the right file, or use the other holder")
    }
    if root.status.mode & 0o077 != 0 {
      diagnosis.add(
        .problem, "root-mode", "others may read the root holder \(path)",
        why:
          "whoever has the root and a copy of the data has every event; the daemon does not start",
        todo: "chmod 600 \(path)")
    }
    if let owner = SystemCalls.entry(data)?.owner, owner != root.status.owner {
      diagnosis.add(
        .problem, "root-owner", "the root holder \(path) and the data belong to different users",
        why: "the daemon does not start", todo: "chown both to the daemon's user")
    }
    if let count = root.header?.count, count != holders.paths.count {
      diagnosis.add(
        .problem, "root-count",
        "\(path) says that there are \(count) holders, but \(holders.paths.count) were named",
        why: "a holder that is left out would keep old roots; the daemon does not start",
        todo: "name exactly the holders that the store has: `lethed root status` tells")
    }
  }

  private func checkMedium(_ path: String, _ root: RootInspection, _ diagnosis: inout Diagnosis) {
    if let weakness = root.medium.weakness {
      let isAccepted = root.header?.isWeakAccepted == true || holders.acceptsWeakErasure
      diagnosis.add(
        isAccepted ? .warning : .problem, "root-weak",
        "the medium of \(path) cannot erase: \(weakness.rawValue)",
        why: isAccepted
          ? "old roots may survive there, so every receipt says class E0: nothing is claimed"
          : "old roots may survive there; the daemon does not start without --accept-weak-erasure",
        todo: "put the root on ext4 or XFS, without data=journal, chattr +j and snapshots")
    }
    if let device = SystemCalls.entry(data)?.device, device == root.medium.device {
      diagnosis.add(
        .warning, "root-beside-data", "\(path) is on the data's file system",
        why: "both are lost together, and whoever takes the disk, or an image of it, has both",
        todo: "put the root on a file system of its own")
    }
  }

  // The data

  private func checkDirectory(_ diagnosis: inout Diagnosis) {
    guard let directory = SystemCalls.entry(data), directory.kind == .directory else {
      return diagnosis.add(
        .problem, "data-missing", "there is no data directory at \(data)",
        why: "the daemon does not start", todo: "mount it, or make a store with lethed init")
    }
    if directory.owner == 0 {
      diagnosis.add(
        .warning, "runs-as-root", "the store belongs to root, so the daemon runs as root",
        why: "a fault in it would be a fault of the whole machine",
        todo: "make a user for it and chown data and root")
    }
    let names = [
      "", "/FORMAT", "/LOCK", "/keyring", "/log", "/index", "/keyring/data.mdb", "/log/data.mdb",
      "/index/data.mdb",
    ]
    for name in names {
      guard let entry = SystemCalls.entry(data + name) else {
        if !name.hasPrefix("/index") { missing(data + name, &diagnosis) }
        continue
      }
      guard entry.mode & 0o077 != 0 || entry.owner != directory.owner else { continue }
      diagnosis.add(
        .problem, "data-open", "\(data + name) is open to others or belongs to somebody else",
        why: "the daemon does not start on files that others may touch",
        todo: "chmod go= and chown it to the daemon's user")
    }
  }

  private func missing(_ path: String, _ diagnosis: inout Diagnosis) {
    diagnosis.add(
      .problem, "data-incomplete", "\(path) is missing or cannot be seen",
      why: "the daemon does not start", todo: "bring the whole directory, from its newest copy")
  }

  private func checkSpace(_ diagnosis: inout Diagnosis) {
    guard let free = SystemCalls.availableBytes(data) else { return }
    if free < 2 * Limits.reserveBytes {
      diagnosis.add(
        .problem, "data-full", "the data device has \(free >> 20) MiB left",
        why: "appends are refused below \(Limits.reserveBytes >> 20) MiB, which shreds need",
        todo: "make room: the store cannot shrink its own files")
    } else if free < 1 << 30 {
      diagnosis.add(
        .warning, "data-filling", "the data device has \(free >> 20) MiB left",
        why: "appends are refused when it is full", todo: "make room, or a larger device")
    }
    let maps = [
      ("log", LogTables.mapBytes), ("keyring", KeyringTables.mapBytes),
      ("index", IndexTables.mapBytes),
    ]
    for (name, most) in maps {
      let size = SystemCalls.entry("\(data)/\(name)/data.mdb")?.size ?? 0
      guard size > Int64(most / 10 * 8) else { continue }
      diagnosis.add(
        .warning, "map-filling", "\(name)/data.mdb uses \(size * 100 / Int64(most))% of its map",
        why: "a file cannot grow beyond its map of \(most >> 30) GiB",
        todo: "move tenants to another store")
    }
  }

  /// Root and keyring must belong together and to the same moment.
  private func checkKeyring(_ diagnosis: inout Diagnosis) {
    if diagnosis.isRunning {
      return diagnosis.skip("whether root and keyring fit: the daemon that runs has found so")
    }
    guard SystemCalls.entry(data)?.owner == SystemCalls.ownUID else {
      return diagnosis.skip("whether root and keyring fit: only the daemon's user may try")
    }
    // What other checks name already is not said twice.
    guard !diagnosis.findings.contains(where: { $0.severity == .problem }) else {
      return diagnosis.skip("whether root and keyring fit: the problems above come first")
    }
    var wanted = holders
    wanted.acceptsWeakErasure = true
    do { try EventStore.checkKeyring(path: data, holders: wanted) } catch {
      let failure = Failure(error)
      diagnosis.add(
        .problem, "keyring", failure.sentence,
        why: "the daemon would end with \(failure.exitCode) instead of starting",
        todo: "see the exit codes in Docs/Operations.md")
    }
  }
}
