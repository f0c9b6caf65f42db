import CLinux
import Glibc
import Storage

/// Why an overwritten root may survive on the medium of its holder.
package enum WeakErasure: String, Error, Hashable, Sendable, CaseIterable {
  /// btrfs, zfs, bcachefs, f2fs, overlayfs: writing in place writes elsewhere.
  case copyOnWrite = "copy-on-write file system"
  /// NFS, SMB, 9p, FUSE, Ceph: somebody else's disk.
  case network = "network file system"
  /// tmpfs, ramfs: gone at the next start, and in swap before.
  case memory = "memory file system"
  /// `data=journal`: old content stays in the journal.
  case journalledData = "journalled data"
  /// Another file shares the holder's blocks (a reflink or a snapshot).
  case sharedExtents = "shared extents"
  /// The holder was not there: nothing is known of its medium.
  case absent = "holder not there"
  /// Not one of the file systems that were looked at.
  case unknown = "unknown file system"
}

/// What is known of the place where a holder's bytes lie.
///
/// Even a good answer says nothing of what lies below the file system: flash translation, volume
/// snapshots, images of the machine.
package struct RootMedium: Hashable, Sendable {
  /// Nil when overwriting in place replaces the old bytes as far as the file system can tell.
  package let weakness: WeakErasure?
  /// `st_dev`, to be compared with the data directory's.
  package let device: UInt64
}

/// The only file of this module that calls C.
extension RootMedium {
  /// Of a holder that nobody has seen.
  static let absent = RootMedium(weakness: .absent, device: 0)

  init(_ file: borrowing FileDescriptor) throws(KeyringError) {
    var type: UInt64 = 0
    var device: UInt64 = 0
    guard unsafe linux_file_system(file.rawValue, &type, &device) == 0 else {
      throw .rootUnreadable
    }
    var weakness = Self.weakness(ofFileSystem: type)
    if weakness == nil, linux_has_shared_extents(file.rawValue) != 0 { weakness = .sharedExtents }
    if weakness == nil, Self.isJournalled(file) { weakness = .journalledData }
    if weakness == nil, type == Self.ext4 {
      let mounts = try Self.text("/proc/self/mountinfo")
      if Self.journalsData(mountInfo: mounts, device: device) { weakness = .journalledData }
    }
    self.init(weakness: weakness, device: device)
  }

  /// `st_dev` of a directory.
  static func device(ofDirectory path: String) throws(KeyringError) -> UInt64 {
    var type: UInt64 = 0
    var device: UInt64 = 0
    do {
      let directory = try FileDescriptor.open(directory: path)
      guard unsafe linux_file_system(directory.rawValue, &type, &device) == 0 else {
        throw StorageError.missing
      }
    } catch { throw .storage(error as? StorageError ?? .missing) }
    return device
  }

  static var now: Int64 { linux_wall_clock_milliseconds() }

  /// Ext2 to ext4 share a number.
  static let ext4: UInt64 = 0xEF53

  /// Only ext4 and xfs are known to write in place.
  static func weakness(ofFileSystem type: UInt64) -> WeakErasure? {
    switch type {
    case ext4, 0x5846_5342 /* xfs */: nil
    case 0x9123_683E /* btrfs */, 0x2FC1_2FC1 /* zfs */, 0xCA45_1A4E /* bcachefs */,
      0xF2F5_2010 /* f2fs */, 0x794C_7630 /* overlayfs */, 0x3434 /* nilfs */:
      .copyOnWrite
    case 0x6969 /* nfs */, 0xFF53_4D42 /* cifs */, 0xFE53_4D42 /* smb2 */, 0x0102_1997 /* 9p */,
      0x6573_5546 /* fuse */, 0x00C3_6400 /* ceph */, 0x5346_414F /* afs */,
      0x7461_636F /* ocfs2 */:
      .network
    case 0x0102_1994 /* tmpfs */, 0x8584_58F6 /* ramfs */: .memory
    default: .unknown
    }
  }

  /// True when `chattr +j` was said of this one file.
  private static func isJournalled(_ file: borrowing FileDescriptor) -> Bool {
    var flags: UInt32 = 0
    return unsafe linux_file_flags(file.rawValue, &flags) == 0 && flags & journalDataFlag != 0
  }

  /// `FS_JOURNAL_DATA_FL`.
  private static let journalDataFlag: UInt32 = 0x4000

  /// True when the mount of `device` has the super option `data=journal`.
  ///
  /// A line: `36 35 98:0 /mnt /where rw,noatime shared:1 - ext4 /dev/root rw,data=journal`.
  static func journalsData(mountInfo: String, device: UInt64) -> Bool {
    let number = "\(major(device)):\(minor(device))"
    for line in mountInfo.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count > 2, fields[2] == number, let dash = fields.firstIndex(of: "-"),
        dash + 3 < fields.count
      else { continue }
      if fields[dash + 3].split(separator: ",").contains("data=journal") { return true }
      // A default in the superblock is not shown among the mount's options, but there.
      let name = fields[dash + 2].split(separator: "/").last.map(String.init) ?? ""
      if let options = try? text("/proc/fs/ext4/\(name)/options"),
        options.split(separator: "\n").contains("data=journal")
      {
        return true
      }
    }
    return false
  }

  // Glibc's macros, which Swift does not see.
  private static func major(_ device: UInt64) -> UInt64 {
    device >> 8 & 0xFFF | device >> 32 & 0xFFFF_F000
  }

  private static func minor(_ device: UInt64) -> UInt64 {
    device & 0xFF | device >> 12 & 0xFFFF_FF00
  }

  /// The text of a file of /proc, which has no size; at most 1 MiB of it.
  private static func text(_ path: String) throws(KeyringError) -> String {
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    do throws(StorageError) {
      let file = try FileDescriptor.open(path: path, isReadOnly: true)
      let code = unsafe bytes.withUnsafeMutableBufferPointer {
        unsafe linux_pread_all(file.rawValue, $0.baseAddress, UInt64($0.count), 0)
      }
      // Ending early is what it does; the rest stays zero.
      guard code == 0 || code == ENODATA else { throw .ioFailure(code) }
    } catch { throw .rootUnreadable }
    return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
}
