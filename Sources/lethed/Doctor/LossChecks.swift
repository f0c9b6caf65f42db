import Keyring

/// What is gone when this machine, or one of its devices, is: the first thing that the doctor says.
extension StoreChecks {
  /// `devices` are those of the files that are there.
  func checkLoss(_ devices: [UInt64], _ diagnosis: inout Diagnosis) {
    let sockets = holders.paths.filter(RemoteHolder.isSocket)
    if sockets.isEmpty { return checkLocalLoss(devices, &diagnosis) }
    let silent = sockets.filter { SystemCalls.answers(RemoteHolder.socketPath($0)) == false }
    if silent.count == sockets.count {
      diagnosis.add(
        .warning, "root-remote-silent",
        "if this machine burns now, every event is lost that was not saved before the holders elsewhere "
          + "went silent",
        why:
          "none of them answers: they miss every new key, and open nothing after the next rotation",
        todo: "start lethed holder and its tunnel; shreds answer PENDING until then")
    } else {
      diagnosis.add(
        .note, "root-remote",
        "if this machine burns now, what was appended since the newest backup of the data is lost",
        why: "a holder elsewhere has today's root and keyring, but no events",
        todo: "run lethed backup often, to another machine, and drill the way back "
          + "(Docs/Operations.md)")
    }
    for path in silent where silent.count < sockets.count {
      diagnosis.add(
        .warning, "root-remote-missing", "the root holder \(path) does not answer",
        why: "shreds answer PENDING, and it protects against no loss until it is back",
        todo: "start lethed holder and its tunnel")
    }
  }

  private func checkLocalLoss(_ devices: [UInt64], _ diagnosis: inout Diagnosis) {
    if holders.paths.count == 1 {
      diagnosis.add(
        .warning, "root-single", "if this machine burns now, every event is lost",
        why: "there is one root holder; without it no copy of the data can be opened, by anybody",
        todo:
          "add a holder on another host, which keeps a replica of the keyring too: lethed root add "
          + "(Docs/Operations.md)")
    } else if devices.count > 1, Set(devices).count == 1 {
      diagnosis.add(
        .warning, "root-same-device", "the root holders are on one file system",
        why: "they are lost together, and then every event is",
        todo: "put one of them on another device, or another host")
    } else if devices.count > 1 {
      diagnosis.add(
        .note, "root-two",
        "if this machine burns now, what survives is a root holder with today's copy of the data",
        why: "a root opens only the newest keyring",
        todo:
          "keep one holder's device apart, and copy the data directory often; or add a holder on "
          + "another host")
    }
  }
}
